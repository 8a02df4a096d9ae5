"""Run a race file: paths, measures and, where asked for, which limit keeps each lab from parity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from exaplan.domain.race_result import RaceAnswer
from exaplan.io.racefile import read_race
from exaplan.simulate.race import run_race
from exaplan.simulate.race_measures import answer_of
from exaplan.simulate.race_path import critical_path


def race_answer(
    file: Path, *, paths: int, seed: int, shocks: Sequence[str] = (), critical: bool = True,
    tell: Callable[[str], None] = lambda text: None,  # noqa: ARG005
) -> RaceAnswer:  # fmt: skip
    """Race the labs of a file; ``shocks`` come for certain, ``critical`` looks for what stands in each lab's way.

    Raises
    ------
    InputError
        With every fault of the file, or for a shock that it does not name.
    """
    read, forced = read_race(file), tuple(shocks)
    tell(f"racing {len(read.labs)} labs on {paths:,} futures")
    found = run_race(read, paths=paths, seed=seed, forced=forced)
    catches = critical_path(read, seed=seed, forced=forced, tell=tell) if critical else ()
    return answer_of(found, read.as_of, catches)
