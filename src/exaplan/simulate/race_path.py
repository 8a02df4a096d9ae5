"""The critical path of catching up: which of chips, power, money or recipes keeps a lab from parity."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from exaplan.domain.race import RaceFile
from exaplan.domain.race_result import CAUSES, Catch
from exaplan.simulate.race import run_race
from exaplan.simulate.race_draws import draw_race
from exaplan.simulate.race_measures import best_of_others, catches_of

PATHS = 1000


def critical_path(
    file: RaceFile,
    *,
    seed: int,
    paths: int = PATHS,
    forced: Sequence[str] = (),
    tell: Callable[[str], None] | None = None,
) -> tuple[Catch, ...]:
    """Take chips, power, money and recipes away as limits, one lab and one cause at a time, on the same futures.

    For each lab that is behind in compute in the first quarter, and for recipes in capability. Relaxed chips: all that
    money and power allow; relaxed power: halls for every chip ordered; relaxed money: orders up to chips and power, rent
    still paid, so ruin still possible; relaxed recipes: never worse than the best.
    """
    draws = draw_race(file, paths=paths, seed=seed, forced=forced)
    base = run_race(file, paths=paths, seed=seed, forced=forced, draws=draws)
    now = {"compute": base.compute[:1, :, :1], "capability": base.capability[:1, :, :1]}
    late = {name: (level < best_of_others(level))[0, :, 0] for name, level in now.items()}
    found = []
    for lab in range(len(file.labs)):
        for place, cause in enumerate(CAUSES):
            if not late["capability" if cause == "recipes" else "compute"][lab]:
                continue
            if tell is not None:
                tell(f"critical path of {file.labs[lab].id}: {cause}")
            relaxed = np.zeros((len(CAUSES), len(file.labs)))
            relaxed[place, lab] = np.inf
            other = run_race(file, paths=paths, seed=seed, forced=forced, relaxed=relaxed, draws=draws)
            found.append(catches_of(base, other, lab, cause))
    return tuple(found)
