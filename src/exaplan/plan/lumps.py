"""The lumps of a program by name: which columns start them, where and when."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from exaplan.plan.formulation import Program
from exaplan.plan.inputs import Inputs
from exaplan.plan.silicon_rows import choices_of
from exaplan.plan.site_steps import steps_of

START = "_start"


@dataclass(frozen=True, eq=False)
class Lump:
    """One thing that is started once or never; several columns a node where there are several ways to do it."""

    id: str
    columns: np.ndarray  # [column] absolute numbers of the start columns
    node: np.ndarray  # [column] tree node of each
    way: np.ndarray  # [column] number of the way, from 0
    rivals: np.ndarray  # [column] absolute numbers of start columns that are barred while this lump is judged


def _silicon(inputs: Inputs) -> tuple[tuple[str, str], ...]:
    return tuple((choice.id, choice.program.id) for choice in choices_of(inputs.lab.silicon))


def _each(names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Name lumps that can be started in one way only."""
    return tuple((name, name) for name in names)


WAYS: dict[str, Callable[[Inputs], tuple[tuple[str, str], ...]]] = {
    "silicon": _silicon,
    "site_step": lambda inputs: _each(step.id for _, step in steps_of(inputs.lab, continuous=False)),
    "deal": lambda inputs: _each(deal.id for deal in inputs.lab.deals),
    "run": lambda inputs: _each(run.id for run in inputs.lab.runs),
    "launch": lambda inputs: _each(launch.id for launch in inputs.lab.launches),
    "finish": lambda inputs: _each(f"distilled {model}" for model, _ in inputs.sets.distillations),
}
"""Family of lumps -> for each of its items the name of the way and of the lump; other families name items by number."""


def lumps_of(program: Program) -> tuple[Lump, ...]:
    """All lumps of a program: each with all its ways, then, where there are several, each way alone."""
    found: list[Lump] = []
    for name, variable in program.model.columns.items():
        if (
            not name.endswith(START)
            or program.model.integer is None
            or not program.model.integer[variable.start]
        ):
            continue
        family, index = name.removesuffix(START), variable.index
        numbered = tuple((f"{family} {item}", f"{family} {item}") for item in range(index.shape[1]))
        names = WAYS[family](program.inputs) if family in WAYS else numbered
        for lump in dict.fromkeys(group for _, group in names):
            ways = [item for item, (_, group) in enumerate(names) if group == lump]
            found.append(_lump(lump, index, ways, []))
            if len(ways) > 1:
                found += [_lump(names[way][0], index, [way], [w for w in ways if w != way]) for way in ways]
    return tuple(found)


def _lump(name: str, index: np.ndarray, ways: list[int], barred: list[int]) -> Lump:
    tree = len(index)
    return Lump(
        id=name,
        columns=index[:, ways].ravel(),
        node=np.repeat(np.arange(tree), len(ways)),
        way=np.tile(np.arange(len(ways)), tree),
        rivals=index[:, barred].ravel(),
    )
