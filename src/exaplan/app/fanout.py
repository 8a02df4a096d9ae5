"""Run independent work side by side: the one place that knows how."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from multiprocessing import get_context
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


def map_with(count: int) -> Callable[[Callable[[Item], Result], Iterable[Item]], list[Result]]:
    """Map in so many threads, results in order; one thread maps where it is called."""

    def run(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        if count <= 1:
            return [function(item) for item in items]
        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(function, items))

    return run


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


def process_stream(
    function: Callable[[Item], Result], items: Iterable[Item]
) -> Iterator[tuple[Item, Result]]:
    """Map in processes, each result as soon as it is there; one item or one core stays in this process.

    ``function`` and ``items`` are pickled into fresh interpreters: no state of this one leaks into a result.
    """
    given = list(items)
    if min(len(given), workers()) <= 1:
        for item in given:
            yield item, function(item)
        return
    with ProcessPoolExecutor(min(len(given), workers()), mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(function, item): item for item in given}
        try:
            for done in as_completed(waiting):
                yield waiting[done], done.result()
        finally:
            pool.shutdown(cancel_futures=True)
