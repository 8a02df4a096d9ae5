"""The whole program in one readable function: a lab becomes rates, a tree, a plan, a replay and an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

from exaplan.app.deciding import deciding_inputs
from exaplan.app.fanout import both, thread_map
from exaplan.app.variants import rent_only
from exaplan.domain.answer import DecidingInput
from exaplan.domain.futures import Tree, World
from exaplan.domain.lab import Lab
from exaplan.domain.outcome import Outcome
from exaplan.domain.plan import Plan
from exaplan.domain.rates import RateTable
from exaplan.economy.sampling import sample_world
from exaplan.economy.tree import grow_tree
from exaplan.io.calibration import load_calibration
from exaplan.perf.rate_table import fill_rates
from exaplan.plan.inputs import Inputs, collect
from exaplan.plan.result import to_plan
from exaplan.plan.solve import Solved, solve_plan
from exaplan.report.drawing import load_engine
from exaplan.simulate.replay import replay
from exaplan.simulate.ruin_limit import Found, search_ruin_limit

SEARCH_PATHS = 400
"""Futures of the search for a limit on P(ruin); never those of the report."""


@dataclass(frozen=True)
class Settings:
    """How a plan is made: futures to replay, the seed of everything random, whether P(ruin) is searched for."""

    paths: int = 500
    seed: int = 1
    search_ruin: bool = False


@dataclass
class Clock:
    """Seconds spent in each phase, and who wants to hear of it."""

    tell: Callable[[str], object] = lambda phase: None  # noqa: ARG005
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time a phase."""
        self.tell(name)
        begin = perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + perf_counter() - begin


@dataclass(frozen=True)
class Planned:
    """Everything one run of the pipeline made."""

    lab: Lab
    settings: Settings
    rates: RateTable
    tree: Tree
    solved: Solved
    plan: Plan
    world: World
    outcome: Outcome
    rent_only: Solved
    rent_only_outcome: Outcome
    search: Found | None
    deciding: tuple[DecidingInput, ...]
    clock: Clock


def make_plan(lab: Lab, settings: Settings, clock: Clock) -> Planned:
    """Plan a lab: technology, futures, the plan beside the rent-only alternative, and both on futures not seen.

    Raises
    ------
    InputError
        Where the lab's data cannot be planned with.
    NoAnswerError
        Where the solver finds no plan even with every policy relaxed.
    """
    with clock.phase("technology"):
        rates = fill_rates(lab, calibration=load_calibration())
    with clock.phase("tree"):
        tree = grow_tree(lab, seed=lab.futures.seed)
        world = sample_world(lab, paths=settings.paths, seed=settings.seed, purpose="report")
    search = None
    if settings.search_ruin and lab.policy.ruin is not None:
        with clock.phase("search"):
            unseen = sample_world(lab, paths=SEARCH_PATHS, seed=settings.seed, purpose="search")
            search = search_ruin_limit(lab, rates, tree, unseen, seed=settings.seed, map=thread_map)
            lab = search.lab
    with clock.phase("build"):
        inputs, renting = collect(lab, rates, tree), collect(rent_only(lab), rates, tree)
    with clock.phase("solve"):  # the plan on one core; on the other what stands beside it
        solved, (alone, other, deciding) = both(
            lambda: search.solved if search else solve_plan(inputs),
            lambda: _beside(lab, renting, world, settings),
        )
    with clock.phase("replay"):
        outcome = replay(solved, world, seed=settings.seed, map=thread_map)
    return Planned(
        lab,
        settings,
        rates,
        tree,
        solved,
        to_plan(solved),
        world,
        outcome,
        alone,
        other,
        search,
        deciding,
        clock,
    )


def _beside(
    lab: Lab, renting: Inputs, world: World, settings: Settings
) -> tuple[Solved, Outcome, tuple[DecidingInput, ...]]:
    """Do what the other core can do meanwhile: the alternative, the screening of inputs, the charts' engine."""
    alone = solve_plan(renting)
    other = replay(alone, world, seed=settings.seed)
    deciding = deciding_inputs(lab, renting.rates)
    load_engine()
    return alone, other, deciding
