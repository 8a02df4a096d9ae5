"""A training job of any size on chips of the catalogue: its shape, what the chips deliver on it, whether it fits."""

from __future__ import annotations

import math
from dataclasses import dataclass

from exaplan.domain.calibration import Calibration
from exaplan.domain.technology import Chip, Model
from exaplan.io.catalogue import load_models
from exaplan.perf.counts import parameters
from exaplan.perf.dense_shape import scaled_dense
from exaplan.perf.estimate import survey
from exaplan.perf.giant import active_exponent, scaled
from exaplan.perf.goodput import Recovery, failure_rate_of, goodput_share
from exaplan.perf.knobs import chip_class
from exaplan.perf.machine import Precision
from exaplan.perf.training import TrainRequest

FINE_GRAINED = 32
"""Routed experts from which on a model counts in the scaling of active with total parameters."""
RECOVERY = Recovery(write_s=5.0, restart_s=900.0, straggler_share=0.0)
"""Checkpoints stop the work for 5 s, a failure for 15 minutes; stragglers are in the coefficients. Assumed."""
DENSE_BASE, SPARSE_BASE = "llama3-70b", "DeepSeek-V3"
SEQUENCE_TOKENS = 8192.0
_BATCH_COEFFICIENT, _BATCH_EXPONENT = 0.2920, 0.3271
_BATCH_MOST = 256e6
_LOG2_CHIPS = 22  # four million chips
_DAY_S = 86400.0


@dataclass(frozen=True)
class Job:
    """A training job as the engine sees it."""

    model: Model
    chips: float
    flop_per_s_per_chip: float  # 6 N x tokens/s, before failures; 0 where it does not fit
    log_sd: float
    goodput: float
    layout: str
    memory_bytes: float
    batch_tokens: float
    reason: str  # why it does not fit; empty where it does
    spread: str
    days: float = math.inf

    @property
    def fits(self) -> bool:
        """Whether some layout fits in memory."""
        return not self.reason


def batch_tokens(flop: float) -> float:
    """Batch of a training budget, tokens: 0.292 C^0.3271 (DeepSeek LLM, arXiv 2401.02954), at most 256 M.

    Fitted up to 3e20 FLOP; beyond it is an extrapolation.
    """
    return float(min(_BATCH_COEFFICIENT * flop**_BATCH_EXPONENT, _BATCH_MOST))


def fitted_exponent() -> float:
    """Exponent b of active ~ total^b over the fine-grained sparse models of the catalogue."""
    return active_exponent([model for model in load_models().values() if model.experts >= FINE_GRAINED])


def shape_of(active: float, total: float) -> Model:
    """Model of that many parameters in the proportions of a published dense or sparse one.

    A sparse shape keeps the fitted growth of active with total parameters where that is what was asked; else the exponent
    is the one that brings active parameters where they are asked.
    """
    models = load_models()
    if total <= active * 1.01:
        return scaled_dense(models[DENSE_BASE], active)
    base = models[SPARSE_BASE]
    count = parameters(base)
    grown = math.log(total / float(count.total))
    exponent = math.log(active / float(count.active)) / grown if abs(grown) > 0.05 else fitted_exponent()
    return scaled(base, total, exponent=exponent)


def plan_job(
    sizes: tuple[float, ...],
    chip: Chip,
    *,
    days: float | None,
    chips: float | None,
    precision: Precision,
    calibration: Calibration | None,
) -> Job:
    """Search the job on the fewest chips that hold it and finish in so many days, or on as many chips as are given.

    More chips deliver less each and fail more often, so the days fall and rise again: where no number is quick enough, the
    quickest is taken. ``sizes`` are active and total parameters and tokens.
    """
    active, total, tokens = sizes
    model = shape_of(active, total)
    searched: dict[float, Job] = {}

    def at(count: float) -> Job:
        if count not in searched:
            searched[count] = _job(
                model, 6 * active * tokens, count, chip, precision=precision, calibration=calibration
            )
        return searched[count]

    def taken(count: float) -> float:
        return at(count).days

    if chips is not None:
        return at(_blocks(chips))
    limit = days if days is not None else math.inf
    counts = sorted({_blocks(2.0 ** (step / 2)) for step in range(6, 2 * _LOG2_CHIPS + 1)})
    quick = [count for count in counts if taken(count) <= limit]
    if not quick:
        quickest = min(counts, key=taken)
        return at(quickest if taken(quickest) < math.inf else counts[-1])
    high = quick[0]
    low = max((count for count in counts if count < high), default=high)
    for _ in range(6):
        middle = _blocks((low + high) / 2)
        if middle in (low, high):
            break
        low, high = (low, middle) if taken(middle) <= limit else (middle, high)
    return at(high)


def _job(
    model: Model,
    flop: float,
    count: float,
    chip: Chip,
    *,
    precision: Precision,
    calibration: Calibration | None,
) -> Job:
    """Search the job on a number of chips."""
    batch = max(batch_tokens(flop), SEQUENCE_TOKENS)
    request = TrainRequest(SEQUENCE_TOKENS, batch, count)
    found = survey(model, chip, request, precision=precision, calibration=calibration, top=1)
    failures = failure_rate_of(chip_class(chip))
    kept = float(goodput_share(count, mtbf_chip_s=failures.mtbf_chip_s, recovery=RECOVERY))
    if not found.estimates:
        return Job(model, count, 0.0, 0.0, kept, "", math.nan, batch, found.reason or "no layout", "")
    best = found.estimates[0]
    rate = best.tokens_per_s_per_chip * 6 * float(parameters(model).active)
    days = flop / (count * rate * kept) / _DAY_S if rate * kept > 0 else math.inf
    return Job(
        model, count, rate, best.log_sd or 0.0, kept, best.configuration, best.memory_bytes, batch, "", best.spread, days
    )  # fmt: skip


def _blocks(chips: float) -> float:
    """Round up to 8 chips, to 64 above a thousand and to 1,024 above ten thousand."""
    step = 8 if chips <= 1024 else 64 if chips <= 10240 else 1024
    return float(max(math.ceil(chips / step), 1) * step)
