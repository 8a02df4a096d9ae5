"""Bind this process and its children to one core, and say what machine it is. Import it before NumPy."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")


def take_one_core() -> str:
    """Bind the process to the last core it may use and its libraries to one thread; say what was done.

    Children inherit both, so that programs compared in one run share one core.
    """
    for name in _THREAD_VARIABLES:
        os.environ[name] = "1"
    if not hasattr(os, "sched_setaffinity"):
        return "one thread; this system cannot bind a process to a core"
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return f"one thread on core {core}"


def machine_words() -> str:
    """Processor, cores in the machine and Python, for the record beside a figure."""
    return f"{_processor()}, {os.cpu_count()} cores in the machine, Python {platform.python_version()}"


def _processor() -> str:
    table = Path("/proc/cpuinfo")
    if table.is_file():
        for line in table.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


@dataclass(frozen=True)
class Rate:
    """Units of work per second of the clock, and per second that the core really worked for this process."""

    per_s: float
    per_core_s: float

    @property
    def core_share(self) -> float:
        """Share of the time in which the core was ours; below 1 other programs were on it."""
        return self.per_s / self.per_core_s


def median_rate(work: Callable[[], float], *, repeats: int = 5, least_s: float = 0.3) -> Rate:
    """Medians over ``repeats`` stretches of at least ``least_s`` seconds each.

    Parameters
    ----------
    work : callable
        Does some work and returns how many units it was.
    repeats : int
        Stretches timed.
    least_s : float
        Seconds that a stretch lasts at least.
    """
    rates = []
    for _ in range(repeats):
        start, core_start, units = time.perf_counter(), time.process_time(), 0.0
        while time.perf_counter() - start < least_s:
            units += work()
        rates.append(
            (units / (time.perf_counter() - start), units / max(time.process_time() - core_start, 1e-9))
        )
    return Rate(median(rate for rate, _ in rates), median(rate for _, rate in rates))
