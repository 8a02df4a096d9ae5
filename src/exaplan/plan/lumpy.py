"""Large programs with lumps: branch and bound that knows what a start is.

A lump is started once on a path or never, so ``NAME_begun`` (started here or before) is whole wherever the starts are.
To ask "begun by this node or later?" parts the dates evenly, where "at this very node?" leaves all others open; and a
node early in the tree matters to more futures than a late one. The dual simplex goes from one subproblem to the next.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from exaplan.optimize.branching import Brancher
from exaplan.optimize.highs import solve
from exaplan.optimize.solution import Basis, Solution
from exaplan.plan.formulation import Program

LARGE = 10_000
"""Columns from which a program with lumps is searched here: below, the solver's own branch and bound takes seconds."""

GAP = 5e-3
"""Relative gap of the search where none is asked for."""

LEAST = 3000
"""Subproblems after which the search gives up a wish for a gap that nobody limited in time."""


def is_large(program: Program) -> bool:
    """Tell whether a program has lumps and is so large that they are searched for here."""
    model = program.model
    return model.integer is not None and model.sense == "max" and model.column_count >= LARGE


def without_lumps(program: Program) -> Program:
    """Return the program in which lumps may be started in part."""
    return replace(program, model=replace(program.model, integer=None))


def search(
    program: Program, *, start: Basis | None = None, gap: float | None = None, time_limit_s: float = np.inf
) -> tuple[Solution, str]:
    """Search for whole starts to the relative ``gap``; returns the solution with its bound, and how in words."""
    model = program.model
    first = solve(replace(model, integer=None), start=start)
    if first.status != "optimal":
        return first, "extensive form by branch and bound: its relaxation has no optimum"
    guides, weight = branching_of(program)
    brancher = Brancher(model, start=first.basis, guides=guides, weight=weight)
    try:
        found = brancher.best(gap=GAP if gap is None else gap, most=LEAST, time_limit_s=time_limit_s)
    except ValueError:
        return replace(first, status="infeasible"), "extensive form by branch and bound: no whole point"
    wanted = GAP if gap is None else gap
    solution = replace(
        found.solution,
        bound=found.bound,
        status="optimal" if found.gap <= wanted * (1 + 1e-9) else "time_limit",
        basis=brancher.basis(),
    )
    how = (
        f"extensive form by branch and bound on dates: {model.column_count:,} columns, {found.subproblems:,} linear "
        f"programs, gap {100 * found.gap:.2g} % (asked for {100 * wanted:g} %)"
    )
    return solution, how


def branching_of(program: Program) -> tuple[np.ndarray, np.ndarray]:
    """Columns beside the starts to branch on, and how much each column matters [column]: probability of its node."""
    model, inputs = program.model, program.inputs
    tree, guides, weight = inputs.tree_nodes, [np.zeros(0, dtype=int)], np.ones(model.column_count)
    for name, variable in model.columns.items():
        begun = model.columns.get(name.replace("_start", "_begun"))
        if not name.endswith("_start") or begun is None or model.integer is None:
            continue
        if not model.integer[variable.start]:
            continue
        chance = inputs.probability[:tree, None]
        weight[variable.index] = START_WEIGHT * chance
        weight[begun.index[:tree]] = chance
        guides.append(begun.index[:tree].ravel())
    return np.concatenate(guides), weight


START_WEIGHT = 0.3
"""How much a single date matters against "by this date", of the same probability."""
