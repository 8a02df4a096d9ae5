"""What holds in a lab with everything on at once, whatever the combination: each claim is a property of all paths."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from tests.simulate.test_dispatch_many import as_from_nothing, chunks_of
from tests.simulate.test_replay import own_futures
from tests.simulate.test_statements import CENT, CONVENTIONS, every_flow_is_missed
from tests.simulate.whole_lab import LIQUID, OWN, sampled, whole_plan

from exaplan.domain.futures import World
from exaplan.economy.drawn_up import draw_up
from exaplan.economy.ruin import ruin_probability
from exaplan.plan.formulation import build_stage
from exaplan.plan.result import to_plan
from exaplan.simulate import dispatch
from exaplan.simulate.baselines import families, rent_only
from exaplan.simulate.renewals import Renewals
from exaplan.simulate.replay import replay
from exaplan.simulate.rolling import RollingOrders

BOTH = pytest.mark.parametrize("features", [LIQUID, OWN], ids=["liquid", "own silicon"])
USD = 1e6


def some(world: World, paths: np.ndarray) -> World:
    return World(*(values[paths] for values in vars(world).values()))


@BOTH
@pytest.mark.parametrize("blocks", [1, 3])
def test_on_the_trees_own_futures_every_path_is_worth_what_the_plan_said(features, blocks):
    solved = whole_plan(features, blocks)
    inputs, plan = solved.program.inputs, to_plan(solved)
    outcome = replay(solved, own_futures(inputs.tree), seed=1, absorbing=False, itemize=True)
    assert outcome.value_usd == pytest.approx(plan.leaf_value_usd, rel=1e-9)
    planned = solved.value(solved.program.columns.cash)[inputs.at_quarter[inputs.tails]] * USD
    assert outcome.ledger.cash == pytest.approx(planned, rel=1e-9, abs=0.01)


@BOTH
def test_every_number_of_a_paths_program_is_its_own(features):
    """Among others a path has the bounds, costs and sides of rows that it has when it is alone: no number is a neighbor's."""
    solved = whole_plan(features)
    for chunk in chunks_of(solved, sampled(60, features=features)):
        programs = chunk.programs()
        for path in range(0, len(chunk.stage.weight), 3):
            part = chunk.part(np.array([path]))
            model, columns = build_stage(chunk.sets, part.stage)
            alone = replace(part, model=model, columns=columns).programs()
            for name, values in vars(alone).items():
                assert np.array_equal(getattr(programs, name)[path], values[0]), name


@BOTH
def test_the_program_of_a_path_has_the_value_of_a_cold_solve_where_all_rates_differ(features):
    solved, rng = whole_plan(features), np.random.default_rng(5)
    for chunk in chunks_of(solved, sampled(features=features)):
        assert len(np.unique(chunk.stage.rate, axis=0)) == len(chunk.stage.weight)
        as_from_nothing(chunk, rng.choice(len(chunk.stage.weight), size=5, replace=False))


@BOTH
def test_what_happens_on_a_path_does_not_depend_on_its_company(features):
    solved, world = whole_plan(features), sampled(60, features=features)
    few = np.arange(0, 60, 4)
    among, apart = (replay(solved, each, seed=1) for each in (world, some(world, few)))
    assert among.value_usd[few] == pytest.approx(apart.value_usd, rel=1e-9)
    assert among.cash_usd[few] == pytest.approx(apart.cash_usd, rel=1e-9, abs=0.01)


def rules(solved, training):
    """Every order rule, each made anew: a rule that plans again keeps what it has planned."""
    made = {"plan": lambda: None, "rolling": lambda: RollingOrders(solved, training, every=2)}
    for family in families(training):
        middle = tuple((low + high) / 2 for low, high in zip(family.low, family.high, strict=True))
        made[family.name] = partial(family.make, middle)
    return made


