"""Choose how to solve a staged program, by its size, and solve it: one door for every route.

Where the routes cross. Seconds of processor time on one busy machine, plans of 118 columns a node, HiGHS 1.15; the
extensive form by the method of ``highs.solve``, the decomposition to a proven gap of 1e-4. Trust the ratios:

    columns   tree                                   extensive     decomposed
     14,353   8 leaves, cut at depth 3, 8 blocks       1.0             0.9
     25,729   16 leaves, 8 blocks                      3.3             1.7
     40,865   32 leaves, 8 blocks                      8.0             3.4
     59,378   100 scenarios, cut at depth 4            7.2             0.9
    111,881   96 leaves, cut at depth 5, 24 blocks   47.4             7.2
    589,478   1,000 scenarios                           -              8.7 (gap 1e-3)
    803,489   972 leaves, 108 blocks                    -            59.9 (gap 5e-3)

The first pass of the blocks takes half of the time or more; blocks of 2,000 columns take 0.08 ms a simplex iteration,
blocks of 7,000 take 0.16 ms and more of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from exaplan.optimize.decompose import Decomposed, decompose, relative_gap
from exaplan.optimize.highs import SIMPLEX_UP_TO_COLUMNS, Basis, Progress, solve
from exaplan.optimize.model import Model
from exaplan.optimize.solution import Solution
from exaplan.optimize.stages import Staged

RouteName = Literal["extensive", "two-stage", "subtree"]

DIRECT_COLUMNS = 30_000
"""Up to here the extensive form answers in about a second, with a basis for what-ifs: decomposing is not worth it."""

FEW_BLOCKS = 8
"""With fewer blocks than this the first pass is as dear as the whole program."""

BLOCK_COLUMNS = 8_000
"""Blocks of more columns than this are slow to start: cut later, as long as the master stays the smaller part."""

MASTER_SHARE = 0.1
"""Largest share of the columns in the master."""


@dataclass(frozen=True)
class Route:
    """How a staged program is solved, and why."""

    name: RouteName
    tau: int  # depth of the cut; 0 for the extensive form
    blocks: int
    reason: str


@dataclass(frozen=True, eq=False)
class Routed:
    """An answer with the route that led to it; ``decomposed`` tells more where the tree was cut."""

    solution: Solution
    route: Route
    decomposed: Decomposed | None = None

    @property
    def gap(self) -> float:
        """Distance of the answer from the proven bound, relative to the larger (at least 1)."""
        return relative_gap(self.solution.bound, self.solution.objective)


def choose_route(staged: Staged, *, name: RouteName | None = None) -> Route:
    """Choose a route by size, or the best cut of the route asked for.

    Raises
    ------
    ValueError
        If a cut is asked for and integer columns or a lack of branches stand in its way, or the name is not known.

    Examples
    --------
    >>> from exaplan.optimize.blocks import Builder
    >>> builder = Builder()
    >>> use = builder.variable("use", (3,))
    >>> small = Staged(builder.build("max"), np.array([-1, 0, 0]), np.arange(3))
    >>> choose_route(small).reason
    'extensive form by simplex: 3 columns are few (up to 30,000 are solved directly)'
    """
    cuts = possible_cuts(staged)
    if name == "extensive":
        return Route("extensive", 0, 1, f"extensive form by {method(staged.model)}: asked for")
    if name not in (None, "two-stage", "subtree"):
        raise ValueError(f"route {name!r} is not known; use 'extensive', 'two-stage' or 'subtree'")
    if name is not None:
        if not cuts:
            raise ValueError(
                f"route {name!r}: the tree cannot be cut; it does not branch before its last integer column"
            )
        chosen = cuts[0] if name == "two-stage" else best_cut(cuts, staged.model.column_count)
        return cut_route(chosen, name, "asked for")
    columns = staged.model.column_count
    if columns <= DIRECT_COLUMNS:
        return direct(
            staged.model, f"{columns:,} columns are few (up to {DIRECT_COLUMNS:,} are solved directly)"
        )
    cuts = [cut for cut in cuts if cut.blocks >= FEW_BLOCKS]
    if not cuts:
        return direct(
            staged.model,
            f"{columns:,} columns, but no cut gives {FEW_BLOCKS} blocks or more without integers in them",
        )
    chosen = best_cut(cuts, columns)
    kind: RouteName = "two-stage" if chains_from(staged, chosen.tau) and chosen is cuts[0] else "subtree"
    return cut_route(chosen, kind, f"{columns:,} columns")


@dataclass(frozen=True)
class Cut:
    """A place to cut: number of blocks, columns of the largest one, columns of the master."""

    tau: int
    blocks: int
    largest: int
    master: int


def possible_cuts(staged: Staged) -> list[Cut]:
    """Cuts just before the depths at which the tree branches, without integer columns behind them."""
    column_depth = staged.depth[staged.column_node]
    first = 1
    if staged.model.integer is not None and staged.model.integer.any():
        first = int(column_depth[staged.model.integer].max()) + 1
    widths = staged.nodes_at
    cuts = []
    for tau in range(1, len(widths)):
        if tau < first or widths[tau] < 2 or (tau > first and widths[tau] == widths[tau - 1]):
            continue
        block = staged.blocks_at(tau)[staged.column_node]
        size = np.bincount(block[block >= 0], minlength=1)
        cuts.append(Cut(tau, int(widths[tau]), int(size.max()), int((block < 0).sum())))
    return cuts


def best_cut(cuts: list[Cut], columns: int) -> Cut:
    """Take the first cut with small blocks; before the master grows beyond its share, the last one."""
    allowed = [cut for cut in cuts if cut.master <= MASTER_SHARE * columns] or cuts[:1]
    small = [cut for cut in allowed if cut.largest <= BLOCK_COLUMNS and cut.blocks >= FEW_BLOCKS]
    return small[0] if small else allowed[-1]


def chains_from(staged: Staged, tau: int) -> bool:
    """Whether nothing branches at or after depth ``tau``."""
    widths = staged.nodes_at
    return bool(widths[tau] >= widths[-1])


def direct(model: Model, why: str) -> Route:
    """Return the route of the extensive form."""
    return Route("extensive", 0, 1, f"extensive form by {method(model)}: {why}")


def cut_route(cut: Cut, name: RouteName, why: str) -> Route:
    """Return the route of a cut."""
    word = "L-shaped method" if name == "two-stage" else "subtree decomposition"
    return Route(
        name, cut.tau, cut.blocks,
        f"{word}: {why}, cut at depth {cut.tau} into {cut.blocks:,} blocks of up to {cut.largest:,} columns "
        f"under a master of {cut.master:,}",
    )  # fmt: skip


def method(model: Model) -> str:
    """Say how HiGHS solves the extensive form."""
    if model.integer is not None and model.integer.any():
        return "branch and bound"
    return "simplex" if model.column_count <= SIMPLEX_UP_TO_COLUMNS else "interior point"


def solve_staged(
    staged: Staged,
    *,
    route: Route | RouteName | None = None,
    gap: float | None = None,
    time_limit_s: float = np.inf,
    threads: int = 2,
    progress: Callable[[Progress], object] | None = None,
    start: Basis | np.ndarray | None = None,
) -> Routed:
    """Solve a staged program by the route that suits its size, or by the one asked for.

    Parameters
    ----------
    route
        A name, a route from :func:`choose_route`, or None: by size.
    gap
        Relative distance of the bounds at which a decomposition or branch and bound stops; by default 1e-6 up to
        100,000 columns and 1e-3 above for a decomposition, the solver's own for branch and bound.
    time_limit_s, progress
        When to stop with the best answer so far; ``progress`` stops the solve by returning something true.
    threads
        Blocks solved at once; the answer does not depend on it.
    start
        A basis for the extensive form, or values of all columns for a decomposition; one that does not fit the
        route is left out.

    Raises
    ------
    ValueError
        As :func:`choose_route`.
    """
    chosen = route if isinstance(route, Route) else choose_route(staged, name=route)
    if chosen.name == "extensive":
        basis = start if isinstance(start, Basis) else None
        found = solve(staged.model, start=basis, time_limit_s=time_limit_s, gap=gap, progress=progress)
        return Routed(found, chosen)
    if gap is None:
        gap = 1e-6 if staged.model.column_count <= 100_000 else 1e-3
    point = start if isinstance(start, np.ndarray) else None
    answer = decompose(
        staged,
        chosen.tau,
        gap=gap,
        time_limit_s=time_limit_s,
        threads=threads,
        progress=progress,
        start=point,
    )
    return Routed(answer.solution, chosen, answer)
