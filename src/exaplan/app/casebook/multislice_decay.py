"""How much training speed TPU v5e slices lose as they are joined over the data-center network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

import numpy as np

from exaplan.app.casebook.asking import Change, Measured, by_share, fit_of, judged, percentiles
from exaplan.domain.calibration import Calibration, Effect
from exaplan.domain.casebook import Asked, CaseRecord, Metric, Plot, Table, Threshold, Value, Word
from exaplan.domain.measured import Measurements, TrainingRow
from exaplan.io.calibration import load_calibration
from exaplan.io.measured import read_training
from exaplan.perf.calibration.fit import Sample, fit, predict, sample_of, slopes
from exaplan.perf.calibration.hierarchy import from_logit, to_logit
from exaplan.perf.calibration.interval import carried_over
from exaplan.perf.knobs import KNOBS
from exaplan.perf.shapes import Array

NAME = "tpu-multislice-decay"
ASKED = Asked(
    question="How much of a pod's training speed is left when up to 32 pods of 256 TPU v5e train one model over the "
    "data-center network?",
    claim="The model, without having seen it, reproduces the published decay within 10 %.",
    date="2024-08",
    where="MaxText configs/v5e/README.md; Google Cloud reported a job on 50,944 chips in 2023-11",
)
SOURCE = "MaxText configs/v5e/README.md"
SLOWDOWN = "slowdown_per_doubling"
_KEY = (SLOWDOWN, "class", "tpu")
_RULE = (
    "holds: the decay of every row is within the tolerance; fails: that of none; depends otherwise. Decay is the rate over "
    "that of the same model on the smallest cluster of the table; the rates come from a fit of the training table without "
    "this publisher's rows"
)
_SLOWDOWNS = np.arange(0.0, 0.0301, 0.0005)


@dataclass(frozen=True)
class Question:
    """Inputs of the case."""

    tolerance: float = 0.10
    held_out: bool = True
    network_bytes_per_s: float | None = None  # of a chip beyond its pod; the catalogue's where None
    slowdown_per_doubling: float | None = None  # of chips; the fit's where None
    draws: int = 500
    seed: int = 20261122


@dataclass(frozen=True)
class _Seen:
    """Rows and what is modelled; arrays over rows."""

    rows: tuple[TrainingRow, ...]
    sample: Sample
    effects: Array
    covariance: Array
    log_modelled: Array

    @property
    def log_measured(self) -> Array:
        return self.sample.log_measured

    def decays(self, logs: Array) -> Array:
        """Rate over that of the same model on its smallest cluster. Last axis: row."""
        models = [row.model.id for row in self.rows]
        first = np.array([models.index(model) for model in models])
        return np.asarray(np.exp(logs - logs[..., first]))

    @property
    def compared(self) -> Array:
        """Rows that are not their own reference."""
        models = [row.model.id for row in self.rows]
        return np.array([models.index(model) != place for place, model in enumerate(models)])

    def misses(self, logs: Array) -> Array:
        """Relative error of the decay of each compared row. Last axis: row."""
        return np.asarray(self.decays(logs) / self.decays(self.log_measured) - 1)[..., self.compared]


@lru_cache(maxsize=1)
def _without_source() -> Calibration:
    """Fit the training table without the rows of the question."""
    rows = tuple(row for row in read_training().training if row.source != SOURCE)
    found = fit(sample_of(Measurements(training=rows)))
    count = len(found.keys)
    effects = tuple(Effect(*key, float(value)) for key, value in zip(found.keys, found.effects, strict=True))
    covariance = found.covariance[:count, :count]
    shipped = load_calibration()
    data = f"{len(rows)} rows of the training table, all but those of {SOURCE}"
    return Calibration(shipped.date, data, effects, covariance, shipped.spreads)


def _rows(question: Question) -> tuple[TrainingRow, ...]:
    rows = [row for row in read_training().training if row.source == SOURCE]
    speed = question.network_bytes_per_s
    if speed is not None:
        rows = [
            replace(row, chip=row.chip.model_copy(update={"scale_out_bandwidth_bytes_per_s": speed}))
            for row in rows
        ]
    return tuple(sorted(rows, key=lambda row: (row.model.id, row.chips)))


def _calibration(question: Question) -> Calibration:
    found = _without_source() if question.held_out else load_calibration()
    if question.slowdown_per_doubling is None:
        return found
    moved = float(
        to_logit(SLOWDOWN, question.slowdown_per_doubling)
        - to_logit(SLOWDOWN, KNOBS["tpu"].slowdown_per_doubling)
    )
    others = tuple(
        e if (e.knob, e.level, e.member) != _KEY else replace(e, value=moved) for e in found.effects
    )
    return replace(found, effects=others)


def _see(question: Question) -> _Seen:
    rows = _rows(question)
    sample = sample_of(Measurements(training=rows))
    effects, covariance = carried_over(_calibration(question), sample.keys)
    return _Seen(rows, sample, effects, covariance, predict(sample, effects))


def _within(misses: Array, tolerance: float) -> Array:
    return np.asarray((np.abs(misses) <= tolerance).mean(axis=-1))


def measure(question: Question) -> tuple[float, Word]:
    """Share of decays within the tolerance, and the verdict."""
    seen = _see(question)
    share = float(_within(seen.misses(seen.log_modelled), question.tolerance))
    return share, by_share(share)


def answer(question: Question | None = None) -> CaseRecord:
    """Answer the case."""
    question = question or Question()
    seen = _see(question)
    share, word = measure(question)
    drawn = _drawn(question, seen)
    low, high = percentiles(drawn.tolist())
    return CaseRecord(
        name=NAME,
        title="How fast does training decay over joined TPU v5e pods?",
        asked=ASKED,
        answer=_sentence(question, seen, share, word),
        metric=Metric("share of decays within the tolerance", "share", share, low, high),
        judgment=judged(
            word, _RULE, [by_share(value) for value in drawn.tolist()],
            "effects of all coefficients from the covariance of the fit, rates linear in them",
        ),
        thresholds=_thresholds(question, seen),
        tables=(_table(seen),),
        plots=(_plot(seen),),
        sways=Measured(measure).sways(question, _CHANGES),
        assumed=(
            "Rates are tokens/s per chip, recomputed from the published TFLOP/s with full attention counted",
            "Data parallelism over pods, parameters sharded inside each, as the table says; the batch per chip is constant",
            "A chip has the same share of its host's network whatever the number of pods",
        ),
        calibration=_without_source().data if question.held_out else fit_of(load_calibration()),
    )  # fmt: skip


def _sentence(question: Question, seen: _Seen, share: float, word: Word) -> str:
    measured, modelled = seen.decays(seen.log_measured), seen.decays(seen.log_modelled)
    steepest = int(np.argmin(measured))
    row = seen.rows[steepest]
    levels = np.abs(np.exp(seen.log_modelled - seen.log_measured) - 1)
    return (
        f"The claim {word}: {share:.0%} of {int(seen.compared.sum())} decays are within {question.tolerance:.0%}. Measured, "
        f"{row.model.id} keeps {measured[steepest]:.1%} of its rate from its smallest cluster to {row.chips:,.0f} chips; modelled "
        f"{modelled[steepest]:.1%}. The rates themselves miss by {np.median(levels):.1%} in the median."
    )


def _thresholds(question: Question, seen: _Seen) -> tuple[Threshold, ...]:
    needed = float(np.abs(seen.misses(seen.log_modelled)).max())
    shares = np.array(
        [measure(replace(question, slowdown_per_doubling=float(value)))[0] for value in _SLOWDOWNS]
    )
    enough = _SLOWDOWNS[shares >= 1]
    index = seen.sample.keys.index(_KEY)
    start = to_logit(SLOWDOWN, KNOBS["tpu"].slowdown_per_doubling)
    now = float(from_logit(SLOWDOWN, start + seen.effects[index]))
    return (
        Threshold("tolerance", "of the decay", needed, "from here on every row is within it"),
        Threshold(
            "speed lost with each doubling of chips", "of the rate",
            float(enough[0]) if enough.size else None,
            f"least value with which every decay is reproduced; the fit has {now:.4f}",
        ),
    )  # fmt: skip


def _drawn(question: Question, seen: _Seen) -> Array:
    """Share of decays within the tolerance under each draw of the fit's effects."""
    generator = np.random.default_rng(question.seed)
    weight, vectors = np.linalg.eigh(seen.covariance)
    root = vectors * np.sqrt(np.maximum(weight, 0.0))
    moved = generator.standard_normal((question.draws, weight.size)) @ root.T
    logs = seen.log_modelled + moved @ slopes(seen.sample, seen.effects).T
    return _within(seen.misses(logs), question.tolerance)


