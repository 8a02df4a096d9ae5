"""Whether the gains of model shape, kernels, silicon and layout multiply, or must be found together."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from exaplan.app.casebook.asking import Change, Measured, fit_of, judged
from exaplan.capability.laws import ABNAR
from exaplan.domain.casebook import (
    Asked,
    CaseRecord,
    Judgment,
    Metric,
    Plot,
    Table,
    Threshold,
    Value,
    Word,
)
from exaplan.io.calibration import load_calibration
from exaplan.io.catalogue import load_chips, load_models
from exaplan.perf.codesign.cells import Kernels, Layout, Workload
from exaplan.perf.codesign.drawing import Uncertainty
from exaplan.perf.codesign.inherited import Relatives, fitted_spread, inherited_knobs
from exaplan.perf.codesign.joint import CodesignResult, codesign
from exaplan.perf.codesign.shapes import Reference, with_depth, with_expert_width, with_experts
from exaplan.perf.codesign.silicon import Budget, Silicon, candidates
from exaplan.perf.codesign.space import Space, Weighing
from exaplan.perf.serving import ServeRequest
from exaplan.perf.training import TrainRequest

NAME = "joint-codesign"
ASKED = Asked(
    question="What do model and hardware gain when they are designed for each other, over what each gains on its own?",
    claim="Co-design multiplies: changed together, the layers gain more than the product of what each gains alone.",
    date="2025-05",
    where="DeepSeek-AI, 'Insights into DeepSeek-V3', arXiv 2505.09343, asks for hardware and models to be designed together",
)
_RULE = (
    "holds: the joint gain is at least the product of the single gains; fails: it is below, and the best choices of the "
    "single layers put together come within the margin of the joint optimum; depends: below, but the layers must still be "
    "chosen together"
)


@dataclass(frozen=True)
class Question:
    """Inputs of the case. The first tile and the first layout are the baseline's."""

    model: str = "Qwen3-30B-A3B"
    trained_tokens: float = 30e12
    served_tokens: float = 1e15
    tpot_s: float = 0.05
    tiles: tuple[int, ...] = (16, 128, 256)
    die_mm2: float = 800.0
    power_w: float = 800.0
    domain: int = 64
    base_tp: float = 2.0
    margin: float = 0.02
    exponent_log_sd: float = 0.05
    draws: int = 60
    seed: int = 20261122


