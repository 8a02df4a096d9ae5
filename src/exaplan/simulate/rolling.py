"""Rolling horizon: every few quarters each path plans again from where it stands, on a fresh tree of what may follow.

The orders of the first quarter are the plan's own (every path still stands where the plan stood). From then on a path's
futures are those of training paths that resemble it, moved so that they start where it is; their tree is a small one, so
that thousands of programs can be solved. Everything but orders still follows the plan's nearest node.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from exaplan.domain.errors import NoAnswerError
from exaplan.domain.futures import Tree, World
from exaplan.economy.state import states
from exaplan.economy.tree import condense, partition
from exaplan.optimize.highs import Basis
from exaplan.plan.formulation import build_program
from exaplan.plan.inputs import collect, recipe_of
from exaplan.plan.solve import Solved, solve_program
from exaplan.simulate.opening import Opening, lab_from
from exaplan.simulate.signing import Known, PlanOrders

NEIGHBOURS = 240
"""Training paths that stand for a path's own future."""

INTO, SPLITS = 2, 2
"""Children at each of the next dates of news, and at how many of them: four futures a plan."""

LEAST_PATHS = 20
"""Fewest training paths a node may rest on."""

CHUNK = 8
"""Paths that plan one after the other, each from the basis of the one before; fixed, whatever the number of workers."""

GROWS = ("demand_tokens", "price_usd_per_token", "rental_index", "spot", "frontier", "supply", "rate")
"""Fields of a world that go on from a path's own level in the proportions of the paths that resemble it."""

Map = Callable[[Callable[[list[int]], list["Replanned"]], list[list[int]]], object]


@dataclass(frozen=True)
class Replanned:
    """What one path signs by its new plan, and that plan's tree and orders for the quarters until the next."""

    path: int
    tree: Tree | None
    order: np.ndarray  # [tree node, orderable] thousand chips; no nodes where no plan was found


@dataclass
class RollingOrders:
    """An order rule that plans again every ``every`` quarters; ``plans`` and ``failed`` count what it did."""

    solved: Solved
    training: World  # [path, quarter]
    every: int = 1
    map: Callable[..., object] = map
    tell: Callable[[str], object] = lambda text: None  # noqa: ARG005
    plans: int = 0
    failed: int = 0
    _standing: dict[int, tuple[int, Replanned]] = field(default_factory=dict)

    def __call__(self, known: Known) -> np.ndarray:
        """Wish for what each path's newest plan signs in this quarter."""
        wish = PlanOrders(self.solved)(known)
        if known.quarter == 0:
            self._standing.clear()  # a new replay
            return wish
        alive = _side_by_side(known)
        if known.quarter % self.every == 0:
            chunks = [alive[k : k + CHUNK].tolist() for k in range(0, len(alive), CHUNK)]
            done = 0
            for found in self.map(lambda chunk: replan(self.solved, known, chunk, self.training), chunks):  # type: ignore[attr-defined]
                for one in found:
                    self._standing[one.path] = (known.quarter, one)
                    self.plans += 1
                    self.failed += one.tree is None
                done += len(found)
                self.tell(f"quarter {known.quarter}: {done} of {len(alive)} paths planned again")
        for path in alive:
            made, plan = self._standing.get(int(path), (0, None))
            if plan is not None and plan.tree is not None:
                node = _node_of(plan.tree, known, int(path), made)
                wish[path] = np.minimum(np.maximum(plan.order[node], 0.0), known.most[path])
        return wish


def _side_by_side(known: Known) -> np.ndarray:
    """Paths that go on, those that have seen alike beside each other: the order, and so each start, knows no later news."""
    alive = np.flatnonzero(known.books.alive)
    now = known.world
    demand = now.demand_tokens[alive, -1].sum(axis=1)
    return alive[np.lexsort((now.rental_index[alive, -1], demand, known.node[alive]))]


def replan(solved: Solved, known: Known, paths: list[int], training: World) -> list[Replanned]:
    """Plan again for some paths, one after the other, each from the basis of the one before where it fits."""
    found = []
    basis: tuple[tuple[int, int], Basis] | None = None
    for path in paths:
        tree = tree_from(known, path, training)
        opening = replace(lab_from(known, path), line=line_from(solved, known, path))
        try:
            again = solve_opening(opening, tree, basis)
        except NoAnswerError:
            found.append(Replanned(path, None, np.zeros((0, known.most.shape[1]))))
            continue
        shape = (again.model.row_count, again.model.column_count)
        basis = (shape, again.solution.basis) if again.solution.basis is not None else None
        found.append(Replanned(path, tree, _orders(known, again)))
    return found


def solve_opening(opening: Opening, tree: Tree, basis: tuple[tuple[int, int], Basis] | None = None) -> Solved:
    """Solve the plan of an opening: the program of its lab with the demand that has gone away by then."""
    inputs = collect(opening.lab, opening.rates, tree)
    if opening.line is not None:
        inputs = inputs.around(opening.line[inputs.quarter])
    program = build_program(inputs)
    lost = np.zeros(program.columns.lost.shape)
    lost[0] = opening.lost
    model = program.model.with_changes(row_lower={"lost_balance": lost}, row_upper={"lost_balance": lost})
    start = basis[1] if basis and basis[0] == (model.row_count, model.column_count) else None
    return solve_program(replace(program, model=model), start=start)


