"""What a process used: seconds and memory; standard library only, so that programs in other environments can import it."""

from __future__ import annotations

import ctypes
import gc
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

_STATUS, _PEAK_RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
REFERENCE_ROWS, REFERENCE_COLUMNS, REFERENCE_SEED = 420, 840, 7


@dataclass
class Used:
    """Seconds on the clock and on the processor, and memory in MiB before, at the peak of, and at rest after some work."""

    wall_s: float
    cpu_s: float
    before_mib: float
    peak_mib: float
    rest_mib: float  # with what the work made still held, and freed memory given back to the system


def memory_mib(field: str) -> float:
    """Read ``VmRSS`` (now) or ``VmHWM`` (the highest yet) of this process; NaN where the system does not say."""
    if not _STATUS.is_file():
        return float("nan")
    rows = dict(line.split(":", 1) for line in _STATUS.read_text(encoding="ascii").splitlines())
    return int(rows[field].split()[0]) / 1024


def settle() -> None:
    """Collect garbage and give freed memory back to the system, so that what is left is held."""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)


def use_of(work: Callable[[], Any]) -> tuple[Used, Any]:
    """Do some work once; returns what it used and what it made. The highest memory is that of the work alone."""
    settle()
    before = memory_mib("VmRSS")
    if _PEAK_RESET.exists():
        _PEAK_RESET.write_text("5", encoding="ascii")
    start, core_start = time.perf_counter(), time.process_time()
    made = work()
    wall, core = time.perf_counter() - start, time.process_time() - core_start
    peak = memory_mib("VmHWM")
    settle()
    return Used(wall, core, before, peak, memory_mib("VmRSS")), made


def in_fresh_process(
    command: Sequence[str], *, timeout_s: float | None = None, **environment: str
) -> dict[str, Any]:
    """Run a command and read the JSON object on the last line of what it writes.

    Where it fails or takes too long, the result has the one key ``failed`` with the reason.
    """
    import os

    try:
        done = subprocess.run(  # noqa: S603 - commands of this folder
            list(command),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            env={**os.environ, **environment},
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"no answer in {timeout_s:.0f} s"}
    if done.returncode != 0:
        last = [line for line in done.stderr.splitlines() if line.strip()][-1:]
        return {"failed": f"exit code {done.returncode}: {' '.join(last) or 'no message'}"}
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def medians(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Take the median of every number over several runs; the rest from the first; failures as they are."""
    good = [run for run in runs if "failed" not in run]
    if not good:
        return dict(runs[0])
    first = good[0]
    numbers = {
        key for key, value in first.items() if isinstance(value, (int, float)) and not isinstance(value, bool)
    }
    return {
        key: median(run[key] for run in good) if key in numbers else value for key, value in first.items()
    } | {"runs": len(good)}


def reference_s() -> float:
    """Solve one fixed random linear program with HiGHS's dual simplex, about half a second: how fast the machine is now.

    Its size and numbers depend on nothing of ours, so a figure divided by it can be compared between machines and hours.
    """
    import highspy
    import numpy as np

    rng = np.random.default_rng(REFERENCE_SEED)
    matrix = rng.random((REFERENCE_ROWS, REFERENCE_COLUMNS)) * (
        rng.random((REFERENCE_ROWS, REFERENCE_COLUMNS)) < 0.05
    )
    column, row = np.nonzero(matrix.T)
    start = np.concatenate([[0], np.cumsum(np.bincount(column, minlength=REFERENCE_COLUMNS))]).astype(
        np.int32
    )
    solver: Any = highspy.Highs()
    for option, setting in (
        ("output_flag", False),
        ("threads", 1),
        ("presolve", "off"),
        ("solver", "simplex"),
    ):
        solver.setOptionValue(option, setting)
    free = np.full(REFERENCE_ROWS, -np.inf)
    solver.passModel(
        REFERENCE_COLUMNS, REFERENCE_ROWS, len(row), int(highspy.MatrixFormat.kColwise), int(highspy.ObjSense.kMaximize),
        0.0, 1 + rng.random(REFERENCE_COLUMNS), np.zeros(REFERENCE_COLUMNS), np.full(REFERENCE_COLUMNS, np.inf),
        free, 1 + rng.random(REFERENCE_ROWS), start, row.astype(np.int32), matrix.T[column, row],
        np.zeros(REFERENCE_COLUMNS, np.int32),
    )  # fmt: skip
    begin = time.perf_counter()
    solver.run()
    return time.perf_counter() - begin


def as_json(used: Used, **more: Any) -> str:
    """Write what was used, and more, as one line."""
    return json.dumps({**asdict(used), **more}) + "\n"
