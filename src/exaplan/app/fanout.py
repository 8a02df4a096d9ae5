"""Run independent work side by side: the one place that knows how."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def workers() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def thread_map(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Map in threads, results in order. HiGHS releases the interpreter while it solves, so threads are enough."""
    with ThreadPoolExecutor(workers()) as pool:
        return list(pool.map(function, items))


def counted_map(
    tell: Callable[[str], object], what: str
) -> Callable[[Callable[[Item], Result], Iterable[Item]], list[Result]]:
    """Map in threads and tell after each item how many are done: ``12 of 40 WHAT``."""

    def run(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        given, done, lock = list(items), 0, Lock()

        def counted(item: Item) -> Result:
            nonlocal done
            result = function(item)
            with lock:
                done += 1
                tell(f"{done} of {len(given)} {what}")
            return result

        return thread_map(counted, given)

    return run


def both(first: Callable[[], Item], second: Callable[[], Result]) -> tuple[Item, Result]:
    """Run two things at once and wait for both."""
    with ThreadPoolExecutor(2) as pool:
        one: Future[Item] = pool.submit(first)
        two: Future[Result] = pool.submit(second)
        return one.result(), two.result()
