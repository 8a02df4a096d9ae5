"""What share of its step a sparse model of 2 T parameters loses to synchronization."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from math import exp, log

import numpy as np

from exaplan.app.casebook.asking import Change, Measured, by_share, fit_of, judged, percentiles
from exaplan.app.casebook.giants import fitted_exponent, giant, machine_at, training_days
from exaplan.domain.casebook import Asked, CaseRecord, Metric, Plot, Table, Threshold, Value, Word
from exaplan.domain.technology import Model
from exaplan.io.calibration import load_calibration
from exaplan.io.catalogue import load_chips
from exaplan.perf.calibration.draws import drawn_knobs, one_draw
from exaplan.perf.counts import parameters
from exaplan.perf.giant import Training, lost_over_sites, train_giant
from exaplan.perf.knobs import Knobs
from exaplan.perf.machine import Precision
from exaplan.perf.sites import (
    LOSS_EXPONENT_COMPUTE,
    PUBLISHED_PENALTIES,
    OuterSync,
    WideLink,
    bandwidth_needed_bytes_per_s,
    equal_loss_compute,
)
from exaplan.perf.training import TrainRequest

NAME = "two-trillion-synchronization"
ASKED = Asked(
    question="Can one training run span a whole campus and then several, or does synchronization eat the chips that it adds?",
    claim="A sparse model of 2 T parameters loses at most a quarter of its step to synchronization, whatever the scale-up "
    "domain and on up to four sites.",
    date="2024-08",
    where="comments on 'AI #75', lesswrong.com: 30 Tbit/s per fiber pair and 6 s per batch make several sites workable",
)
_RULE = (
    "holds: the share lost is within the limit at every domain, number of sites and scheme; fails: at none; depends otherwise. "
    "Lost are exposed messages and pipeline bubbles inside a site, and what a site waits for others"
)
_SWEPT_DOMAINS = (8, 16, 32, 64, 72, 144, 288, 576, 1152, 2304, 4608, 9216)
_SYNCHRONOUS, _DILOCO, _STREAMING = "every step", "DiLoCo", "streaming DiLoCo"
SCHEMES: dict[str, OuterSync | None] = {
    _SYNCHRONOUS: None,
    _DILOCO: OuterSync(inner_steps=30.0),
    _STREAMING: OuterSync(inner_steps=100.0, bits=4.0, fragments=8.0, overlap_steps=1.0),
}
"""As published: H = 30 at 32 bits in arXiv 2503.09799; H = 100, 4 bits and one step of overlap in arXiv 2501.18512."""


@dataclass(frozen=True)
class Question:
    """Inputs of the case."""

    chip: str = "GB200-NVL72"
    total: float = 2e12
    base: str = "DeepSeek-V3"
    exponent: float | None = None  # active ~ total^b; fitted over the catalogue where None
    domains: tuple[int, ...] = (8, 72, 9216)
    sites: tuple[int, ...] = (1, 2, 4)
    cluster_chips: float = 16384.0  # of all sites together
    batch_tokens: float = 64e6
    sequence_tokens: float = 4096.0
    precision: Precision = "fp8"
    tokens: float = 30e12
    link_bytes_per_s: float = 1.25e12  # out of a site
    latency_s: float = 0.02
    hidden_share: float = 2 / 3
    limit: float = 0.25
    draws: int = 40
    seed: int = 20261122


@dataclass(frozen=True)
class Point:
    """One domain, number of sites and scheme."""

    domain: int
    sites: int
    scheme: str
    lost: float


def _model(question: Question) -> Model:
    return giant(question.base, question.total, question.exponent)


def _train(
    question: Question, domain: int, sites: int = 1, *, knobs: Knobs | None = None, chips: float | None = None
) -> Training | None:
    """Train inside one of several sites, each with its share of chips and batch."""
    request = TrainRequest(
        question.sequence_tokens, question.batch_tokens / sites, (chips or question.cluster_chips) / sites
    )
    machine = machine_at(question.chip, domain, question.precision, knobs)
    return train_giant(_model(question), machine, request)


def points(question: Question, knobs: Knobs | None = None) -> tuple[Point, ...]:
    """Share lost at every domain, number of sites and scheme; 1 where the model does not fit."""
    model = _model(question)
    link = WideLink(question.link_bytes_per_s, question.latency_s)
    found = []
    for domain in question.domains:
        for sites in question.sites:
            training = _train(question, domain, sites, knobs=knobs)
            for scheme, sync in SCHEMES.items():
                if sites == 1 and sync is not None:
                    continue
                lost = 1.0
                if training is not None:
                    lost = lost_over_sites(
                        training, model, sites, link, sync=sync, hidden_share=question.hidden_share
                    )
                found.append(Point(domain, sites, scheme, lost))
    return tuple(found)


def _reference(found: tuple[Point, ...]) -> float:
    """Share lost on one site at the middle domain."""
    alone = [point for point in found if point.sites == min(p.sites for p in found)]
    return alone[len(alone) // 2].lost


def _word(question: Question, found: tuple[Point, ...]) -> Word:
    return by_share(sum(point.lost <= question.limit for point in found) / len(found))


def measure(question: Question) -> tuple[float, Word]:
    """Share lost at the middle domain on one site, and the verdict over all points."""
    found = points(question)
    return _reference(found), _word(question, found)


def answer(question: Question | None = None) -> CaseRecord:
    """Answer the case."""
    question = question or Question()
    found = points(question)
    word = _word(question, found)
    chip = load_chips()[question.chip]
    generator = np.random.default_rng(question.seed)
    drawn = drawn_knobs([chip], load_calibration(), generator, question.draws)[0]
    each = [points(question, one_draw(drawn, draw)) for draw in range(question.draws)]
    low, high = percentiles([_reference(one) for one in each])
    middle = question.domains[len(question.domains) // 2]
    return CaseRecord(
        name=NAME,
        title="What does a 2 T sparse model lose to synchronization?",
        asked=ASKED,
        answer=_sentence(question, found, word),
        metric=Metric(
            f"share of the step lost on {question.chip}, domain {middle}, one site", "share", _reference(found), low, high
        ),
        judgment=judged(
            word, _RULE, [_word(question, one) for one in each], "coefficients from the fit's covariance; layouts searched anew"
        ),
        thresholds=_thresholds(question, drawn),
        tables=(_shape(question), _inside(question), _between(question, found), _sizes(question)),
        plots=(_plot_domains(question), _plot_sites(question, found)),
        sways=Measured(measure).sways(question, _CHANGES),
        assumed=(
            (f"Shape: proportions of {question.base}, active ~ total^{fitted_exponent():.2f} as over the fine-grained sparse models "
            "of the catalogue; layers and widths grow with the cube root of the active ratio, experts bring the total"),
            "The domain is swept with the chip's own link bandwidth; what lies beyond it uses the chip's network",
            "Sites share chips and batch equally and form a ring; gradients cross in two bytes a parameter",
        ),
        calibration=fit_of(load_calibration()),
    )  # fmt: skip


def _sentence(question: Question, found: tuple[Point, ...], word: Word) -> str:
    alone = [point for point in found if point.sites == 1]
    inside = ", ".join(f"{point.lost:.0%} at a domain of {point.domain:,}" for point in alone)
    most = max(question.sites)
    far = [point for point in found if point.sites == most and point.domain == question.domains[1]]
    outside = ", ".join(f"{point.lost:.0%} with {point.scheme}" for point in far)
    within = sum(point.lost <= question.limit for point in found)
    return (
        f"The claim {word}: {within} of {len(found)} points are within {question.limit:.0%}. On one site "
        f"{question.cluster_chips:,.0f} {question.chip} lose {inside}; on {most} sites at a domain of {question.domains[1]} {outside} "
        f"when each site sends {8 * question.link_bytes_per_s / 1e12:g} Tbit/s."
    )


def _thresholds(question: Question, drawn: Knobs) -> tuple[Threshold, ...]:
    alone = [(domain, _train(question, domain)) for domain in _SWEPT_DOMAINS]
    short = [place for place, (_, one) in enumerate(alone) if one is None or one.lost_share > question.limit]
    first = short[-1] + 1 if short else 0
    flips = [
        Threshold(
            "scale-up domain on one site",
            "chips",
            float(alone[first][0]) if first < len(alone) else None,
            f"from here on at most {question.limit:.0%} of the step is lost (domains of 8 to 9,216)",
        )
    ]
    for sites in question.sites:
        if sites == 1:
            continue
        needed = _bandwidths(question, sites)
        each = [_bandwidths(question, sites, one_draw(drawn, draw)) for draw in range(question.draws)]
        for scheme, value in needed.items():
            flips.append(
                Threshold(
                    f"bandwidth out of each of {sites} sites, {scheme}",
                    "Tbit/s",
                    value if np.isfinite(value) else None,
                    f"from here on at most {question.limit:.0%} is lost at a domain of {question.domains[1]}",
                    *percentiles([one[scheme] for one in each]),
                )
            )
    return tuple(flips)


def _bandwidths(question: Question, sites: int, knobs: Knobs | None = None) -> dict[str, float]:
    """Tbit/s out of a site at which the limit is just kept, by scheme; infinite where the site alone loses more."""
    training = _train(question, question.domains[1], sites, knobs=knobs)
    if training is None or training.lost_share >= question.limit:
        return dict.fromkeys(SCHEMES, np.inf)
    left = 1 - (1 - question.limit) / (1 - training.lost_share)
    every = OuterSync(inner_steps=1.0, bits=16.0, overlap_steps=question.hidden_share)
    total = float(parameters(_model(question)).total)
    return {
        scheme: 8e-12
        * float(
            bandwidth_needed_bytes_per_s(
                left, training.step_s, total, sites, latency_s=question.latency_s, sync=sync or every
            )
        )
        for scheme, sync in SCHEMES.items()
    }


def _shape(question: Question) -> Table:
    model = _model(question)
    count = parameters(model)
    rows: tuple[tuple[Value, ...], ...] = (
        ("total parameters, T", float(count.total) / 1e12),
        ("active parameters, B", float(count.active) / 1e9),
        ("layers", model.layers),
        ("width", model.hidden),
        ("experts", model.experts),
        ("experts per token", model.top_k),
        ("width of an expert", model.expert_ffn),
        ("state while training, TB", 18 * float(count.total) / 1e12),
    )
    return Table(
        "The model",
        ("", "value"),
        rows,
        "State: 2 bytes of weight, 4 of gradient and 12 of optimizer a parameter.",
    )


def _inside(question: Question) -> Table:
    rows: list[tuple[Value, ...]] = []
    for name in dict.fromkeys((question.chip, "TPU7x-Ironwood")):
        asked = replace(question, chip=name)
        for domain in question.domains:
            one = _train(asked, domain)
            if one is None:
                rows.append((name, domain, None, None, None, None, None, None, "does not fit"))
                continue
            rows.append(
                (
                    name, domain, one.lost_share, one.messages_s / one.step_s, one.bubble_s / one.step_s, one.step_s,
                    one.tokens_per_s_per_chip, one.memory_bytes / 1e9, one.layout,
                )
            )  # fmt: skip
    return Table(
        f"One site of {question.cluster_chips:,.0f} chips: the fastest layout",
        ("chip", "domain", "lost", "messages", "bubble", "step, s", "tokens/s/chip", "GB per chip", "layout"),
        tuple(rows),
        f"Batch of {question.batch_tokens / 1e6:g} M tokens, {question.precision.upper()} products. Lost = messages + bubble, as "
        "shares of the step. The fastest layout is not always the one that waits least.",
    )


def _penalty(sites: int, scheme: str) -> float | None:
    """Compute that makes good the loss of rare synchronization, from the largest published run with so many replicas."""
    if sites == 1 or scheme == _SYNCHRONOUS:
        return 1.0
    rare = 30 if scheme == _DILOCO else 100
    known = [row for row in PUBLISHED_PENALTIES if row.replicas == sites and row.inner_steps == rare]
    if not known:
        return None
    largest = max(known, key=lambda row: row.parameters)
    return float(equal_loss_compute(max(largest.penalty_share, 0.0), LOSS_EXPONENT_COMPUTE))


def _between(question: Question, found: tuple[Point, ...]) -> Table:
    rows: list[tuple[Value, ...]] = []
    for sites in question.sites:
        for scheme in SCHEMES if sites > 1 else (_SYNCHRONOUS,):
            own = [p.lost for p in found if p.sites == sites and p.scheme == scheme]
            rows.append((sites, scheme, *own, _penalty(sites, scheme)))
    return Table(
        f"Several sites, {8 * question.link_bytes_per_s / 1e12:g} Tbit/s out of each: share of the step lost",
        (
            "sites",
            "synchronized",
            *(f"domain {domain:,}" for domain in question.domains),
            "compute at equal loss",
        ),
        tuple(rows),
        "Inside and between sites together. Compute at equal loss: from the largest published run with as many replicas (10 B "
        "parameters and less), a gain counted as none; an extrapolation by two orders of magnitude.",
    )


def _sizes(question: Question) -> Table:
    rows: list[tuple[Value, ...]] = []
    domain = load_chips()[question.chip].scale_up_domain
    sizes = [2.0**power for power in range(10, 18)]
    days: list[tuple[float, float]] = []
    for chips in sizes:
        one = _train(question, domain, chips=chips)
        if one is None:
            rows.append((chips, None, None, None, None))
            continue
        days.append((chips, training_days(question.chip, question.tokens, chips, one.tokens_per_s_per_chip)))
        rows.append((chips, days[-1][1], one.lost_share, one.tokens_per_s_per_chip, one.memory_bytes / 1e9))
    needed = "; ".join(f"{target} days need {_chips_for(days, target)} chips" for target in (30, 90, 180))
    return Table(
        f"Chips and days for {question.tokens / 1e12:g} T tokens on {question.chip}, one site",
        ("chips", "days", "lost", "tokens/s/chip", "GB per chip"),
        tuple(rows),
        f"Failures and restarts counted. By interpolation {needed}.",
    )


def _chips_for(days: list[tuple[float, float]], target: float) -> str:
    """Chips that finish in so many days, log-linear between the sizes swept."""
    for (few, slow), (many, fast) in pairwise(days):
        if slow >= target >= fast:
            weight = log(slow / target) / log(slow / fast)
            return f"{exp(log(few) + weight * log(many / few)):,.0f}"
    return f"under {days[0][0]:,.0f}" if days and days[0][1] < target else f"over {days[-1][0]:,.0f}"


def _plot_domains(question: Question) -> Plot:
    found = []
    for name in dict.fromkeys((question.chip, "TPU7x-Ironwood")):
        for domain in _SWEPT_DOMAINS:
            one = _train(replace(question, chip=name), domain)
            if one is not None:
                found.append((name, float(domain), one.lost_share))
    return Plot(
        "Share of the step lost on one site", "chips in the scale-up domain", "lost", tuple(found), log_x=True,
        level=question.limit, level_name="limit",
    )  # fmt: skip


def _plot_sites(question: Question, found: tuple[Point, ...]) -> Plot:
    domain = question.domains[1]
    alone = [point.lost for point in found if point.sites == 1 and point.domain == domain]
    rows = [(scheme, "1", lost) for lost in alone for scheme in SCHEMES]
    rows += [(p.scheme, str(p.sites), p.lost) for p in found if p.domain == domain and p.sites > 1]
    return Plot(
        f"Share of the step lost over sites, domain {domain}", "sites", "lost", tuple(rows),
        level=question.limit, level_name="limit",
    )  # fmt: skip


_CHANGES = (
    Change("batch", "64 M tokens", "DeepSeek-V3: 63 M", (("16 M", {"batch_tokens": 16e6}), ("256 M", {"batch_tokens": 256e6}))),
    Change("chips", "16,384", "Llama 3 405B", (("4,096", {"cluster_chips": 4096.0}), ("65,536", {"cluster_chips": 65536.0}))),
    Change("bandwidth out of a site", "10 Tbit/s", "assumed; a fiber pair carries 30", (("1 Tbit/s", {"link_bytes_per_s": 1.25e11}), ("100 Tbit/s", {"link_bytes_per_s": 1.25e13}))),
    Change("part of a step beside which gradients cross", "2/3: the backward pass", "assumed", (("none", {"hidden_share": 0.0}),)),
    Change("chip", "GB200", "catalogue", (("TPU v7x", {"chip": "TPU7x-Ironwood"}), ("H100", {"chip": "H100-SXM"}))),
    Change("precision of products", "FP8", "DeepSeek-V3", (("BF16", {"precision": "bf16"}),)),
    Change("growth of active parameters", "fitted over the catalogue", "models.csv", (("total^0.5", {"exponent": 0.5}), ("total^0.9", {"exponent": 0.9}))),
    Change("limit", "25 %", "the claim", (("10 %", {"limit": 0.10}), ("50 %", {"limit": 0.50}))),
)  # fmt: skip
