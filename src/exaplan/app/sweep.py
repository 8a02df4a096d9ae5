"""Plans along one key or over the grid of two, each solved from its neighbour, in two halves side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from threading import Lock
from time import perf_counter
from typing import TypeVar

from exaplan.app.again import Made, make_again, point_of, see
from exaplan.app.fanout import thread_map
from exaplan.app.pipeline import Clock, Settings
from exaplan.app.whatif import asked_of
from exaplan.domain.explored import Axis, Point, Sweep
from exaplan.domain.lab import Lab
from exaplan.plan.solve import Solved

Tell = Callable[[int, int], object]
Result = TypeVar("Result")


def settings_of(axes: Sequence[Axis]) -> list[dict[str, str]]:
    """List every combination of settings, the last axis first to move."""
    return [
        dict(zip((axis.key for axis in axes), chosen, strict=True))
        for chosen in product(*(axis.settings for axis in axes))
    ]


def neighbours(lengths: Sequence[int]) -> list[int]:
    """Order the points of a grid so that each is a step from the one before: every other line runs backwards.

    Examples
    --------
    >>> neighbours([2, 3]), neighbours([3])
    ([0, 1, 2, 5, 4, 3], [0, 1, 2])
    """
    lines, last = 1, lengths[-1]
    for length in lengths[:-1]:
        lines *= length
    order = []
    for line in range(lines):
        places = range(line * last, (line + 1) * last)
        order += list(reversed(places)) if line % 2 else list(places)
    return order


def halves(order: Sequence[int]) -> tuple[list[int], list[int]]:
    """Cut a walk into two that both begin in its middle.

    Examples
    --------
    >>> halves([0, 1, 2, 3, 4])
    ([1, 0], [2, 3, 4])
    """
    middle = len(order) // 2
    return list(reversed(order[:middle])), list(order[middle:])


def run_sweep(
    base: Made,
    axes: Sequence[Axis],
    labs: Sequence[Lab],
    settings: Settings,
    clock: Clock,
    *,
    lab_file: str,
    tell: Tell = lambda done, total: None,  # noqa: ARG005
) -> Sweep:
    """Plan and replay every setting; ``labs`` are those of :func:`settings_of`, ``tell`` hears (done, total).

    The result does not depend on the number of cores: both halves and their order are fixed.

    Raises
    ------
    InputError, NoAnswerError
        As :func:`exaplan.app.again.make_again`.
    """
    begin = perf_counter()
    changes = settings_of(axes)
    with clock.phase("replay"):
        first = see(base, paths=settings.paths, seed=settings.seed)

    def look(place: int, made: Made) -> Point:
        seen = see(made, paths=settings.paths, seed=settings.seed, alone=True)
        return point_of(" · ".join(changes[place].values()), changes[place], seen, first)

    with clock.phase("sweep"):
        walks = halves(neighbours([len(axis.settings) for axis in axes]))
        points = along(base, walks, labs, look, tell)
    asked = asked_of(base.lab, settings, lab_file, base.seconds + perf_counter() - begin)
    return Sweep(asked, point_of("as given", {}, first, None), tuple(axes), tuple(points))


def along(
    base: Made,
    walks: Sequence[Sequence[int]],
    labs: Sequence[Lab],
    look: Callable[[int, Made], Result],
    tell: Tell,
) -> list[Result]:
    """Walk through the labs, each solved from the one before; walks side by side. Returns what ``look`` made of each, in order.

    Only what ``look`` returns is kept: a plan with its program is large.
    """
    total, lock, done = sum(len(walk) for walk in walks), Lock(), [0]

    def follow(walk: Sequence[int]) -> list[tuple[int, Result]]:
        start: Solved = base.solved
        found = []
        for place in walk:
            made = make_again(base, labs[place], start=start)
            start = made.solved
            found.append((place, look(place, made)))
            with lock:
                done[0] += 1
                tell(done[0], total)
        return found

    pairs = [pair for found in thread_map(follow, walks) for pair in found]
    return [result for _, result in sorted(pairs, key=lambda pair: pair[0])]