def space(question: Question) -> Space:
    """Choices of the four layers."""
    model = load_models()[question.model]
    base = Silicon("base", 16, 1, 60e6, "hbm3e", 6, 450e9, domain=question.domain)
    chips = candidates(
        base,
        Budget(question.die_mm2, question.power_w),
        tiles=question.tiles,
        stacks=(4, 6),
        sram_bytes=(60e6,),
        links_bytes_per_s=(450e9, 900e9),
    )
    width = model.expert_ffn
    return Space(
        shapes=(
            model,
            with_expert_width(model, width // 2),
            with_expert_width(model, width * 2),
            with_experts(model, model.experts * 2),
            with_depth(model, model.layers * 2 // 3),
        ),
        kernels=(
            Kernels("bf16", "bf16", "bf16", fused=False),
            Kernels("fp8 to serve", "fp8", "bf16", fused=False),
            Kernels("fp8, fused", "fp8", "fp8", fused=True),
        ),
        silicon=chips,
        layouts=(
            Layout(f"experts cut, tp {question.base_tp:g}", tp=question.base_tp, spread=False),
            Layout("experts cut", spread=False),
            Layout("experts spread", spread=True),
            Layout("searched"),
        ),
    )


def _solve(question: Question, uncertainty: Uncertainty | None = None) -> CodesignResult:
    workload = Workload(
        ServeRequest(4000.0, 1000.0, tpot_s=question.tpot_s),
        TrainRequest(4096.0, 4e6, 256.0),
        question.served_tokens,
        replica_chips_max=32.0,
    )
    reference = Reference(load_models()[question.model], question.trained_tokens)
    return codesign(
        space(question),
        workload,
        ABNAR,
        reference,
        weighing=Weighing(chip=1.0),
        knobs=inherited_knobs(_relatives(), load_calibration()),
        uncertainty=uncertainty,
    )


def _relatives() -> Relatives:
    chips = load_chips()
    return Relatives(chips["H100-SXM"], chips["TPU-v6e-Trillium"])


def _uncertainty(question: Question) -> Uncertainty:
    """Coefficients and rates as the fit leaves them; loss laws drawn."""
    generator = np.random.default_rng(question.seed)
    laws = ABNAR.drawn(generator, question.draws, exponent_log_sd=question.exponent_log_sd)
    sparse = load_models()[question.model].experts > 0
    fitted = fitted_spread(_relatives(), load_calibration(), generator, question.draws, sparse=sparse)
    return Uncertainty([laws.pick(draw) for draw in range(question.draws)], fitted=fitted)


def _word(ratio: float, over_composed: float, margin: float) -> Word:
    if ratio >= 1:
        return "holds"
    return "depends" if over_composed >= 1 + margin else "fails"


def measure(question: Question) -> tuple[float, Word]:
    """Joint gain over the product of single gains, and the verdict."""
    found = _solve(question)
    return found.ratio, _word(found.ratio, found.over_composed, question.margin)


def answer(question: Question | None = None) -> CaseRecord:
    """Answer the case."""
    question = question or Question()
    found = _solve(question, _uncertainty(question))
    word = _word(found.ratio, found.over_composed, question.margin)
    interval = found.ratio_interval
    return CaseRecord(
        name=NAME,
        title="Do gains of co-design multiply?",
        asked=ASKED,
        answer=(
            f"The claim {word}: together the layers gain {found.joint_gain:.2f}x, the single gains multiply to "
            f"{found.product_of_gains:.2f}x, so the joint gain is {found.ratio:.2f} of the product. Against the best single "
            f"choices put together the joint optimum gains {_gain(found.over_composed)}."
        ),
        metric=Metric(
            "joint gain over the product of single gains",
            "ratio",
            found.ratio,
            interval.low if interval else None,
            interval.high if interval else None,
        ),
        judgment=_judgment(question, found, word),
        thresholds=_thresholds(question, found),
        tables=(_ways(found), _best(found)),
        plots=(_plot(found),),
        sways=Measured(measure).sways(question, _CHANGES),
        assumed=(
            "Every shape is trained to the loss of the reference under the law of Abnar et al. with Krajewski's granularity",
            "Every chip fills the same die area and power; a chip-second costs the same on all of them",
            (
                "Designed chips inherit the fitted coefficients of Hopper or of the TPU, without what a single chip deviates; "
                "mature software"
            ),
        ),
        calibration=fit_of(load_calibration()),
    )


def _gain(over: float) -> str:
    return f"{over - 1:.1%}" if np.isfinite(over) else "everything: those do not fit each other"


def _judgment(question: Question, found: CodesignResult, word: Word) -> Judgment:
    """Lay the verdict beside the word of every draw."""
    drawn = found.draws
    words: list[Word] = []
    what = "nothing was drawn"
    if drawn is not None:
        pairs = zip(drawn.ratio.tolist(), drawn.over_composed.tolist(), strict=True)
        words = [_word(ratio, over, question.margin) for ratio, over in pairs]
        what = (
            f"coefficients and rates of both kinds of matrix unit ({drawn.source}), exponents of the loss law"
        )
        if drawn.lost:
            what += f"; {drawn.lost} draws left out, since the baseline misses its limits there"
    return judged(word, _RULE, words, what)


def _thresholds(question: Question, found: CodesignResult) -> tuple[Threshold, ...]:
    over = found.over_composed_interval
    return (
        Threshold(
            "margin", "of the gain", _margin(found.over_composed),
            "with a wider margin than this the claim fails, with a narrower one it depends",
            *((_margin(over.low), _margin(over.high)) if over else (None, None)),
        ),
        Threshold(
            "single gains", "of each, in logarithm",
            math.log(found.joint_gain) / math.log(found.product_of_gains),
            f"so much of each would have to be left for their product to be the joint gain; margin {question.margin:.0%}",
        ),
    )  # fmt: skip


def _margin(over: float) -> float | None:
    return over - 1 if math.isfinite(over) else None


def _ways(found: CodesignResult) -> Table:
    rows: list[tuple[Value, ...]] = [(f"{one.layer} alone", one.gain, one.id) for one in found.singles]
    rows += [
        ("product of the four", found.product_of_gains, ""),
        ("the four best put together", found.composed_gain, _named(found, found.composed)),
        ("one layer after another", found.sequential_gain, _named(found, found.sequential)),
        ("all together", found.joint_gain, _named(found, found.joint)),
    ]
    base = _named(found, (0, 0, 0, 0))
    return Table("Gain over the baseline", ("changed", "gain", "choice"), tuple(rows), f"Baseline: {base}.")


def _named(found: CodesignResult, cell: tuple[int, int, int, int]) -> str:
    return "; ".join(found.space.names(cell))


def _best(found: CodesignResult) -> Table:
    rows = tuple((*names, gain) for names, gain in found.best_cells(5))
    return Table("The five best designs", ("shape", "kernels", "silicon", "layout", "gain"), rows)


def _plot(found: CodesignResult) -> Plot:
    ways: list[tuple[str, float]] = [(one.layer, one.gain) for one in found.singles]
    ways += [
        ("product", found.product_of_gains), ("put together", found.composed_gain),
        ("in turn", found.sequential_gain), ("jointly", found.joint_gain),
    ]  # fmt: skip
    points = tuple(("gain", name, gain) for name, gain in ways)
    return Plot("Gain over the baseline", "", "times cheaper", points)


_CHANGES = (
    Change("baseline's matrix unit", "tensor cores, 16 wide", "assumed", (("256 wide", {"tiles": (256, 128, 16)}), ("tensor cores alone", {"tiles": (16,)}))),
    Change("baseline's tensor parallelism", "2 ways", "assumed", (("8 ways", {"base_tp": 8.0}), ("1 way", {"base_tp": 1.0}))),
    Change("time per output token", "50 ms", "assumed", (("20 ms", {"tpot_s": 0.02}), ("200 ms", {"tpot_s": 0.2}))),
    Change("tokens served in the model's life", "1e15", "assumed", (("1e13: training counts", {"served_tokens": 1e13}),)),
    Change("power of a chip", "800 W", "assumed", (("500 W", {"power_w": 500.0}), ("1,200 W", {"power_w": 1200.0}))),
    Change("margin", "2 %", "assumed", (("10 %", {"margin": 0.10}),)),
)  # fmt: skip
