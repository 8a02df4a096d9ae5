"""Share of paid chip time that becomes training: failures, checkpoints, restarts, spares, and the chain of shares.

A run on n chips fails every M = MTBF/n on average, the failures being independent of each other and of age. Between
failures it stops for a checkpoint of delta seconds after every tau seconds of work; a failure costs the work since the
last checkpoint and a restart of R seconds. Times in seconds, all arguments broadcast. Sources: Young (1974), doi
10.1145/361147.361115; Daly (2006), doi 10.1016/j.future.2004.11.016; Kokolis et al. (2024), arXiv 2410.21680.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from exaplan.perf.shapes import Array, Number

HOUR_S = 3600.0


@dataclass(frozen=True)
class FailureRate:
    """Mean time between unexpected interruptions of a job, per chip in it, and where the figure comes from."""

    mtbf_chip_s: float
    kind: str  # measured or assumed
    source: str
    date: str


_ASSUMED = "no published rate for this family; taken as that of H100 in the Llama 3 run"

H100_LLAMA3 = FailureRate(
    54 * 24 * HOUR_S * 16_384 / 419,
    "measured",
    "419 unexpected interruptions in 54 days on 16,384 H100 (arXiv 2407.21783, section 3.3.4): 50,677 chip-hours",
    "2024-07",
)
A100_RSC1 = FailureRate(
    1000 / 6.50 * 24 * HOUR_S * 8,
    "measured",
    "6.50 failures per 1,000 node-days of 8 A100 on RSC-1 (arXiv 2410.21680): 29,538 chip-hours",
    "2024-10",
)
A100_RSC2 = FailureRate(
    1000 / 2.34 * 24 * HOUR_S * 8,
    "measured",
    "2.34 failures per 1,000 node-days of 8 A100 on RSC-2 (arXiv 2410.21680): 82,051 chip-hours",
    "2024-10",
)
FAILURE_RATES: dict[str, FailureRate] = {"ampere": A100_RSC1, "hopper": H100_LLAMA3}


def failure_rate_of(family: str) -> FailureRate:
    """Failure rate to start from for a family of chips; one without a published rate is labelled assumed.

    Examples
    --------
    >>> failure_rate_of("hopper").kind, round(failure_rate_of("hopper").mtbf_chip_s / 3600)
    ('measured', 50677)
    >>> failure_rate_of("trainium").kind
    'assumed'
    """
    known = FAILURE_RATES.get(family)
    return (
        known if known is not None else FailureRate(H100_LLAMA3.mtbf_chip_s, "assumed", _ASSUMED, "2026-11")
    )


@dataclass(frozen=True)
class Recovery:
    """How a run saves itself and comes back; numbers or arrays over cases."""

    write_s: Number
    """Time for which a checkpoint stops the work; 0 where it is copied out wholly behind the work."""
    restart_s: Number
    """From the failure to the first new step: detection, swap for a spare, reload, warm-up."""
    straggler_share: Number
    """Share of running time lost to slow chips that do not fail."""
    interval_s: Number | None = None
    """Work between two checkpoints; the best one where not given."""
    repair_s: Number = 0.0
    """Mean time until a failed unit is back in the pool of spares."""
    spares: Number = np.inf
    """Units that stand by; a run that finds none waits for the next repair."""
    chips_per_unit: Number = 1.0
    """Chips that leave together when one fails (node, tray)."""


def young_interval_s(write_s: Number, mtbf_s: Number) -> Array:
    """Work between checkpoints that loses least, to first order: sqrt(2 delta M) (Young 1974).

    Examples
    --------
    >>> float(young_interval_s(50.0, 10_000.0))
    1000.0
    """
    return np.asarray(np.sqrt(2 * np.asarray(write_s, dtype=float) * mtbf_s))


def daly_interval_s(write_s: Number, mtbf_s: Number) -> Array:
    """Work between checkpoints that loses least, to third order (Daly 2006).

    sqrt(2 delta M) [1 + sqrt(delta/2M)/3 + (delta/2M)/9] - delta while delta < 2M, else M.

    Parameters
    ----------
    write_s, mtbf_s : array or float
        Blocking time of one checkpoint and mean time between failures of the whole job.

    Returns
    -------
    array
        Seconds of work, the write not counted.
    """
    write, mtbf = np.asarray(write_s, dtype=float), np.asarray(mtbf_s, dtype=float)
    ratio = np.minimum(write / (2 * mtbf), 1.0)
    best = np.sqrt(2 * write * mtbf) * (1 + np.sqrt(ratio) / 3 + ratio / 9) - write
    return np.asarray(np.where(write < 2 * mtbf, best, mtbf))


def running_share(interval_s: Number, write_s: Number, restart_s: Number, mtbf_s: Number) -> Array:
    """Share of time that is kept work, exactly for failures without memory.

    tau / (M exp(R/M) (exp((tau + delta)/M) - 1)): Daly's complete model (2006), in which restarts and
    writes may fail too. As tau and delta go to 0 it tends to exp(-R/M): checkpoints that cost nothing leave only restarts.

    Parameters
    ----------
    interval_s, write_s, restart_s, mtbf_s : array or float
        Work between checkpoints, blocking write, restart, mean time between failures of the job.

    Returns
    -------
    array
        Share, 0..1.

    Examples
    --------
    >>> round(float(running_share(1000.0, 50.0, 0.0, 10_000.0)), 4)
    0.9033
    """
    mtbf = np.asarray(mtbf_s, dtype=float)
    work = np.maximum(np.asarray(interval_s, dtype=float), 1e-9 * mtbf)  # no 0/0 where writes are free
    with np.errstate(over="ignore"):  # a job that never lasts an interval keeps nothing: 1/inf
        cycle = mtbf * np.exp(np.asarray(restart_s, dtype=float) / mtbf) * np.expm1((work + write_s) / mtbf)
        return np.asarray(work / cycle)


def first_order_share(interval_s: Number, write_s: Number, restart_s: Number, mtbf_s: Number) -> Array:
    """Share of time that is kept work, to first order: 1 / [1 + delta/tau + (tau/2 + R)/M]; for hand checks."""
    interval, mtbf = np.asarray(interval_s, dtype=float), np.asarray(mtbf_s, dtype=float)
    return np.asarray(1 / (1 + write_s / interval + (interval / 2 + restart_s) / mtbf))


def ettr_share(interval_s: Number, restart_s: Number, mtbf_s: Number, *, queue_s: Number = 0.0) -> Array:
    """Effective training time ratio with writes hidden behind the work: [1 - (u0 + tau/2)/M] / (1 + q/M).

    The reading of Kokolis et al. (arXiv 2410.21680, section III): each run of mean length M loses the restart u0 and
    half an interval, and each requeue waits q. Linear in the losses, so it holds while they are well below M.
    """
    mtbf = np.asarray(mtbf_s, dtype=float)
    lost = (np.asarray(restart_s, dtype=float) + np.asarray(interval_s, dtype=float) / 2) / mtbf
    return np.asarray(np.maximum(1 - lost, 0.0) / (1 + queue_s / mtbf))


def in_service_share(mtbf_chip_s: Number, repair_s: Number, chips_per_unit: Number = 1.0) -> Array:
    """Share of units in service in the long run: MTBF / (MTBF + MTTR), a unit failing when any of its chips does.

    Examples
    --------
    >>> float(in_service_share(8 * 990.0, 10.0, 8))
    0.99
    """
    unit = np.asarray(mtbf_chip_s, dtype=float) / chips_per_unit
    return np.asarray(unit / (unit + repair_s))


def spare_shortage_share(load: Number, spares: Number) -> Array:
    """Share of failures that find every spare in repair: P(Poisson(load) >= spares).

    Units in repair are Poisson with mean load = failures per second x mean repair time, whatever the distribution of
    repair times (M/G/infinity; Palm 1943). The run does not fail while it waits, so this errs on the high side.

    Parameters
    ----------
    load, spares : array or float
        Mean units in repair, and spare units (rounded down); infinite spares never run out.

    Returns
    -------
    array
        Share, 0..1.
    """
    load, spares = np.broadcast_arrays(np.asarray(load, dtype=float), np.floor(spares))
    finite = np.isfinite(spares)
    held = np.where(finite, spares, 0.0)
    with np.errstate(divide="ignore"):
        log_load = np.log(load)
    total, term = np.full(load.shape, -np.inf), -load
    for count in range(int(held.max(initial=0.0))):  # over counts, not over rows
        total = np.where(count < held, np.logaddexp(total, term), total)
        term = term + log_load - math.log(count + 1)
    return np.asarray(np.where(finite, np.clip(-np.expm1(np.minimum(total, 0.0)), 0.0, 1.0), 0.0))


def mean_restart_s(chips: Number, mtbf_chip_s: Number, recovery: Recovery) -> Array:
    """Mean restart including the wait for a repair where no spare is left, seconds.

    R + P(no spare) MTTR/(spares + 1): with all spares and the failed unit in repair the first one back ends the wait
    (repair times without memory).
    """
    load = (
        np.asarray(chips, dtype=float) / mtbf_chip_s * recovery.repair_s
    )  # units fail at chips/MTBF, whatever their size
    wait = np.asarray(recovery.repair_s, dtype=float) / (np.asarray(recovery.spares, dtype=float) + 1)
    return np.asarray(recovery.restart_s + spare_shortage_share(load, recovery.spares) * wait)


def goodput_share(chips: Number, *, mtbf_chip_s: Number, recovery: Recovery) -> Array:
    """Share of busy time that is useful work, after failures, checkpoints, restarts and stragglers.

    Daly's complete model at the job's MTBF = MTBF per chip / chips, times 1 - stragglers. Spares are not in the
    denominator: chips standing by belong to ``allocated``.

    Parameters
    ----------
    chips : array or float
        Chips that work in lockstep: any one failing stops all.
    mtbf_chip_s : array or float
        Mean time between interruptions per chip.
    recovery : Recovery
        Checkpoint, restart, stragglers, spares.

    Returns
    -------
    array
        Share, 0..1.
    """
    mtbf = np.asarray(mtbf_chip_s, dtype=float) / np.asarray(chips, dtype=float)
    restart = mean_restart_s(chips, mtbf_chip_s, recovery)
    interval = recovery.interval_s
    chosen = daly_interval_s(recovery.write_s, mtbf) if interval is None else interval
    share = running_share(chosen, recovery.write_s, restart, mtbf)
    return np.asarray(share * (1 - np.asarray(recovery.straggler_share, dtype=float)))


def spare_chip_share(chips: Number, recovery: Recovery) -> Array:
    """Chips standing by over all chips of the run; not finite where spares are unlimited."""
    standing_by = np.asarray(recovery.spares, dtype=float) * recovery.chips_per_unit
    return np.asarray(1 - np.asarray(chips, dtype=float) / (np.asarray(chips, dtype=float) + standing_by))


@dataclass(frozen=True)
class DeliveredShares:
    """What becomes of a paid chip's peak, one share at a time; numbers or arrays."""

    allocated: Number
    """Paid chip time given to some job: 1 less broken, spare and unscheduled."""
    busy: Number
    """Allocated time in which the job runs rather than waits for data, people or others."""
    goodput: Number
    """Busy time that is kept work, after failures, restarts and reloads."""
    mfu: Number
    """Model FLOP over dense peak while stepping."""

    @property
    def product(self) -> Array:
        """Model FLOP kept over the dense peak of every paid chip."""
        return np.asarray(np.asarray(self.allocated, dtype=float) * self.busy * self.goodput * self.mfu)

    def effective_flop_per_s(self, peak_flop_per_s: Number, chips: Number = 1.0) -> Array:
        """Model FLOP/s that stay in the model, of ``chips`` paid chips with this dense peak each."""
        return np.asarray(self.product * peak_flop_per_s * chips)

    def words(self) -> str:
        """One line with the four shares and their product; for scalars.

        Examples
        --------
        >>> DeliveredShares(allocated=0.9, busy=0.95, goodput=0.92, mfu=0.4).words()
        'allocated 90.0 % x busy 95.0 % x goodput 92.0 % x MFU 40.0 % = 31.5 % of peak'
        """
        named = {"allocated": self.allocated, "busy": self.busy, "goodput": self.goodput, "MFU": self.mfu}
        chain = " x ".join(f"{name} {float(share) * 100:.1f} %" for name, share in named.items())
        return f"{chain} = {float(self.product) * 100:.1f} % of peak"
