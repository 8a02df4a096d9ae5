"""Run the refits of a cross-validation in processes of their own."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TypeVar

from exaplan.app.fanout import workers

Item = TypeVar("Item")
Result = TypeVar("Result")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def process_map(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    tell: Callable[[int, int], None] = lambda _done, _of: None,
    count: int | None = None,
) -> Iterator[Result]:
    """Map in processes, results in order.

    A refit is many small array operations that hold the interpreter, so threads slow it down (measured on two cores:
    threads 0.7 times a plain loop). Each process uses one thread of linear algebra: the results are the same bytes
    whatever the number of processes.

    Parameters
    ----------
    function, items : callable, iterable
        What to run on what; both must be picklable.
    tell : callable
        Told how many are done, and of how many.
    count : int, optional
        Processes; the cores of this machine where not given.
    """
    work = list(items)
    # On Ctrl-C the parent ends the work: children finish the fold they are at, without a traceback each.
    ignore = (signal.SIGINT, signal.SIG_IGN)
    pool = ProcessPoolExecutor(
        count or max(min(workers(), len(work)), 1),
        mp_context=get_context("spawn"),
        initializer=signal.signal,
        initargs=ignore,
    )
    with _one_thread_each(), pool:
        for done, result in enumerate(pool.map(function, work), start=1):
            tell(done, len(work))
            yield result


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Tell child processes to use one thread of linear algebra; this one keeps its own."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
