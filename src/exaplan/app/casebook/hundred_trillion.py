"""Whether a sparse model of about 100 T parameters can be trained and served, on how many chips and at what price."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from exaplan.app.casebook.asking import Change, Measured, by_share, fit_of, judged, percentiles
from exaplan.app.casebook.giants import fitted_exponent, giant, machine_at, training_days
from exaplan.capability.laws import ABNAR
from exaplan.domain.casebook import Asked, CaseRecord, Metric, Plot, Table, Threshold, Value, Word
from exaplan.domain.technology import Model
from exaplan.io.calibration import load_calibration
from exaplan.io.catalogue import load_chips, load_rows
from exaplan.perf.calibration.draws import drawn_knobs, one_draw
from exaplan.perf.counts import parameters
from exaplan.perf.giant import Serving, Training, compute_optimal_tokens, serve_giant, train_giant
from exaplan.perf.knobs import Knobs
from exaplan.perf.machine import Precision
from exaplan.perf.serving import ServeRequest
from exaplan.perf.training import TrainRequest

NAME = "hundred-trillion-model"
ASKED = Asked(
    question="Which memory, which chips and which bill would a model of a hundred trillion parameters need?",
    claim="A sparse model of 100 T parameters can be trained within half a year on 131,072 chips of today and served for at "
    "most 10 USD per million tokens.",
    date="2021-04",
    where="Rajbhandari et al., 'ZeRO-Infinity', arXiv 2104.07857, on models of tens and hundreds of trillions of parameters",
)
_RULE = (
    "holds: it fits, trains within the days and serves within the price on every priced chip at every domain; fails: on none; "
    "depends otherwise"
)
_TERM = "3-year contract"
_TOTALS = (1e13, 2e13, 3e13, 5e13, 7e13, 1e14, 1.5e14, 2e14, 3e14, 5e14, 1e15)
_PLOTTED = (1e13, 3e13, 1e14, 3e14, 1e15)
TOKENS_PER_PARAMETER = 20.0
"""Of active parameters: the ratio of Hoffmann et al., arXiv 2203.15556, taken over to the active part; assumed."""


@dataclass(frozen=True)
class Question:
    """Inputs of the case."""

    total: float = 1e14
    base: str = "DeepSeek-V3"
    exponent: float | None = None
    chips: tuple[str, ...] = ("GB200-NVL72", "GB300-NVL72")
    unpriced: tuple[str, ...] = ("TPU7x-Ironwood",)
    domains: tuple[int, ...] = (8, 72, 9216)
    cluster_chips: float = 131072.0
    batch_tokens: float = 256e6
    sequence_tokens: float = 4096.0
    tokens: float | None = None  # 20 for each active parameter where None
    days_max: float = 182.0
    usd_max: float = 10.0  # per million tokens, input and output
    precision: Precision = "fp8"
    input_tokens: float = 8000.0
    output_tokens: float = 1000.0
    tpot_s: float = 0.1
    utilization: float = 0.5  # of the serving fleet
    replica_chips_max: float = 4096.0
    draws: int = 40
    seed: int = 20261122


@dataclass(frozen=True)
class Point:
    """One chip at one domain."""

    chip: str
    domain: int
    training: Training | None
    days: float
    serving: Serving | None
    usd: float | None  # per million tokens; None without a price, infinite where nothing fits


def _model(question: Question) -> Model:
    return giant(question.base, question.total, question.exponent)


def tokens_of(question: Question, model: Model) -> float:
    """Training tokens: as given, else 20 for each active parameter."""
    if question.tokens is not None:
        return question.tokens
    return TOKENS_PER_PARAMETER * float(parameters(model).active)


def price_of(chip: str) -> float | None:
    """Rent in USD per chip-hour on a three-year contract; None where the catalogue has none."""
    rows = [
        row
        for row in load_rows("prices")
        if row["chip"] == chip and row["term"] == _TERM and row["unit"] == "USD/chip/h"
    ]
    return float(max(rows, key=lambda row: row["date"])["price"]) if rows else None


def _point(question: Question, model: Model, chip: str, domain: int, knobs: Knobs | None = None) -> Point:
    train = machine_at(chip, domain, question.precision, knobs)
    request = TrainRequest(question.sequence_tokens, question.batch_tokens, question.cluster_chips)
    training = train_giant(model, train, request)
    days = np.inf
    if training is not None:
        tokens = tokens_of(question, model)
        days = training_days(chip, tokens, question.cluster_chips, training.tokens_per_s_per_chip)
    asked = ServeRequest(question.input_tokens, question.output_tokens, tpot_s=question.tpot_s)
    serving = serve_giant(model, train, asked, chips_max=question.replica_chips_max)
    price = price_of(chip)
    usd: float | None = None
    if price is not None:
        usd = np.inf if serving is None else serving.usd_per_million_tokens(price) / question.utilization
    return Point(chip, domain, training, days, serving, usd)


def points(
    question: Question, *, chips: tuple[str, ...] | None = None, knobs: dict[str, Knobs] | None = None
) -> tuple[Point, ...]:
    """Every chip at every domain."""
    model = _model(question)
    return tuple(
        _point(question, model, chip, domain, None if knobs is None else knobs[chip])
        for chip in (question.chips if chips is None else chips)
        for domain in question.domains
    )


def _kept(question: Question, point: Point) -> bool:
    return point.days <= question.days_max and point.usd is not None and point.usd <= question.usd_max


def _word(question: Question, found: tuple[Point, ...]) -> Word:
    return by_share(sum(_kept(question, point) for point in found) / len(found))


def _dearest(found: tuple[Point, ...]) -> float:
    return max(np.inf if point.usd is None else point.usd for point in found)


def measure(question: Question) -> tuple[float, Word]:
    """Highest price per million tokens over chips and domains, and the verdict."""
    found = points(question)
    return _dearest(found), _word(question, found)


def answer(question: Question | None = None) -> CaseRecord:
    """Answer the case."""
    question = question or Question()
    found = points(question)
    word = _word(question, found)
    records = [load_chips()[name] for name in question.chips]
    generator = np.random.default_rng(question.seed)
    drawn = drawn_knobs(records, load_calibration(), generator, question.draws)
    each = [
        points(
            question, knobs={name: one_draw(k, draw) for name, k in zip(question.chips, drawn, strict=True)}
        )
        for draw in range(question.draws)
    ]
    low, high = percentiles([_dearest(one) for one in each])
    return CaseRecord(
        name=NAME,
        title="Is a sparse model of 100 T parameters trainable and servable?",
        asked=ASKED,
        answer=_sentence(question, found, word),
        metric=Metric("highest price to serve over chips and domains", "USD per Mtok", _dearest(found), low, high),
        judgment=judged(
            word, _RULE, [_word(question, one) for one in each], "coefficients from the fit's covariance; layouts searched anew"
        ),
        thresholds=_thresholds(question, found),
        tables=(_shape(question), _training(question, found), _serving(question, found)),
        plots=(_plot(question),),
        sways=Measured(measure).sways(question, _CHANGES),
        assumed=(
            (f"Shape: proportions of {question.base}, active ~ total^{fitted_exponent():.2f} as over the fine-grained sparse models "
            "of the catalogue, which end at 1 T: two orders of magnitude are extrapolated"),
            (f"Prices: rent on a {_TERM} in the catalogue (estimates of 2025-08); {question.utilization:.0%} of the serving fleet's "
            "time is sold; power, staff and margin are inside the rent or left out"),
            "One site; failures stop the whole job, 15 minutes each, at the rate published for H100",
        ),
        calibration=fit_of(load_calibration()),
    )  # fmt: skip


def _sentence(question: Question, found: tuple[Point, ...], word: Word) -> str:
    count = parameters(_model(question))
    usd = [point.usd for point in found if point.usd is not None]
    days = [point.days for point in found]
    fleet = [point.serving.chips for point in found if point.serving is not None]
    replicas = f"replicas of {min(fleet):,} to {max(fleet):,} chips" if fleet else "no replica that fits"
    return (
        f"The claim {word}. With {float(count.active) / 1e9:,.0f} B of {float(count.total) / 1e12:.0f} T parameters active, "
        f"{tokens_of(question, _model(question)) / 1e12:.0f} T tokens take {min(days):.0f} to {max(days):.0f} days on "
        f"{question.cluster_chips:,.0f} chips; serving costs {min(usd):.2f} to {max(usd):.2f} USD per million tokens on {replicas}."
    )


def _thresholds(question: Question, found: tuple[Point, ...]) -> tuple[Threshold, ...]:
    words = [measure(replace(question, total=total))[1] for total in _TOTALS]
    kept = [total for total, word in zip(_TOTALS, words, strict=True) if word == "holds"]
    none = [total for total, word in zip(_TOTALS, words, strict=True) if word == "fails"]
    dearest, longest = _dearest(found), max(point.days for point in found)
    return (
        Threshold("total parameters", "T", max(kept) / 1e12 if kept else None, "largest swept with which the claim holds"),
        Threshold("total parameters", "T", min(none) / 1e12 if none else None, "smallest swept with which it fails"),
        Threshold("price", "USD per Mtok", dearest if np.isfinite(dearest) else None, "every chip and domain is within it"),
        Threshold("time to train", "days", longest if np.isfinite(longest) else None, "every chip and domain is within it"),
    )  # fmt: skip


def _shape(question: Question) -> Table:
    model = _model(question)
    count = parameters(model)
    best = compute_optimal_tokens(ABNAR, model)
    rows: tuple[tuple[Value, ...], ...] = (
        ("total parameters, T", float(count.total) / 1e12),
        ("active parameters, B", float(count.active) / 1e9),
        ("layers", model.layers),
        ("width", model.hidden),
        ("experts", model.experts),
        ("experts per token", model.top_k),
        ("width of an expert", model.expert_ffn),
        ("training tokens, T", tokens_of(question, model) / 1e12),
        ("compute-optimal tokens by the law of Abnar et al., T", best / 1e12),
        ("training compute, FLOP", 6 * float(count.active) * tokens_of(question, model)),
        ("state while training, TB", 18 * float(count.total) / 1e12),
        ("weights to serve in FP8, TB", float(count.total) / 1e12),
        ("weights to serve in FP4, TB", 0.5625 * float(count.total) / 1e12),
    )
    note = "State: 2 bytes of weight, 4 of gradient, 12 of optimizer a parameter. The law was fitted far below this size."
    return Table("The model", ("", "value"), rows, note)


def _training(question: Question, found: tuple[Point, ...]) -> Table:
    rows: list[tuple[Value, ...]] = []
    for point in (*found, *points(question, chips=question.unpriced)):
        one = point.training
        if one is None:
            rows.append((point.chip, point.domain, None, None, None, None, "does not fit"))
            continue
        rows.append(
            (
                point.chip, point.domain, point.days, one.lost_share, one.tokens_per_s_per_chip,
                one.memory_bytes / 1e9, one.layout,
            )
        )  # fmt: skip
    return Table(
        f"Training on {question.cluster_chips:,.0f} chips",
        ("chip", "domain", "days", "lost to synchronization", "tokens/s/chip", "GB per chip", "layout"),
        tuple(rows),
        f"Batch of {question.batch_tokens / 1e6:g} M tokens, {question.precision.upper()} products.",
    )


def _serving(question: Question, found: tuple[Point, ...]) -> Table:
    rows: list[tuple[Value, ...]] = []
    for point in (*found, *points(question, chips=question.unpriced)):
        one = point.serving
        if one is None:
            rows.append((point.chip, point.domain, None, None, None, None, None, "does not fit"))
            continue
        hours = one.usd_per_million_tokens(1.0) / question.utilization
        rows.append(
            (
                point.chip, point.domain, point.usd, hours, one.chips, one.memory_bytes / 1e9, 1e3 * one.tpot_s, one.layout,
            )
        )  # fmt: skip
    return Table(
        f"Serving {question.input_tokens:,.0f} + {question.output_tokens:,.0f} tokens within {1e3 * question.tpot_s:g} ms a token",
        (
            "chip",
            "domain",
            "USD per Mtok",
            "chip-hours per Mtok",
            "chips of a replica",
            "GB per chip",
            "TPOT, ms",
            "layout",
        ),
        tuple(rows),
        "Mtok counts input and output. A chip without a price in the catalogue has chip-hours alone.",
    )


def _plot(question: Question) -> Plot:
    rows = [
        (f"{point.chip.split('-')[0]}, domain {point.domain:,}", total / 1e12, point.usd)
        for total in _PLOTTED
        for point in points(replace(question, total=total))
        if point.domain in question.domains[1:] and point.usd is not None and np.isfinite(point.usd)
    ]
    return Plot(
        "Price to serve against size", "total parameters, T", "USD per Mtok", tuple(rows), log_x=True, log_y=True,
        level=question.usd_max, level_name="limit",
    )  # fmt: skip


_CHANGES = (
    Change("time per output token", "100 ms", "assumed", (("30 ms", {"tpot_s": 0.03}), ("300 ms", {"tpot_s": 0.3}))),
    Change("precision", "FP8", "DeepSeek-V3", (("FP4", {"precision": "fp4"}), ("BF16", {"precision": "bf16"}))),
    Change("growth of active parameters", "fitted over the catalogue", "models.csv", (("total^0.5", {"exponent": 0.5}), ("total^0.9", {"exponent": 0.9}))),
    Change("training tokens", "20 per active parameter", "arXiv 2203.15556, carried over", (("400 per active parameter, as DeepSeek-V3", {"tokens": 4.3e14}),)),
    Change("chips to train on", "131,072", "assumed", (("16,384", {"cluster_chips": 16384.0}),)),
    Change("share of serving time sold", "50 %", "assumed", (("25 %", {"utilization": 0.25}), ("100 %", {"utilization": 1.0}))),
    Change("chips of a replica, at most", "4,096", "assumed", (("512", {"replica_chips_max": 512.0}),)),
    Change("price limit", "10 USD per Mtok", "the claim", (("3 USD", {"usd_max": 3.0}),)),
)  # fmt: skip
