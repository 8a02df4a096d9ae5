"""Monte Carlo of a plan: the plan, its alternatives and simple rules on futures that none of them was made on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

from exaplan.app.again import Made
from exaplan.app.fanout import map_with, workers
from exaplan.app.other_plans import Other, other_plans, renting
from exaplan.app.pipeline import Clock
from exaplan.domain.errors import InputError, Problem
from exaplan.domain.futures import World
from exaplan.domain.lab import Lab
from exaplan.domain.outcome import Outcome
from exaplan.domain.simulated import DelayPoint, PolicyRow, Rolling, Simulated, TunedRule
from exaplan.economy.ruin import mean_interval, ruin_probability
from exaplan.economy.sampling import sample_world
from exaplan.plan.result import to_plan
from exaplan.report.wording import money_interval, usd
from exaplan.simulate import compare
from exaplan.simulate.baselines import families
from exaplan.simulate.compare import Played
from exaplan.simulate.delay import Delay, delayed, longest_delay
from exaplan.simulate.dispatch import Map
from exaplan.simulate.opening import not_carried
from exaplan.simulate.replay import replay
from exaplan.simulate.rolling import RollingOrders, plan_on_trial, trials_in
from exaplan.simulate.signing import OrderRule
from exaplan.simulate.summary import cash_bands, replay_of, worst_futures
from exaplan.simulate.tuning import Ground, Tuned, tune

TRAINING_PATHS = 240
"""Futures on which rules are tuned, of the purpose "search": never those of the report."""

DELAY_PATHS = 1000
"""Most futures on which delays of demand are tried: each delay is a replay more."""

MOST_MONTHS = 36.0
"""Longest delay of demand that is tried; shorter where the horizon is."""

ROLLING_SAMPLE = 3000
"""Training futures from which a path that plans again takes those that resemble it."""

SOLVED_NOW = "solved now"


@dataclass(frozen=True)
class Asked:
    """How a plan is simulated."""

    paths: int = 2000
    seed: int = 1
    workers: int = 0  # 0: as many as there are cores; the answer does not depend on it
    budget: int = 24  # evaluations per simple rule
    rolling: int = 0  # futures on which the plan is made again; 0: none
    every: int = 1  # quarters between two plans
    tell: Callable[[str], object] = lambda text: None  # noqa: ARG005
    announce: Callable[[str], object] = lambda text: None  # noqa: ARG005 - what must be said before it begins

    @property
    def threads(self) -> int:
        """Threads to work in."""
        return self.workers or workers()

    @property
    def map(self) -> Map:
        """Map in as many threads as asked for."""
        return map_with(self.threads)


def simulate_plan(
    made: Made, asked: Asked, clock: Clock, *, lab_file: str | Path, version: str, plan: str = SOLVED_NOW
) -> Simulated:
    """Simulate a plan and everything it is compared with, on the same futures.

    Raises
    ------
    InputError
        Where the plan is to be made again every few quarters and the lab states what a path's state does not carry.
    """
    lab, solved = made.lab, made.solved
    if asked.rolling:
        refuse_rolling(lab)
    with clock.phase("replay"):
        world = sample_world(lab, paths=asked.paths, seed=asked.seed, purpose="report")
        outcome = replay(solved, world, seed=asked.seed, map=asked.map)
    with clock.phase("alternatives"):
        others = other_plans(made, map_with(asked.threads))
        asked.tell("replaying the alternatives")
        played = [Played("the plan", "plan", "", outcome), *(_play(one, world, asked) for one in others)]
    with clock.phase("tuning"):
        tuned = _tuned(made, asked)
        played += [_play_rule(one, world, asked) for one in tuned]
    with clock.phase("delay"):
        survived, delays = _delays(made, world, asked)
    rolling = None
    if asked.rolling:
        with clock.phase("rolling"):
            rolling = _rolling(made, world, outcome, asked)
    rows = compare.policy_rows(lab, played)
    winner, verdict = _verdict(lab, played, rows)
    figures = replay_of(lab, outcome)
    limit = lab.policy.ruin
    return Simulated(
        lab=lab.lab,
        lab_file=Path(lab_file).name,
        version=version,
        plan=plan,
        first_quarter=str(lab.horizon.first),
        quarters=lab.horizon.quarters,
        tree_value=to_plan(solved).value_usd,
        limit=limit.probability if limit else None,
        limit_quarters=limit.within_quarters if limit else None,
        cash_minimum_usd=lab.finance.cash_minimum_usd,
        replay=replace(figures, months_of_delay_survived=survived),
        verdict=verdict,
        winner=winner,
        delay_months=survived,
        delay_bounded=survived is not None and survived >= _most_months(lab),
        policies=rows,
        ruin_by_year=compare.ruin_by_year(lab, outcome),
        quantiles=compare.quantiles(outcome.value_usd),
        histogram=compare.histogram(outcome),
        lost_sales=compare.lost_sales(lab, outcome, world.price_usd_per_token),
        floor_breaches=compare.floor_breaches(lab, outcome),
        delays=tuple(_delay_row(each) for each in delays),
        tuning=tuple(_tuned_row(one) for one in tuned),
        cash=cash_bands(lab, to_plan(solved), outcome),
        stories=worst_futures(lab, outcome),
        rolling=rolling,
        remarks=tuple(_remarks(made, asked)),
        seed=asked.seed,
        timings=dict(clock.seconds),
    )


def _play(other: Other, world: World, asked: Asked) -> Played:
    rule: OrderRule | None = other.orders
    found = replay(other.solved, world, seed=asked.seed, orders=rule, map=asked.map)
    return Played(other.name, "alternative", other.setting, found)


def _tuned(made: Made, asked: Asked) -> list[Tuned]:
    training = sample_world(made.lab, paths=TRAINING_PATHS, seed=asked.seed, purpose="search")
    grounds = (Ground("the plan", made.solved), Ground("renting", renting(made)))
    return [
        tune(
            family,
            grounds,
            training,
            budget=asked.budget,
            seed=asked.seed,
            map=asked.map,
            progress=asked.tell,
        )
        for family in families(training)
        if made.solved.program.inputs.sets.orderable or not family.parameters
    ]


def _play_rule(tuned: Tuned, world: World, asked: Asked) -> Played:
    rule = tuned.family.make(tuned.setting)
    found = replay(tuned.ground.solved, world, seed=asked.seed, orders=rule, map=asked.map)
    return Played(tuned.family.name, "rule", _setting(tuned), found)


def _setting(tuned: Tuned) -> str:
    pairs = zip(tuned.family.parameters, tuned.setting, strict=True)
    return ", ".join([*(f"{name} {value:.2f}" for name, value in pairs), f"prices of {tuned.ground.name}"])


def _tuned_row(tuned: Tuned) -> TunedRule:
    name, setting = tuned.family.name, _setting(tuned)
    return TunedRule(name, setting, tuned.evaluations, TRAINING_PATHS, tuned.value_usd, tuned.p_ruin)


def _most_months(lab: Lab) -> float:
    return min(MOST_MONTHS, 3.0 * (lab.horizon.quarters - 1))


def _delays(made: Made, world: World, asked: Asked) -> tuple[float | None, tuple[Delay, ...]]:
    few = world.first(min(DELAY_PATHS, asked.paths))

    def run(months: float) -> Outcome:
        asked.tell(f"demand {months:g} months late")
        return replay(made.solved, delayed(few, months), seed=asked.seed, map=asked.map)

    return longest_delay(made.lab, run, most_months=_most_months(made.lab))


def _delay_row(each: Delay) -> DelayPoint:
    low, high = each.interval
    return DelayPoint(
        each.months, each.p_ruin, low, high, each.least_median_cash_usd, each.value_usd, each.survived
    )


def refuse_rolling(lab: Lab) -> None:
    """Refuse to plan again where the lab states what a path's state does not carry.

    Raises
    ------
    InputError
        With the names of what it states.
    """
    left = not_carried(lab)
    if left:
        reason = f"--rolling plans orders again from a path's state, which does not carry: {', '.join(left)}"
        raise InputError(
            Problem(reason, suggestion="simulate without --rolling, or take these out of a copy")
        )


def _rolling(made: Made, world: World, outcome: Outcome, asked: Asked) -> Rolling:
    """Make the plan again every few quarters on the first of the futures, and set it beside the plan on the same ones."""
    count = min(asked.rolling - asked.rolling % 2 or 2, asked.paths)
    training = sample_world(made.lab, paths=ROLLING_SAMPLE, seed=asked.seed, purpose="search")
    begin = perf_counter()
    plan_on_trial(made.solved, training)
    trials = trials_in(made.lab.horizon.quarters, paths=count, every=asked.every, workers=asked.threads)
    seconds = (perf_counter() - begin) * trials
    asked.announce(
        f"planning again on {count} futures every {asked.every} quarter(s): about {max(seconds / 60, 0.1):.1f} minutes"
    )
    rule = RollingOrders(made.solved, training, every=asked.every, map=asked.map, tell=asked.tell)
    found = replay(
        made.solved, world.first(count), seed=asked.seed, orders=rule, together=True, map=asked.map
    )
    within = made.lab.policy.ruin.within_quarters if made.lab.policy.ruin else None
    own = outcome.value_usd[:count]
    paired = count % 2 == 0 and count > 2
    value, *value_ci = mean_interval(found.value_usd, antithetic=paired)
    gain, *gain_ci = mean_interval(found.value_usd - own, antithetic=paired)
    p_ruin, p_ci = ruin_probability(found.ruined_in, within, antithetic=paired)
    return Rolling(
        paths=count,
        every=asked.every,
        plans=rule.plans,
        failed=rule.failed,
        value=value,
        value_ci=(value_ci[0], value_ci[1]),
        plan_value=float(own.mean()),
        gain=gain,
        gain_ci=(gain_ci[0], gain_ci[1]),
        p_ruin=p_ruin,
        p_ruin_ci=p_ci,
        plan_p_ruin=ruin_probability(outcome.ruined_in[:count], within)[0],
    )


def _verdict(lab: Lab, played: Sequence[Played], rows: Sequence[PolicyRow]) -> tuple[str | None, str]:
    """Say which policy wins, in a sentence; None where two cannot be told apart."""
    winner, tied = compare.winner_of(played, rows)
    among = "policies that keep the limit on P(ruin)" if lab.policy.ruin else "policies"
    if lab.policy.ruin and not any(row.within_limit for row in rows):
        among = "policies (none keeps the limit on P(ruin))"
    if winner is None:
        return None, f"No policy wins beyond doubt: {tied} cannot be told apart among the {among}."
    if winner == rows[0].name:
        return winner, f"The plan wins among the {among}."
    broke = rows[0].within_limit is False and any(row.within_limit for row in rows)
    more = "; the plan itself does not keep it" if broke else ""
    best = next(row for row in rows if row.name == winner)
    worth = f"{usd(best.gain, signed=True)}, {money_interval(best.gain_ci, signed=True)}"
    return winner, f"The plan does NOT win: {winner!r} does ({worth}), among the {among}{more}."


def _remarks(made: Made, asked: Asked) -> list[str]:
    remarks = [
        (
            "Off the tree a path follows the nearest node for everything but orders: rounds of equity, debt, exits, deals, "
            "runs and prices offered. Rules are dispatched at the prices of a node, too: the plan's, or those of the plan that "
            "signs nothing, whichever tuning found better."
        ),
        (
            f"Simple rules were tuned on {TRAINING_PATHS} futures of their own with {asked.budget} evaluations each; "
            "regret is against the best policy of the table in each future, known only in hindsight."
        ),
    ]
    if made.solved.relaxed:
        remarks.append(f"The plan cannot keep {', '.join(made.solved.relaxed)}.")
    if asked.paths > DELAY_PATHS:
        remarks.append(f"Delays of demand are tried on the first {DELAY_PATHS:,} of the futures.")
    return remarks
