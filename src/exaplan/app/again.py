"""Plan a changed lab from a plan that is there, and put what came out into one row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from exaplan.app.fanout import thread_map
from exaplan.app.pipeline import Clock
from exaplan.domain.explored import Component, KeyFigure, Point, QuarterFigures, Signed
from exaplan.domain.futures import Tree, World
from exaplan.domain.lab import Lab
from exaplan.domain.outcome import Outcome
from exaplan.domain.rates import RateTable
from exaplan.economy.ruin import mean_interval
from exaplan.economy.sampling import Purpose, sample_world
from exaplan.economy.tree import grow_tree
from exaplan.io.calibration import load_calibration
from exaplan.perf.rate_table import fill_rates
from exaplan.plan.accounts import FEW_CHIPS, contract_value
from exaplan.plan.inputs import collect
from exaplan.plan.prices import limits_of
from exaplan.plan.reads import read_by_futures, read_by_rates
from exaplan.plan.result import to_plan
from exaplan.plan.solve import Solved, solve_plan
from exaplan.plan.warm import on_the_line_of, solve_warm
from exaplan.simulate.replay import replay
from exaplan.simulate.summary import replay_of


@dataclass(frozen=True)
class Made:
    """A solved plan with what it was made from, how the solver started, and how long all of it took."""

    lab: Lab
    rates: RateTable
    tree: Tree
    solved: Solved
    start: str = "cold"
    why: str = "the first plan"
    anew: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class Seen:
    """A plan and its replay."""

    made: Made
    outcome: Outcome


def make_base(lab: Lab, clock: Clock) -> Made:
    """Plan the lab as it is, from nothing.

    Raises
    ------
    InputError
        Where the lab's data cannot be planned with.
    NoAnswerError
        Where the solver finds no plan even with every policy relaxed.
    """
    begin = perf_counter()
    with clock.phase("technology"):
        rates = fill_rates(lab, calibration=load_calibration())
    with clock.phase("tree"):
        tree = grow_tree(lab, seed=lab.futures.seed)
    with clock.phase("solve"):
        solved = solve_plan(collect(lab, rates, tree), progress=clock.watch)
    return Made(lab, rates, tree, solved, seconds=perf_counter() - begin)


def make_again(base: Made, lab: Lab, *, start: Solved | None = None) -> Made:
    """Plan a changed lab: rates and futures only where the change touches what they read, the program from ``start``.

    The demand effect stays on the line of ``base``; ``start`` is the plan whose basis is nearest, else that of ``base``.

    Raises
    ------
    InputError, NoAnswerError
        As :func:`make_base`.
    """
    begin, anew = perf_counter(), []
    rates, tree = base.rates, base.tree
    if read_by_rates(lab) != read_by_rates(base.lab):
        rates = fill_rates(lab, calibration=load_calibration())
        anew.append("rates")
    if read_by_futures(lab) != read_by_futures(base.lab):
        tree = grow_tree(lab, seed=lab.futures.seed)
        anew.append("futures")
    inputs = on_the_line_of(base.solved, collect(lab, rates, tree))
    found = solve_warm(start or base.solved, inputs)
    return Made(lab, rates, tree, found.solved, found.route, found.why, tuple(anew), perf_counter() - begin)


def see(made: Made, *, paths: int, seed: int, purpose: Purpose = "report", alone: bool = False) -> Seen:
    """Replay a plan; the same seed gives the same random numbers whatever was changed. ``alone`` keeps to one thread."""
    world = world_of(made.lab, paths=paths, seed=seed, purpose=purpose)
    mapped: Callable[..., object] = map if alone else thread_map
    return Seen(made, replay(made.solved, world, seed=seed, map=mapped))  # type: ignore[arg-type]


def world_of(lab: Lab, *, paths: int, seed: int, purpose: Purpose) -> World:
    """Sample the futures that plans are replayed on."""
    return sample_world(lab, paths=paths, seed=seed, purpose=purpose)


def point_of(name: str, changes: dict[str, str], seen: Seen, base: Seen | None) -> Point:
    """Put a plan and its replay into one row; ``base`` is the plan it is compared with."""
    made, outcome = seen.made, seen.outcome
    found, plan = replay_of(made.lab, outcome), to_plan(made.solved)
    limits = limits_of(made.solved)
    lead = _lead(seen)
    gain = None if base is None else _interval(outcome.value_usd - base.outcome.value_usd)
    return Point(
        name=name,
        changes=tuple(changes.items()),
        value=found.value,
        value_ci=found.value_ci,
        p_ruin=found.p_ruin,
        p_ruin_ci=found.p_ruin_ci,
        lead=None if lead is None else lead[0],
        lead_ci=None if lead is None else lead[1:],
        served_share=found.served_share,
        tree_value=plan.value_usd,
        gain=None if gain is None else gain[0],
        gain_ci=None if gain is None else gain[1:],
        signed=_signed(made.solved),
        binds=tuple(limit.name for limit in limits if limit.state == "binds"),
        relaxed=tuple(limit.name for limit in limits if limit.state == "relaxed"),
        components=_components(seen),
        quarters=_quarters(seen),
        figures=_figures(seen),
        start=made.start,
        why=made.why,
        anew=made.anew,
        seconds=made.seconds,
    )


def _interval(values: np.ndarray) -> tuple[float, float, float]:
    return mean_interval(values, antithetic=len(values) % 2 == 0 and len(values) > 2)


def _lead(seen: Seen) -> tuple[float, float, float] | None:
    """Capability ratio in the last quarter; a lab that is ruined by then has none."""
    if seen.made.lab.capability is None:
        return None
    return _interval(np.where(seen.outcome.ruined_in >= 0, 0.0, seen.outcome.ratio[:, -1]))


def lead_of(seen: Seen) -> float | None:
    """Mean capability ratio in the last quarter; None where the lab has no capability."""
    found = _lead(seen)
    return None if found is None else found[0]


def _signed(solved: Solved) -> tuple[Signed, ...]:
    inputs, plan = solved.program.inputs, to_plan(solved)
    worth = contract_value(inputs)[0]
    rows = [
        Signed(offer, float(chips), float(chips * each))
        for offer, chips, each in zip(plan.offers, plan.ordered[0], worth, strict=True)
        if chips > FEW_CHIPS
    ]
    return tuple(sorted(rows, key=lambda row: (-row.committed_usd, row.offer)))


def _components(seen: Seen) -> tuple[Component, ...]:
    """Split the mean value: discounted flows of the horizon by kind, and the rest, which is capital, tax and the end."""
    outcome, inputs = seen.outcome, seen.made.solved.program.inputs
    factor = inputs.tail_discount ** np.arange(outcome.revenue_usd.shape[1])
    flows = {
        "revenue": outcome.revenue_usd,
        "compute": -outcome.compute_cost_usd,
        "purchases": -outcome.capex_usd,
        "other costs": -outcome.other_cost_usd,
    }
    parts = {name: float((values @ factor).mean()) for name, values in flows.items()}
    parts["capital and the end"] = float(outcome.value_usd.mean()) - sum(parts.values())
    return tuple(Component(name, usd) for name, usd in parts.items())


def _quarters(seen: Seen) -> tuple[QuarterFigures, ...]:
    outcome, first = seen.outcome, seen.made.lab.horizon.first
    spend = (outcome.compute_cost_usd + outcome.capex_usd).mean(axis=0)
    columns = (outcome.at_work.mean(axis=0), outcome.revenue_usd.mean(axis=0), spend, np.median(outcome.cash_usd, axis=0))  # fmt: skip
    return tuple(
        QuarterFigures(str(first + t), *(float(column[t]) for column in columns)) for t in range(len(spend))
    )


def _figures(seen: Seen) -> tuple[KeyFigure, ...]:
    """Key figures that need no alternative beside them."""
    outcome = seen.outcome
    signed = _signed(seen.made.solved)
    lowest = float(outcome.cash_usd.min(axis=1).mean())
    spend = float((outcome.compute_cost_usd + outcome.capex_usd).sum(axis=1).mean())
    revenue = float(outcome.revenue_usd.sum(axis=1).mean())
    return (
        KeyFigure("committed_now", "Committed in the first quarter", sum(row.committed_usd for row in signed), "USD"),
        KeyFigure("revenue", "Revenue over the horizon", revenue, "USD"),
        KeyFigure("compute_spend", "Spend on compute over the horizon", spend, "USD"),
        KeyFigure("lowest_cash", "Lowest cash on the way, mean over futures", lowest, "USD"),
        KeyFigure("development_flop", "Development compute over the horizon", float(outcome.flop.sum(axis=1).mean()), "FLOP"),
        KeyFigure("p05_value", "Value in the worst twentieth of futures (5 % quantile)", float(np.quantile(outcome.value_usd, 0.05)), "USD"),
    )  # fmt: skip
