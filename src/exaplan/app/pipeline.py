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
from exaplan.optimize.highs import Progress
from exaplan.perf.rate_table import fill_rates
from exaplan.plan.inputs import Inputs, collect
from exaplan.plan.result import to_plan
from exaplan.plan.solve import Effort, Solved, solve_plan
from exaplan.plan.tree_worth import TreeWorth, tree_worth
from exaplan.report.drawing import load_engine
from exaplan.simulate.replay import replay
from exaplan.simulate.ruin_limit import Found, Futures, search_ruin_limit

SCREEN_PATHS = 1000
"""Futures on which every plan of the search for a limit on P(ruin) is screened; never those of the report."""

CONFIRM_PATHS, BATCHES = 20_000, 4
"""Fresh futures on which plans are confirmed, and in how many batches: at 2 % the interval is +-0.2 points wide."""

LEDGER_PATHS = 2000
"""Most futures of a replay whose ledger is kept, for the key figures; of more, the first ones are booked once more."""


@dataclass(frozen=True)
class Settings:
    """How a plan is made: futures to replay, the seed of everything random, what else is worked out.

    ``search_ruin`` searches for the plan that keeps the limit on P(ruin); ``tree_worth`` solves the plans that know less of
    the tree; ``effort`` says by which route, to which gap and for how long.
    """

    paths: int = 500
    seed: int = 1
    search_ruin: bool = False
    tree_worth: bool = False
    effort: Effort = field(default_factory=Effort)

    @property
    def itemize(self) -> bool:
        """Whether replays keep their ledger."""
        return self.paths <= LEDGER_PATHS


@dataclass
class Clock:
    """Seconds spent in each phase, who wants to hear of it, and who may stop a solve."""

    tell: Callable[[str], object] = lambda phase: None  # noqa: ARG005
    stop: Callable[[], bool] = lambda: False
    seconds: dict[str, float] = field(default_factory=dict)

    def watch(self, progress: Progress) -> bool:
        """Tell how far a solve has come; true stops it with the best plan so far."""
        self.tell(solve_words(progress))
        return self.stop()

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time a phase."""
        self.tell(name)
        begin = perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + perf_counter() - begin


def solve_words(progress: Progress) -> str:
    """Write the state of a solve: phase, bound, best plan, gap, seconds left as far as the method tells them.

    Examples
    --------
    >>> solve_words(Progress(12, 90.0, 100.0, phase="cuts", seconds_left=8.0))
    'solving, cuts: iteration 12, bound 100 M$, best 90 M$, gap 10.00 %, about 8 s left'
    """
    parts = []
    if progress.iterations is not None:
        parts.append(f"iteration {progress.iterations:,}")
    if progress.bound is not None:
        parts.append(f"bound {progress.bound:,.0f} M$")
    if progress.objective is not None:
        parts.append(f"best {progress.objective:,.0f} M$")
    if progress.bound is not None and progress.objective is not None:
        gap = abs(progress.bound - progress.objective) / max(
            1.0, abs(progress.bound), abs(progress.objective)
        )
        parts.append(f"gap {gap * 100:.2f} %")
    if progress.share is not None:
        parts.append(f"{progress.share:.0%} of the phase")
    if progress.seconds_left is not None:
        parts.append(f"about {progress.seconds_left:.0f} s left")
    return f"solving, {progress.phase}: " + ", ".join(parts) if parts else "solving"


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
    tree_worth: TreeWorth | None = None


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
            search = search_ruin_limit(
                lab, rates, tree, search_futures(lab, settings.seed), map=thread_map, map_chunks=thread_map,
                progress=lambda text: clock.tell(f"search: {text}"),
            )  # fmt: skip
            lab = search.lab
    with clock.phase("build"):
        inputs, renting = collect(lab, rates, tree), collect(rent_only(lab), rates, tree)
    with clock.phase("solve"):  # the plan on one core; on the other what stands beside it
        solved, (alone, other, deciding) = both(
            lambda: (
                search.solved if search else solve_plan(inputs, effort=settings.effort, progress=clock.watch)
            ),
            lambda: _beside(lab, renting, world, settings),
        )
    with clock.phase("replay"):
        outcome = replay(solved, world, seed=settings.seed, itemize=settings.itemize, map=thread_map)
    worth = None
    if settings.tree_worth:
        with clock.phase("tree worth"):
            worth = tree_worth(solved, map=thread_map)
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
        worth,
    )


def search_futures(lab: Lab, seed: int) -> Futures:
    """Sample what the search for a limit on P(ruin) screens and confirms plans on."""
    screen = sample_world(lab, paths=SCREEN_PATHS, seed=seed, purpose="search")
    fresh = sample_world(lab, paths=CONFIRM_PATHS, seed=seed, purpose="confirm")
    size = CONFIRM_PATHS // BATCHES
    batches = [
        World(*(field[begin : begin + size] for field in vars(fresh).values()))
        for begin in range(0, CONFIRM_PATHS, size)
    ]
    return Futures(screen, batches, seed)


def _beside(
    lab: Lab, renting: Inputs, world: World, settings: Settings
) -> tuple[Solved, Outcome, tuple[DecidingInput, ...]]:
    """Do what the other core can do meanwhile: the alternative, the screening of inputs, the charts' engine."""
    alone = solve_plan(renting)
    other = replay(alone, world, seed=settings.seed, itemize=settings.itemize)
    deciding = deciding_inputs(lab, renting.rates)
    load_engine()
    return alone, other, deciding
