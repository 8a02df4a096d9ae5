"""The quarter's program: given stock and news, who gets which chips; the stage rows of the plan with its prices."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from exaplan.optimize.many import solve_many, solve_many_matrices
from exaplan.optimize.model import Model
from exaplan.optimize.programs import Programs, apart
from exaplan.plan.columns import StageColumns
from exaplan.plan.formulation import build_stage
from exaplan.plan.layout import Layout
from exaplan.plan.result import STAGE_DECISIONS, StageWorth
from exaplan.plan.services import flop_of_runs, teachers
from exaplan.plan.stage import Stage

CHUNK = 2500
"""Paths a worker takes in one go; fixed, so that answers do not depend on the number of workers."""

Map = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]

WRITTEN_OFF = 10.0
"""Least price of lost demand that is written off, in the same prices: never a way to earn."""

MISSED_FLOOR = 1e3
"""Price of missing a floor in dispatch, in largest prices of any other decision: given up only when nothing else is left."""


def ratio_of(value: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Divide where the base is positive, 1 elsewhere."""
    return np.asarray(np.divide(value, base, out=np.ones_like(value), where=base > 0))


@dataclass(frozen=True)
class State:
    """What a quarter starts from, by path, in LP units."""

    stock: np.ndarray  # [path, orderable]
    left: np.ndarray  # [path, exit]
    lost: np.ndarray  # [path, serve]
    effect: np.ndarray  # [path, serve]
    ready: np.ndarray  # [path, run] share of a distillation that the path itself has done
    finished: np.ndarray  # [path, run] 1 where the model may serve, as the node has it
    offered: np.ndarray  # [path, point]
    brought: np.ndarray  # [path, serve] 1e12 tokens a quarter that launches, deals and runs have brought

    def asked(self, sets: Layout) -> np.ndarray:
        """Demand over the stated demand [path, serve]: the effect of capability times that of the price."""
        factor = np.ones_like(self.effect)
        factor[:, sets.priced] = 0.0
        np.add.at(factor.T, sets.point_serve, (self.offered * sets.point_demand).T)
        return np.asarray(self.effect * factor)


@dataclass(frozen=True)
class Work:
    """What a quarter does, by path, in LP units."""

    use: np.ndarray  # [path, metered, block]
    above: np.ndarray  # [path, metered]
    rent: np.ndarray  # [path, on-demand, block]
    work: np.ndarray  # [path, arc, block]
    output: np.ndarray  # [path, workload, block]
    sold: np.ndarray  # [path, point, block]
    premium: np.ndarray  # [path, premium workload]
    leaving: np.ndarray  # [path, churn workload]
    unserved: np.ndarray  # [path, serve, block]
    forgiven: np.ndarray  # [path, serve, block]
    progress: np.ndarray  # [path]
    effort: np.ndarray  # [path]
    insight: np.ndarray  # [path, internal]
    distil: np.ndarray  # [path, run]
    short: np.ndarray  # [path, floor, block]
    unwatched: np.ndarray  # [path, block]
    through: np.ndarray  # [path, swinging arc]
    on_call: np.ndarray  # [path, ready arc, block]
    standby: np.ndarray  # [path, group or none, block]


@dataclass(frozen=True)
class Chunk:
    """One worker's share of a quarter: consecutive paths, with everything that their programs are made of."""

    model: Model
    columns: StageColumns
    sets: Layout
    stage: Stage
    state: State
    worth: dict[str, np.ndarray]
    decided: dict[str, np.ndarray]

    def part(self, paths: np.ndarray) -> Chunk:
        """Take some paths."""
        return Chunk(
            self.model, self.columns, self.sets, self.stage.take(paths),
            State(*(field[paths] for field in vars(self.state).values())),
            {name: values[paths] for name, values in self.worth.items()},
            {name: values[paths] for name, values in self.decided.items()},
        )  # fmt: skip

    def programs(self) -> Programs:
        """Bounds and costs of every path's program."""
        programs = _programs(self.model, self.columns, self.sets, self.stage, self.state, self.worth)
        for name, amount in self.decided.items():
            self._add(programs, name, amount)
        return programs

    def _add(self, programs: Programs, name: str, amount: np.ndarray) -> None:
        """Add to the left side of stage rows what further decisions bring."""
        # a path gives no more chips and megawatts than it has
        most = {"chips": _most_chips(self.sets, self.stage, self.state), "power": self.stage.site_power}.get(
            name
        )
        taken = (amount if most is None else np.minimum(amount, most[:, :, None])).reshape(len(amount), -1)
        span = self.model.rows[name].span
        programs.row_upper[:, span] -= taken
        if name != "technology":  # a gain in efficiency may be left unused: a path may ask for less than it
            programs.row_lower[:, span] -= taken
        if name in ("progress_curve", "effort_plane"):  # what development owes may exceed what it does
            programs.lower[:, self.columns.progress.span] = -np.inf
            if name == "effort_plane":
                programs.lower[:, self.columns.effort.span] = -np.inf