def line_from(solved: Solved, known: Known, path: int) -> np.ndarray | None:
    """Capability ratio around which the demand effect is linear, by quarter from now on, the tail's last [quarter].

    The plan's own line, mean over the nodes that follow the one the path resembles; None where nobody minds capability.
    """
    inputs = solved.program.inputs
    if not inputs.sets.sensitivity.any():
        return None
    after = np.flatnonzero(inputs.at_quarter[:, known.quarter] == known.node[path])
    weight = inputs.probability[after]
    quarter = inputs.quarter[after] - known.quarter
    total = np.bincount(quarter, weight * inputs.reference_ratio[after])
    return np.asarray(total / np.bincount(quarter, weight))


def _orders(known: Known, solved: Solved) -> np.ndarray:
    """Orders of a new plan in the offers of the old one [tree node, orderable]; what can no longer be ordered is zero."""
    ids = [offer.id for offer in known.inputs.sets.orderable]
    order = solved.value(solved.program.columns.order)
    found = np.zeros((len(order), len(ids)))
    for number, offer in enumerate(solved.program.inputs.sets.orderable):
        found[:, ids.index(offer.id)] = order[:, number]
    return found


def tree_from(known: Known, path: int, training: World) -> Tree:
    """Grow a small tree of what may follow on a path, from the training paths that resemble it most."""
    lab, t = known.inputs.lab, known.quarter
    own = known.inputs.tree.scale
    world = world_from(known, path, training)
    dates = sorted(branch.date - lab.horizon.first for branch in lab.futures.branches if branch.into > 1)
    into = np.ones(known.inputs.quarters - t, dtype=int)
    into[[date - t for date in dates if date > t][:SPLITS]] = INTO
    node = partition(world, into=into.tolist(), scale=own[t:], least=LEAST_PATHS)
    return condense(world, node, scale=own[t:])


def world_from(known: Known, path: int, training: World) -> World:
    """Make futures of a path [neighbour, quarter from now on]: those of training paths like it, moved to where it stands.

    Alike are paths near in state now and half-way back, on the tree's own scale: level and trend. Levels go on in
    proportion; slips and lost quarters are theirs from the next quarter on; a supplier that has failed stays failed, and
    others fail when theirs do. The frontier is restated in the recipes of the new start.
    """
    inputs, t = known.inputs, known.quarter
    here = World(*(values[path : path + 1] for values in vars(known.world).values()))
    seen, past = states(here), states(World(*(values[:, : t + 1] for values in vars(training).values())))
    gap = np.zeros(len(training.rental_index))
    for quarter in {t, t // 2}:
        moved = (past[:, quarter] - seen[:, quarter]) / inputs.tree.scale[quarter]
        gap += (moved**2).sum(axis=1)
    like = np.sort(np.argsort(gap, kind="stable")[: min(NEIGHBOURS, len(gap))])
    fields = {}
    for name, values in vars(training).items():
        theirs, now = values[like, t:], getattr(known.world, name)[path, t]
        if name in GROWS:
            first = theirs[:, :1]
            fields[name] = np.where(first > 0, now * theirs / np.where(first > 0, first, 1.0), theirs)
        elif name == "algorithm":  # recipes count from the new start
            fields[name] = theirs / theirs[:, :1]
        elif name == "gone":
            fields[name] = np.maximum(now, theirs - theirs[:, :1])
        else:
            fields[name] = theirs.copy()
            fields[name][:, 0] = 0 if name == "standstill" else now
    law = inputs.lab.capability
    if law is not None:
        fields["frontier"] = fields["frontier"] / recipe_of(law, known.world.algorithm[path, t], t)
    return World(**fields)


def _node_of(tree: Tree, known: Known, path: int, made: int) -> int:
    """Find the node of a path's own tree that it is nearest to, as many quarters on as have passed."""
    stage = known.quarter - made
    if stage == 0:
        return 0
    candidates = np.flatnonzero(tree.stage == stage)
    here = World(*(values[path : path + 1, known.quarter] for values in vars(known.world).values()))
    law = known.inputs.lab.capability
    if law is not None:
        then = known.world.algorithm[path, made]
        here = replace(
            here, frontier=here.frontier / recipe_of(law, then, made), algorithm=here.algorithm / then
        )
    gap = (states(tree.world)[candidates] - states(here)) / tree.scale[stage]
    return int(candidates[(gap**2).sum(axis=1).argmin()])


def plan_on_trial(solved: Solved, training: World) -> Solved:
    """Make one plan of the whole horizon on a small tree: what a caller times to tell how long a rolling replay takes."""
    inputs = solved.program.inputs
    into = np.ones(inputs.quarters, dtype=int)
    dates = sorted(branch.date - inputs.lab.horizon.first for branch in inputs.lab.futures.branches)
    into[[date for date in dates if 0 < date < inputs.quarters][:SPLITS]] = INTO
    few = World(*(values[:NEIGHBOURS] for values in vars(training).values()))
    node = partition(few, into=into.tolist(), scale=inputs.tree.scale, least=LEAST_PATHS)
    tree = condense(few, node, scale=inputs.tree.scale)
    return solve_program(build_program(collect(inputs.lab, inputs.rates, tree)))


def trials_in(quarters: int, *, paths: int, every: int, workers: int) -> float:
    """Estimate a rolling replay in plans of the whole horizon: later plans are shorter, threads gain half each."""
    left = (quarters - np.arange(every, quarters, every)) / quarters
    return float((left**1.3).sum() * paths / (1 + 0.5 * (max(workers, 1) - 1)))
