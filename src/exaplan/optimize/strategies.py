"""Enumerate strategic choices: solve the program once for each way of fixing some columns, in parallel.

The differences between the values are what a choice, or the right to wait with it, is worth.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from exaplan.optimize.highs import Basis, solve
from exaplan.optimize.model import Changes, Model
from exaplan.optimize.solution import Solution, Status

MOST_CHOICES = 12
"""So many binaries make 4,096 programs; more are a matter for branch and bound."""


@dataclass(frozen=True, eq=False)
class Strategy:
    """One way of fixing columns, and the program's answer under it."""

    name: str
    fixed: Changes
    solution: Solution

    @property
    def status(self) -> Status:
        """How the solve ended."""
        return self.solution.status

    @property
    def value(self) -> float:
        """Objective; NaN where the strategy has no answer."""
        return self.solution.objective


@dataclass(frozen=True, eq=False)
class Strategies:
    """All strategies in the order given, and the best one (None where none has an answer)."""

    table: tuple[Strategy, ...]
    best: Strategy | None

    def value(self, name: str) -> float:
        """Objective of a strategy by name.

        Raises
        ------
        KeyError
            If there is no such strategy.
        """
        return {strategy.name: strategy.value for strategy in self.table}[name]


def solve_strategies(
    model: Model,
    strategies: Mapping[str, Changes] | None = None,
    *,
    threads: int = 2,
    time_limit_s: float = np.inf,
) -> Strategies:
    """Solve the program under every strategy.

    Parameters
    ----------
    model
        The program. Integer columns that no strategy fixes stay integer, and each strategy is then solved by branch
        and bound; otherwise they are linear programs that start from the basis of the first one.
    strategies
        Name -> {range of columns: values at which it is fixed}. By default every combination of the integer columns,
        which must then be binary.
    threads
        Programs solved at once; the answers do not depend on it.
    time_limit_s
        Limit of each solve.

    Raises
    ------
    ValueError
        For no strategies at all, an unknown range, values outside the bounds, or too many combinations.

    Examples
    --------
    >>> from exaplan.optimize.blocks import Builder
    >>> builder = Builder()
    >>> build = builder.variable("build", (), upper=1.0, cost=-3.0, integer=True)
    >>> sold = builder.variable("sold", (), cost=1.0)
    >>> limit = builder.rows("limit", (), upper=2.0)
    >>> builder.add(limit, 0, sold.index, 1.0)
    >>> builder.add(limit, 0, build.index, -5.0)
    >>> found = solve_strategies(builder.build("max"), {"never": {"build": 0}, "now": {"build": 1}})
    >>> [(s.name, s.value) for s in found.table], found.best.name
    ([('never', 2.0), ('now', 4.0)], 'now')
    """
    chosen = every_combination(model) if strategies is None else strategies
    if not chosen:
        raise ValueError("strategies: none given, and the model has no integer columns to combine")
    programs = {name: fixed_at(model, name, fixed) for name, fixed in chosen.items()}
    names = list(programs)
    first = solve(programs[names[0]], time_limit_s=time_limit_s)

    def answer(name: str) -> Solution:
        program = programs[name]
        basis: Basis | None = first.basis if program.integer is None else None
        found = solve(program, start=basis, time_limit_s=time_limit_s)
        if basis is not None and found.status not in ("optimal", "time_limit"):
            found = solve(program, time_limit_s=time_limit_s)  # only a cold start has the last word
        return found

    with ThreadPoolExecutor(max(threads, 1)) as pool:
        rest = list(pool.map(answer, names[1:]))
    found = [first, *rest]
    table = tuple(Strategy(n, chosen[n], s) for n, s in zip(names, found, strict=True))
    sign = 1.0 if model.sense == "max" else -1.0
    answered = [strategy for strategy in table if strategy.solution.has_values]
    best = max(answered, key=lambda strategy: sign * strategy.value, default=None)
    return Strategies(table, best)


def fixed_at(model: Model, name: str, fixed: Changes) -> Model:
    """Fix whole ranges of columns; integer columns that are all fixed no longer count as integer."""
    unknown = [key for key in fixed if key not in model.columns]
    if unknown:
        raise ValueError(
            f"strategy {name!r}: no variable {unknown[0]!r}; there are {', '.join(model.columns) or 'none'}"
        )
    made = model.with_changes(lower=fixed, upper=fixed)
    outside = (made.lower < model.lower - 1e-9) | (made.upper > model.upper + 1e-9)
    if outside.any():
        at = int(np.argmax(outside))
        label = next(v.label(at) for v in model.columns.values() if v.start <= at < v.stop)
        raise ValueError(
            f"strategy {name!r}: {label} = {made.lower[at]} is outside {model.lower[at]}..{model.upper[at]}"
        )
    if model.integer is None:
        return made
    open_ = model.integer & (made.lower < made.upper)
    return replace(made, integer=open_ if open_.any() else None)


def every_combination(model: Model) -> dict[str, Changes]:
    """Every way of setting the binary columns, named by the ranges that are switched on."""
    if model.integer is None:
        return {}
    at = np.flatnonzero(model.integer & (model.lower < model.upper))
    if len(at) > MOST_CHOICES:
        raise ValueError(
            f"strategies: {len(at)} open binaries make {2.0 ** len(at):.0f} programs; name the ones to compare"
        )
    if (model.lower[at] != 0.0).any() or (model.upper[at] != 1.0).any():
        raise ValueError("strategies: an integer column is not binary; name the strategies to compare")
    ranges = [v for v in model.columns.values() if model.integer[v.span].any()]
    found: dict[str, Changes] = {}
    for bits in itertools.product((0.0, 1.0), repeat=len(at)):
        x = np.where(model.integer, model.lower, 0.0)
        x[at] = bits
        on = [next(v.label(int(j)) for v in ranges if v.start <= j < v.stop) for j in at[np.array(bits) > 0]]
        found[", ".join(on) or "none"] = {v.name: x[v.span].reshape(v.shape) for v in ranges}
    return found
