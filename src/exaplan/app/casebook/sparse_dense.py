"""Whether 'sparse suits GPUs, dense suits TPUs' holds, and for which expert widths, batches and domains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from exaplan.app.casebook.asking import Change, Measured, fit_of, judged, percentiles
from exaplan.app.casebook.sparse_dense_page import by_chip, by_point, plot, sentence, thresholds
from exaplan.capability.laws import ABNAR, SparseLaw
from exaplan.domain.casebook import (
    Asked,
    CaseRecord,
    Metric,
    Word,
)
from exaplan.domain.technology import Chip
from exaplan.io.calibration import load_calibration
from exaplan.io.catalogue import load_chips, load_models
from exaplan.perf.calibration.coefficients import calibrated_knobs
from exaplan.perf.calibration.draws import drawn_knobs, drawn_residuals
from exaplan.perf.codesign.cells import Workload
from exaplan.perf.codesign.contested import Contested, Draws, contested
from exaplan.perf.codesign.sparsity import Contest, Sweep, sparse_versus_dense, verdict
from exaplan.perf.knobs import Knobs
from exaplan.perf.serving import ServeRequest
from exaplan.perf.shapes import Array
from exaplan.perf.training import TrainRequest

NAME = "sparse-gpu-dense-tpu"
ASKED = Asked(
    question="Why does a mixture of experts run so badly on a TPU: do sparse models suit GPUs and dense ones TPUs?",
    claim="Sparse suits GPUs, dense suits TPUs.",
    date="2025-12-26",
    where="adhyayan.blogspot.com, 'Why MoE breaks the systolic dream'; also readers of interconnects.ai in 2023-12",
)
_RULE = (
    "holds: at 90 % of the points or more sparse is cheaper on every GPU and dense on every systolic chip; "
    "fails: at 10 % of the points or fewer sparse even gains more on GPUs than on systolic chips; depends otherwise. "
    "A point is an expert width, a batch and a scale-up domain at which every chip can run both models"
)


@dataclass(frozen=True)
class Question:
    """Inputs of the case; lengths in tokens, batches in sequences per chip."""

    chips: tuple[str, ...] = (
        "H100-SXM", "GB200-NVL72", "TPU-v5p", "TPU-v6e-Trillium", "TPU7x-Ironwood", "Trainium2", "Trainium3",
    )  # fmt: skip
    model: str = "Qwen3-30B-A3B"
    widths: tuple[int, ...] = (256, 768, 1536, 2048)
    batches: tuple[float, ...] = (4.0, 16.0, 64.0, 256.0)
    domains: tuple[int, ...] = (8, 72, 9216)
    trained_tokens: float = 30e12
    served_tokens: float = 1e15
    tpot_s: float = 0.05
    input_tokens: float = 4000.0
    output_tokens: float = 1000.0
    replica_chips_max: float = 64.0
    law: SparseLaw = ABNAR
    exponent_log_sd: float = 0.05
    draws: int = 150
    seed: int = 20261122


def _records(question: Question) -> list[Chip]:
    chips = load_chips()
    return [chips[name] for name in question.chips]


def _workload(question: Question) -> Workload:
    return Workload(
        ServeRequest(question.input_tokens, question.output_tokens, tpot_s=question.tpot_s),
        TrainRequest(4096.0, 4e6, 256.0),
        question.served_tokens,
        replica_chips_max=question.replica_chips_max,
    )


def _draws(question: Question, chips: Sequence[Chip]) -> Draws:
    calibration, generator = load_calibration(), np.random.default_rng(question.seed)
    count = question.draws
    laws = question.law.drawn(generator, count, exponent_log_sd=question.exponent_log_sd)
    knobs = drawn_knobs(chips, calibration, generator, count)
    both: list[dict[str, Array]] = [
        {
            family: drawn_residuals(chips, calibration, generator, count, task=task, family=family)
            for family in ("dense", "moe")
        }
        for task in ("throughput", "pretrain")
    ]
    return Draws(knobs, both[0], both[1], [laws.pick(draw) for draw in range(count)])


def _fitted(chip: Chip) -> Knobs:
    return calibrated_knobs(chip, load_calibration())


def contest(question: Question) -> Contest:
    """Play the contest with fitted coefficients."""
    return sparse_versus_dense(
        _records(question),
        load_models()[question.model],
        _workload(question),
        question.law,
        reference_tokens=question.trained_tokens,
        sweep=Sweep(widths=question.widths, batches=question.batches, domains=question.domains),
        knobs=_fitted,
    )


def _drawn_contest(question: Question) -> Contested:
    """Play it, and again under every draw."""
    chips = _records(question)
    return contested(
        chips,
        load_models()[question.model],
        _workload(question),
        question.law,
        knobs=[_fitted(chip) for chip in chips],
        plain=contest(question),
        reference_tokens=question.trained_tokens,
        draws=_draws(question, chips),
    )


def measure(question: Question) -> tuple[float, Word]:
    """Share of points where sparse gains more on GPUs, and the verdict."""
    found = verdict(contest(question))
    return found.comparative_share, found.word


def answer(question: Question | None = None) -> CaseRecord:
    """Answer the case."""
    question = question or Question()
    played = _drawn_contest(question)
    found = verdict(played.contest)
    words, shares, beaten = _drawn_words(played, question.draws)
    low, high = percentiles(shares)
    drawn = (
        "coefficients from the fit's covariance, the spread it leaves (one factor per class of chip, family and phase), "
        "and the exponents of the loss law"
    )
    if beaten:
        drawn += f"; in {beaten} draws no dense model reaches the loss: the claim fails there"
    return CaseRecord(
        name=NAME,
        title="Do sparse models suit GPUs and dense models TPUs?",
        asked=ASKED,
        answer=sentence(played.contest, found),
        metric=Metric(
            "share of points where sparse gains more on GPUs than on systolic chips",
            "share",
            found.comparative_share,
            low,
            high,
        ),
        judgment=judged(found.word, _RULE, words, drawn),
        thresholds=thresholds(played, found, question.draws),
        tables=(by_chip(played.contest, found), by_point(played.contest, found)),
        plots=(plot(played.contest),),
        sways=Measured(measure).sways(question, _CHANGES),
        assumed=(
            (
                "Equal loss by the sparsity law of Abnar et al. with the granularity of Krajewski et al.; the best of four "
                "dense models, on half to four times the tokens, stands against each sparse one"
            ),
            (
                "Both phases count: serving at the latency limit in FP8 where the chip has it, training in BF16, spread over "
                "the tokens served in the model's life"
            ),
            "The domain is swept on every chip, also where no such product is sold; costs are chip-seconds, not dollars",
        ),
        calibration=fit_of(load_calibration()),
    )


def _drawn_words(played: Contested, draws: int) -> tuple[list[Word], list[float], int]:
    """Word and share of every draw; a draw in which no dense model reaches the loss fails."""
    words: list[Word] = []
    shares: list[float] = []
    beaten = 0
    for draw in range(draws):
        one = played.drawn(draw)
        if not np.isfinite(one.dense).any():
            words.append("fails")
            beaten += 1
            continue
        found = verdict(one)
        words.append(found.word)
        shares.append(found.comparative_share)
    return words, shares, beaten


_GPUS, _TPUS = ("H100-SXM", "GB200-NVL72"), ("TPU-v5p", "TPU-v6e-Trillium", "TPU7x-Ironwood")
_CHANGES = (
    Change(
        "chips compared",
        "seven chips of three vendors",
        "catalogue",
        (
            ("H100 against TPU v5p", {"chips": ("H100-SXM", "TPU-v5p")}),
            ("GB200 against TPU v7x", {"chips": ("GB200-NVL72", "TPU7x-Ironwood")}),
            ("GPUs against TPUs alone", {"chips": _GPUS + _TPUS}),
            ("GPUs against Trainium alone", {"chips": (*_GPUS, "Trainium2", "Trainium3")}),
        ),
    ),
    Change(
        "sequences in flight per chip",
        "4 to 256",
        "assumed",
        (("4 alone", {"batches": (4.0,)}), ("256 alone", {"batches": (256.0,)})),
    ),
    Change(
        "expert width",
        "256 to 2,048",
        "published models: 512 to 2,048",
        (("256 alone", {"widths": (256,)}), ("2,048 alone", {"widths": (2048,)})),
    ),
    Change(
        "scale-up domain",
        "8, 72 and 9,216",
        "products: HGX, NVL72, TPU v7x pod",
        (("8 alone", {"domains": (8,)}), ("9,216 alone", {"domains": (9216,)})),
    ),
    Change(
        "tokens that the sparse model is trained on",
        "3e13",
        "Qwen3: 36 T",
        (("3e12", {"trained_tokens": 3e12}),),
    ),
    Change(
        "tokens served in the model's life",
        "1e15",
        "assumed",
        (("1e13", {"served_tokens": 1e13}), ("1e17", {"served_tokens": 1e17})),
    ),
    Change(
        "time per output token",
        "50 ms",
        "assumed",
        (("20 ms", {"tpot_s": 0.02}), ("200 ms", {"tpot_s": 0.2})),
    ),
    Change(
        "loss law",
        "sparsity and granularity",
        "arXiv 2501.12370, arXiv 2402.07871",
        (("sparsity alone", {"law": replace(ABNAR, fine=None)}),),
    ),
)