@BOTH
def test_news_still_to_come_changes_nothing_done_before_whatever_the_rule(features):
    solved, training = whole_plan(features, 1), sampled(200, 9, features)
    world, other = sampled(10, features=features), sampled(10, 77, features)
    for name, rule in rules(solved, training).items():
        now = replay(solved, world, seed=1, orders=rule(), itemize=True)
        for t in (1, 2):
            later = {field: values.copy() for field, values in vars(world).items()}
            for field, values in later.items():
                values[:, t + 1 :] = getattr(other, field)[:, t + 1 :]
            later["gone"] = np.maximum.accumulate(later["gone"], axis=1)
            then = replay(solved, World(**later), seed=1, orders=rule(), itemize=True)
            for what in ("ordered", "served_tokens", "cash_usd", "flop", "ratio"):
                first, second = (getattr(each, what)[:, : t + 1] for each in (now, then))
                assert np.allclose(first, second, rtol=1e-9, atol=1e-3), (name, t, what)
            for flow in set(now.ledger.flows) & set(then.ledger.flows):
                first, second = (each.ledger.flows[flow][:, : t + 1] for each in (now, then))
                assert np.allclose(first, second, rtol=1e-9, atol=0.01), (name, t, flow)


@BOTH
def test_no_path_keeps_more_chips_than_have_ended_on_it(features):
    solved = whole_plan(features, 1)
    for orders in (None, rent_only):
        kept = renewed(solved, sampled(60, features=features), orders)
        for chips, ending in kept:
            assert (chips <= ending + 1e-9).all()


def renewed(solved, world, orders):
    """Chips renewed and chips ended so far, in every quarter of a replay."""
    seen = []
    plain = Renewals._renew

    def watched(self, world, node, t, ending):
        plain(self, world, node, t, ending)
        before = seen[-1][1] if seen else 0.0
        seen.append((self.chips.sum(axis=1), before + ending))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Renewals, "_renew", watched)
        replay(solved, world, seed=1, orders=orders)
    assert seen
    return seen


@BOTH
def test_the_ledger_adds_up_and_the_balance_holds_under_all_conventions(features):
    solved = whole_plan(features)
    lab = solved.program.inputs.lab
    for absorbing in (True, False):
        outcome = replay(solved, sampled(60, features=features), seed=1, absorbing=absorbing, itemize=True)
        change = np.diff(outcome.cash_usd, axis=1, prepend=outcome.ledger.opening.cash_usd)
        assert sum(outcome.ledger.flows.values()) == pytest.approx(change, abs=1e-4)
        for switches in CONVENTIONS[::5]:
            assert draw_up(lab, outcome.ledger, switches).difference.max() < CENT
    assert every_flow_is_missed(lab, outcome.ledger, CONVENTIONS[0])


@BOTH
def test_ruin_is_cash_below_the_minimum_with_nothing_left_to_draw_and_never_less_likely_later(features):
    solved, world = whole_plan(features), sampled(200, features=features)
    inputs = solved.program.inputs
    outcome = replay(solved, world, seed=1)
    chances = [ruin_probability(outcome.ruined_in, quarters)[0] for quarters in range(1, 5)]
    assert chances == sorted(chances)
    carried = replay(solved, world, seed=1, absorbing=False, itemize=True)
    rescue = carried.ledger.flows.get("rescue", np.zeros(carried.cash_usd.shape))[:, : inputs.quarters]
    short = rescue > 1.0
    first = np.where(short.any(axis=1), short.argmax(axis=1), -1)
    assert np.array_equal(outcome.ruined_in, first)


@BOTH
@pytest.mark.parametrize("rolling", [False, True], ids=["the plan", "planning again"])
def test_the_same_bytes_come_from_one_two_and_three_workers(features, rolling, monkeypatch):
    monkeypatch.setattr(dispatch, "CHUNK", 6)
    solved, training, world = whole_plan(features), sampled(200, 9, features), sampled(20, features=features)
    answers = set()
    for workers in (1, 2, 3):
        with ThreadPoolExecutor(workers) as pool:
            orders = RollingOrders(solved, training, every=3, map=pool.map) if rolling else None
            outcome = replay(solved, world, seed=1, orders=orders, map=pool.map, itemize=True)
        arrays = [values for values in vars(outcome).values() if isinstance(values, np.ndarray)]
        flows = [outcome.ledger.flows[name] for name in sorted(outcome.ledger.flows)]
        answers.add(b"".join(values.tobytes() for values in (*arrays, *flows)))
    assert len(answers) == 1