def _table(seen: _Seen) -> Table:
    measured, modelled = seen.decays(seen.log_measured), seen.decays(seen.log_modelled)
    rows: list[tuple[Value, ...]] = [
        (
            row.model.id, row.chips, row.chips / row.chip.scale_up_domain, row.measured,
            float(np.exp(seen.log_modelled[i])), float(measured[i]), float(modelled[i]),
            float(modelled[i] / measured[i] - 1),
        )
        for i, row in enumerate(seen.rows)
    ]  # fmt: skip
    return Table(
        "Published against modelled",
        (
            "model",
            "chips",
            "pods",
            "measured tokens/s/chip",
            "modelled",
            "measured decay",
            "modelled decay",
            "error",
        ),
        tuple(rows),
        "Decay: rate over that of the same model on the smallest cluster of the table, which has error 0 by definition.",
    )


def _plot(seen: _Seen) -> Plot:
    measured, modelled = seen.decays(seen.log_measured), seen.decays(seen.log_modelled)
    names = [row.model.id for row in seen.rows]
    several = {one for one, other in pairwise(names) if one == other}
    kept = [(i, row) for i, row in enumerate(seen.rows) if row.model.id in several]
    return Plot(
        "Rate over that on the smallest cluster: lines modelled, dots measured",
        "chips",
        "relative tokens/s/chip",
        tuple((row.model.id, float(row.chips), float(modelled[i])) for i, row in kept),
        log_x=True,
        marks=tuple((row.model.id, float(row.chips), float(measured[i])) for i, row in kept),
    )


_CHANGES = (
    Change("tolerance", "10 %", "the claim", (("5 %", {"tolerance": 0.05}), ("20 %", {"tolerance": 0.20}))),
    Change(
        "network of a chip beyond its pod", "3.1 GB/s", "catalogue: 100 Gbit/s per host of four chips",
        (("1 GB/s", {"network_bytes_per_s": 1e9}), ("12.5 GB/s", {"network_bytes_per_s": 12.5e9})),
    ),
    Change(
        "speed lost with each doubling of chips", "as fitted", "calibration",
        (("nothing", {"slowdown_per_doubling": 0.0}), ("2 %", {"slowdown_per_doubling": 0.02})),
    ),
    Change(
        "what the fit has seen", "nothing of this table", "refit without the source",
        (("everything, these rows too", {"held_out": False}),),
    ),
)  # fmt: skip