def run_quarter(
    sets: Layout,
    stage: Stage,
    state: State,
    worth: dict[str, np.ndarray],
    *,
    decided: dict[str, np.ndarray] | None = None,
    map: Map = map,  # noqa: A002
) -> Work:
    """Dispatch one quarter for many paths.

    ``stage`` has the paths as its node axis; ``worth`` maps each stage decision to its value per unit by path
    [path, ...]; ``decided`` maps stage rows to what further decisions add to their left sides [path, ...]. Paths that stand
    side by side should be alike: the optimum of one is where its neighbors begin.

    Raises
    ------
    RuntimeError
        Where a path's program has no optimum.
    """
    paths = len(stage.weight)
    model, columns = build_stage(sets, stage.take(np.zeros(1, dtype=int)))
    whole = Chunk(model, columns, sets, stage, state, worth, decided or {})
    chunks = [whole.part(np.arange(begin, min(begin + CHUNK, paths))) for begin in range(0, paths, CHUNK)]
    x = np.concatenate(list(map(solve_chunk, chunks)))
    found = {name: x[:, model.columns[name].span] for name in STAGE_DECISIONS}
    return Work(
        **{name: block.reshape(paths, *model.columns[name].shape[1:]) for name, block in found.items()}
    )


def solve_chunk(chunk: Chunk) -> np.ndarray:
    """Solve the programs of a chunk; returns [path, column].

    Where rates differ between paths, so do coefficients: these are read off the stage rows of all paths.
    """
    if all((each == each[:1]).all() for each in _in_the_matrix(chunk.stage)):
        answers = solve_many(chunk.model, chunk.programs())
    else:
        whole, _ = build_stage(chunk.sets, chunk.stage)
        model, values = apart(whole, len(chunk.stage.weight))
        answers = solve_many_matrices(model, values, chunk.programs())
    for path, status in enumerate(answers.status):
        if status != "optimal":
            raise RuntimeError(f"dispatch of path {path} in its chunk ended as {status}")
    return answers.x


def _in_the_matrix(stage: Stage) -> tuple[np.ndarray, ...]:
    """Name the data of a quarter that are coefficients of what a dispatch decides."""
    return stage.rate, stage.floor_weight, stage.oversight_weight


def _programs(
    model: Model,
    columns: StageColumns,
    sets: Layout,
    stage: Stage,
    state: State,
    worth: dict[str, np.ndarray],
) -> Programs:
    """Bounds and costs of every path's program: state and news enter as numbers, the matrix stays."""
    paths = len(stage.weight)

    def spread(values: np.ndarray) -> np.ndarray:
        return np.repeat(values[None], paths, axis=0)

    lower, upper, cost = spread(model.lower), spread(model.upper), spread(np.zeros(model.column_count))
    row_lower, row_upper = spread(model.row_lower), spread(model.row_upper)
    for name, given in (("stock", state.stock), ("lost", state.lost)):
        lower[:, model.columns[name].span] = upper[:, model.columns[name].span] = given
    for name in (
        "left",
        "standing",
        "ready",
        "finished",
        "offered",
    ):  # folded into the right-hand sides below
        lower[:, model.columns[name].span] = upper[:, model.columns[name].span] = 0.0
    able = np.where(stage.rate > 0, np.inf, 0.0)
    upper[:, columns.work.span] = np.repeat(able, columns.work.shape[2], axis=1)
    upper[:, columns.rent.span] = np.repeat(_to_be_had(sets, stage, state), columns.rent.shape[2], axis=1)
    flop = flop_of_runs(sets)
    upper[:, columns.distil.span] = np.minimum(stage.distil_max, np.maximum(1 - state.ready, 0.0) * flop)
    upper[:, columns.short.span] = upper[:, columns.unwatched.span] = np.inf
    for name in STAGE_DECISIONS:
        cost[:, model.columns[name].span] = worth[name].reshape(paths, -1)
    signed = _signed(sets, stage, state)
    by_group = np.zeros((paths, len(sets.groups)))
    np.add.at(by_group.T, sets.contract_group, signed.T)
    blocks = len(stage.block_share)
    row_upper[:, model.rows["chips"].span] = np.repeat(by_group, blocks, axis=1)
    if "flexible" in model.rows:  # said by the bounds of rent
        row_upper[:, model.rows["flexible"].span] = np.inf
    wanted = (stage.weight[:, None] * stage.demand * state.asked(sets))[:, :, None] * stage.demand_share
    row_lower[:, model.rows["demand"].span] = row_upper[:, model.rows["demand"].span] = wanted.reshape(
        paths, -1
    )
    fed = stage.site_power.reshape(
        paths, -1
    )  # a site that stands still on one path feeds it later than others
    row_upper[:, model.rows["power"].span] = np.repeat(fed, blocks, axis=1)
    if "sold_most" in model.rows:
        row_upper[:, model.rows["sold_most"].span] = _asked_dear(sets, stage, state).reshape(paths, -1)
    if "routing_ready" in model.rows:
        row_upper[:, model.rows["routing_ready"].span] = _distilled(sets, stage, state).reshape(paths, -1)
    if "distil_taught" in model.rows:
        taught, teacher = teachers(sets)
        able = flop[taught] * (state.finished * state.ready)[:, teacher]
        row_upper[:, model.rows["distil_taught"].span] = able
    capacity = (stage.floor_weight[:, :, sets.contract_group] * signed[:, None, :]).sum(axis=2)
    need = stage.floor_level + stage.floor_share * capacity
    row_lower[:, model.rows["floor"].span] = np.repeat(need, blocks, axis=1)
    return Programs(lower, upper, cost, row_lower, row_upper)


