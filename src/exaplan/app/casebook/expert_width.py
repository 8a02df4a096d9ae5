"""How narrow an expert may be cut before a wide systolic array idles."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from exaplan.app.casebook.asking import Change, Measured, fit_of, judged, percentiles
from exaplan.domain.casebook import Asked, CaseRecord, Metric, Plot, Table, Threshold, Value, Word
from exaplan.io.calibration import load_calibration
from exaplan.io.catalogue import load_chips
from exaplan.perf.calibration.coefficients import calibrated_knobs
from exaplan.perf.calibration.draws import drawn_knobs
from exaplan.perf.codesign.sparsity import tile_fill
from exaplan.perf.kernels import product_s
from exaplan.perf.knobs import Knobs
from exaplan.perf.machine import Machine, machine_of
from exaplan.perf.shapes import Array

NAME = "expert-width-on-wide-arrays"
ASKED = Asked(
    question="Why does MFU on TPU fall so far when a mixture of experts has more and narrower experts of the same total size?",
    claim="An expert of width 768, cut 8 ways by tensor parallelism, wastes most of a 256-wide array.",
    date="2025-02-09",
    where="github.com/AI-Hypercomputer/maxtext, issue 1256 (experts of 14,336 cut to 2,048; 50 % MFU fell to 28 %)",
)
_RULE = (
    "holds: less than half of the multiply-adds of the cut expert are useful, and it runs at less than half the rate of the "
    "uncut one; fails: neither; depends: one of the two"
)
_HALF = 0.5
_CUTS = np.arange(16.0, 1025.0, 16.0)


@dataclass(frozen=True)
class Question:
    """Inputs of the case: one expert and the rows (tokens) that meet in it."""

    chip: str = "TPU-v6e-Trillium"
    width: int = 768
    split: int = 8
    hidden: int = 4096
    rows: float = 4096.0
    fused: bool = False  # gate and up projection in one product
    draws: int = 1000
    seed: int = 20261122


def _machine(question: Question) -> Machine:
    chip = load_chips()[question.chip]
    return machine_of(chip, "bf16", calibrated_knobs(chip, load_calibration()))


def used_share(question: Question, machine: Machine, cut: Array | float) -> Array:
    """Rate of a gated expert block whose width is cut to ``cut``, over the sustained rate of products.

    Padding, launches and memory traffic all count; broadcasts over cuts and drawn coefficients.
    """
    cut = np.asarray(cut, dtype=float)
    hidden, rows = float(question.hidden), question.rows
    if question.fused:
        up = product_s(rows, 2 * cut, hidden, machine)
    else:
        up = 2 * product_s(rows, cut, hidden, machine)
    seconds = up + product_s(rows, hidden, cut, machine)
    return np.asarray(2 * 3 * rows * hidden * cut / machine.product_flop_per_s / seconds)


def useful_share(question: Question, machine: Machine, cut: Array | float) -> Array:
    """Divide useful by performed multiply-adds of the block, exactly: padding to whole tiles alone. Broadcasts over cuts."""
    cut = np.asarray(cut, dtype=float)
    rows, hidden = question.rows, float(question.hidden)
    up = tile_fill(rows, 2 * cut if question.fused else cut, hidden, machine)
    performed = 2 * cut / up + cut / tile_fill(rows, hidden, cut, machine)
    return np.asarray(3 * cut / performed)


def _word(useful: float, kept: float) -> Word:
    wasted, slow = useful < _HALF, kept < _HALF
    if wasted and slow:
        return "holds"
    return "depends" if wasted or slow else "fails"


def _kept_share(question: Question, machine: Machine) -> Array:
    """Rate of the cut expert over that of the uncut one."""
    cut = used_share(question, machine, question.width / question.split)
    return np.asarray(cut / used_share(question, machine, question.width))


def measure(question: Question) -> tuple[float, Word]:
    """Count the useful share of multiply-adds, and give the verdict."""
    machine = _machine(question)
    useful = float(useful_share(question, machine, question.width / question.split))
    return useful, _word(useful, float(_kept_share(question, machine)))


def half_used_from(shares: Array) -> Array:
    """Narrowest swept cut from which on at least half of the rate is used. Axes of ``shares``: (draw,) cut."""
    short = np.asarray(shares) < _HALF
    last = np.where(short.any(axis=-1), short.shape[-1] - 1 - short[..., ::-1].argmax(axis=-1), -1)
    return np.where(last + 1 < _CUTS.size, _CUTS[np.minimum(last + 1, _CUTS.size - 1)], np.inf)


def answer(question: Question | None = None) -> CaseRecord:
    """Answer the case."""
    question = question or Question()
    machine, chip = _machine(question), load_chips()[question.chip]
    useful, word = measure(question)
    generator = np.random.default_rng(question.seed)
    drawn = drawn_knobs([chip], load_calibration(), generator, question.draws)[0]
    kept = float(_kept_share(question, machine))
    kepts = _kept_share(question, replace(machine, knobs=drawn)).tolist()
    cut = question.width / question.split
    return CaseRecord(
        name=NAME,
        title="How narrow may an expert be cut on a wide array?",
        asked=ASKED,
        answer=(
            f"The claim {word} on {question.chip}. A width of {question.width} cut {question.split} ways leaves {cut:g} "
            f"columns: {useful:.1%} of the multiply-adds of its products are useful, and the expert runs at {kept:.0%} of the "
            f"rate of the uncut one, memory traffic and launches counted."
        ),
        metric=Metric("useful share of the array's multiply-adds (counted, not fitted)", "share", useful),
        judgment=judged(
            word, _RULE, [_word(useful, each) for each in kepts], "coefficients from the fit's covariance"
        ),
        thresholds=_thresholds(question, machine, drawn),
        tables=(_by_chip(question),),
        plots=(_plot(question),),
        sways=Measured(measure).sways(question, _CHANGES),
        assumed=(
            (
                "A systolic array pads width and inner dimension to whole tiles; the weights of a tile stay for at least as "
                "many rows as it is wide"
            ),
            "Rows per expert are equal; imbalance is a matter of routing, not of the array",
            "What is compared is one chip's part of one expert; the all-reduce that a cut needs comes on top",
        ),
        calibration=fit_of(load_calibration()),
    )


def _thresholds(question: Question, machine: Machine, drawn: Knobs) -> tuple[Threshold, ...]:
    columns = Knobs(**{name: np.asarray(value)[:, None] for name, value in vars(drawn).items()})
    counted = float(half_used_from(useful_share(question, machine, _CUTS)))
    timed = half_used_from(_relative(question, machine))
    ends = percentiles(half_used_from(_relative(question, replace(machine, knobs=columns))).tolist())
    return (
        Threshold(
            "width of an expert over its split", "columns", counted,
            "from here on at least half of the multiply-adds are useful",
        ),
        Threshold(
            "width of an expert over its split", "columns", float(timed) if np.isfinite(timed) else None,
            f"from here on it runs at half the rate of an uncut expert of {question.width} or more", *ends,
        ),
    )  # fmt: skip


def _relative(question: Question, machine: Machine) -> Array:
    """Rate at every swept cut over that of the uncut expert. Axes: (draw,) cut."""
    whole = used_share(question, machine, np.array([float(question.width)]))
    return np.asarray(used_share(question, machine, _CUTS) / whole)


def _by_chip(question: Question) -> Table:
    rows: list[tuple[Value, ...]] = []
    for name in (
        "TPU-v5p",
        "TPU-v6e-Trillium",
        "TPU7x-Ironwood",
        "Trainium2",
        "Trainium3",
        "H100-SXM",
        "GB200-NVL72",
    ):
        asked = replace(question, chip=name)
        machine = _machine(asked)
        cuts = np.array([question.width / split for split in (1, 2, 4, 8)])
        useful = useful_share(asked, machine, cuts).tolist()
        used = used_share(asked, machine, cuts)
        rows.append((name, f"{machine.tile:.0f}", *useful, *(used / used[0])[1:].tolist()))
    return Table(
        f"An expert of {question.width} cut 1, 2, 4 and 8 ways",
        ("chip", "tile", "useful /1", "useful /2", "useful /4", "useful /8", "rate /2", "rate /4", "rate /8"),
        tuple(rows),
        "Useful: share of the multiply-adds, counted. Rate: over that of the uncut expert, with launches and memory traffic at "
        "the fitted coefficients; it falls on tensor cores too, where activations are read once per narrow product.",
    )


def _plot(question: Question) -> Plot:
    points = []
    for name in ("TPU-v5p", "TPU-v6e-Trillium", "H100-SXM"):
        shares = useful_share(question, _machine(replace(question, chip=name)), _CUTS)
        points += [(name, float(cut), float(value)) for cut, value in zip(_CUTS, shares, strict=True)]
    return Plot(
        "Useful multiply-adds of a cut expert",
        "columns left of an expert: width over split",
        "useful share",
        tuple(points),
        level=_HALF,
        level_name="half",
    )


_CHANGES = (
    Change("chip", "TPU v6e, 256-wide arrays", "catalogue", (("TPU v5p, 128-wide", {"chip": "TPU-v5p"}), ("H100", {"chip": "H100-SXM"}))),
    Change("split of one expert", "8 ways", "the question", (("4 ways", {"split": 4}), ("1 way: experts spread over ranks", {"split": 1}))),
    Change("expert width", "768", "Qwen3-30B-A3B", (("1,024", {"width": 1024}), ("2,048: DeepSeek-V3", {"width": 2048}))),
    Change("gate and up projection", "two products", "as in MaxText's grouped products", (("one product", {"fused": True}),)),
    Change("rows that meet in an expert", "4,096", "assumed: training or a long prefill", (("256", {"rows": 256.0}), ("32: decoding", {"rows": 32.0}))),
    Change("model width", "4,096", "Qwen3-235B-A22B", (("2,048", {"hidden": 2048}), ("7,168", {"hidden": 7168}))),
)  # fmt: skip