def _signed(sets: Layout, stage: Stage, state: State) -> np.ndarray:
    """Firm chips of contracts that have not been left [path, contract]."""
    signed = stage.contract_chips.copy()
    signed[:, sets.exits] *= 1 - state.left
    return signed


def _asked_dear(sets: Layout, stage: Stage, state: State) -> np.ndarray:
    """Demand at the price points above the stated price [path, dear point, block]: no more can be sold there."""
    at = sets.point_serve[sets.dear]
    tokens = (stage.weight[:, None] * stage.demand * state.effect)[:, at] * sets.point_demand[sets.dear]
    return np.asarray((tokens * state.offered[:, sets.dear])[:, :, None] * stage.demand_share[at])


def _distilled(sets: Layout, stage: Stage, state: State) -> np.ndarray:
    """Most tokens that each distilled model may serve [path, distilled service, block].

    Where the node has it serve: its largest share of the path's own demand, in proportion where the path's run is behind.
    """
    made = np.flatnonzero(sets.service_run >= 0)
    run, segment = sets.service_run[made], sets.service_workload[made]
    most = np.array([each.able.share_max if each.able else 1.0 for each in sets.services])[made]
    wanted = stage.weight[:, None] * stage.demand * state.asked(sets) + state.brought
    tokens = most * wanted[:, segment] * (state.finished * state.ready)[:, run]
    return np.asarray(tokens[:, :, None] * stage.demand_share[segment])


def _most_chips(sets: Layout, stage: Stage, state: State) -> np.ndarray:
    """Chips that can be up [path, group]: the most that a decision of the node can take from a path that has fewer."""
    chips = np.zeros((len(stage.weight), len(sets.groups)))
    np.add.at(chips.T, sets.contract_group, _signed(sets, stage, state).T)
    np.add.at(chips.T, sets.orderable_group, (stage.available * state.stock).T)
    np.add.at(chips.T, sets.on_demand_group, (stage.rent_available * _to_be_had(sets, stage, state)).T)
    return chips


def _to_be_had(sets: Layout, stage: Stage, state: State) -> np.ndarray:
    """Most chips by use [path, hourly]: none of a contract that has been left."""
    most = stage.rent_max.copy()
    for place, number in enumerate(sets.flexible):
        for exit_ in np.flatnonzero(sets.exits == number):
            most[:, len(sets.on_demand) + place] *= 1 - state.left[:, exit_]
    return most


def priced_for(
    worth: StageWorth, node: np.ndarray, sets: Layout, stage: Stage, own: Stage
) -> dict[str, np.ndarray]:
    """Value of each stage decision on each path, from the prices of the node it resembles.

    ``stage`` is the paths' own data, ``own`` that of the plan's nodes. Output is worth its price on the path, a rented
    chip costs its price on the path; every other price is the node's. Values per dollar do not depend on the node's
    probability, so they are divided by it implicitly: only their ratio within a path matters.
    """
    priced = {name: values[node].copy() for name, values in worth.by_name.items()}
    serve = stage.price.shape[1]
    priced["output"][:, :serve] *= ratio_of(stage.price, own.price[node])[:, :, None]
    priced["sold"] *= ratio_of(stage.price, own.price[node])[:, sets.point_serve, None]
    priced["premium"] *= ratio_of(stage.price, own.price[node])[:, sets.premium_serve]
    priced["rent"] *= ratio_of(stage.rent_price, own.rent_price[node])[:, :, None]
    scale = np.maximum(np.abs(priced["output"]).max(axis=(1, 2), initial=0.0), np.abs(priced["progress"]))
    scale = np.where(scale > 0, scale, 1.0)
    priced = {name: v / scale.reshape(-1, *[1] * (v.ndim - 1)) for name, v in priced.items()}
    priced["forgiven"] = np.minimum(priced["forgiven"], -WRITTEN_OFF)
    priced["short"] = np.full_like(priced["short"], -MISSED_FLOOR)
    priced["unwatched"] = np.full_like(priced["unwatched"], -MISSED_FLOOR / 10)
    return priced
