"""Planning again from where a path stands: with no news it is the same plan, and nothing signed is forgotten."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from tests.plan.labs import conduct_lab, contracts_lab, developer_lab, owner_lab
from tests.simulate.test_replay import other_futures, own_futures

from exaplan.domain.futures import Tree, World
from exaplan.domain.lab import Risk, Round
from exaplan.economy.state import states
from exaplan.plan.inputs import collect
from exaplan.plan.result import to_plan
from exaplan.plan.solve import Solved, solve_plan
from exaplan.simulate.opening import lab_from, not_carried
from exaplan.simulate.replay import replay
from exaplan.simulate.rolling import RollingOrders, line_from, solve_opening, tree_from, world_from
from exaplan.simulate.signing import Known, PlanOrders

LABS = pytest.mark.parametrize(
    "make", [contracts_lab, owner_lab, developer_lab], ids=lambda make: make.__name__
)


def chain_of(tree: Tree) -> Tree:
    """The first leaf's future as a tree of its own: nothing is uncertain."""
    nodes, node = [], int(tree.leaves[0])
    while node >= 0:
        nodes.append(node)
        node = int(tree.parent[node])
    path = np.array(nodes[::-1])
    quarters = np.arange(len(path))
    world = World(*(values[path] for values in vars(tree.world).values()))
    return replace(tree, parent=quarters - 1, stage=quarters, probability=np.ones(len(path)), world=world)


def certain(make) -> Solved:
    lab, rates, tree = make()
    # no weight on the tail: the objective is the value; no cover: it counts what has been left as owed to the end;
    # no tax and no scrap: what is left to depreciate is a loss at once, what is bought brings nothing at the end;
    # no market in prices of reservations: volume by use stays at the price of the day
    calm = lab.policy.model_copy(update={"risk": Risk(), "cover_quarters": 0.0})
    untaxed = lab.finance.model_copy(update={"tax_rate": 0.0})
    plain = {"purchase": {"residual": 0.0}, "reserved": {"market_exposure": 0.0}}
    offers = tuple(each.model_copy(update=plain.get(each.kind, {})) for each in lab.offers)
    lab = lab.model_copy(update={"policy": calm, "finance": untaxed, "offers": offers})
    return solve_plan(collect(lab, rates, chain_of(tree)))


def watch(solved: Solved, world: World) -> list[Known]:
    """What is known in each quarter of a replay of the plan."""
    seen: list[Known] = []
    rule = PlanOrders(solved)

    def watched(known: Known) -> np.ndarray:
        seen.append(
            replace(known, ordered=known.ordered.copy(), rent=known.rent.copy(), capex=known.capex.copy())
        )
        return rule(known)

    replay(solved, world, seed=1, orders=watched, absorbing=False)
    return seen


@LABS
def test_at_the_start_the_lab_of_the_path_has_the_plans_own_program(make):
    lab, rates, tree = make()
    solved = solve_plan(collect(lab, rates, tree))
    known = watch(solved, own_futures(tree))[0]
    again = solve_opening(lab_from(known, 0), tree)
    plan = solve_opening(replace(lab_from(known, 0), lab=lab, rates=rates), tree)
    assert again.solution.objective == pytest.approx(plan.solution.objective, rel=1e-9)
    order = again.program.columns.order
    assert again.value(order)[0] == pytest.approx(plan.value(order)[0], abs=1e-6)


@LABS
def test_without_news_a_plan_made_again_every_quarter_is_worth_the_plan(make):
    solved = certain(make)
    world = own_futures(solved.program.inputs.tree)
    rolling = RollingOrders(solved, world)
    outcome = replay(solved, world, seed=1, orders=rolling, absorbing=False)
    assert rolling.plans == solved.program.inputs.quarters - 1
    assert rolling.failed == 0
    assert outcome.value_usd[0] == pytest.approx(to_plan(solved).value_usd, rel=1e-4)


@LABS
def test_from_every_quarter_what_is_left_of_the_plan_is_worth_what_it_was(make):
    """Cash at the end of the horizon by the plan made again is that of the plan: nothing owed or owned is forgotten."""
    solved = certain(make)
    world = own_futures(solved.program.inputs.tree)
    plan = to_plan(solved)
    for known in watch(solved, world)[1:]:
        opening = replace(lab_from(known, 0), line=line_from(solved, known, 0))
        again = solve_opening(opening, tree_from(known, 0, world))
        inputs, t = again.program.inputs, known.quarter
        weight = inputs.tail_discount**t
        own = solved.program.inputs
        spent = (own.discount * own.cash_worth * plan.cash_usd / 1e6)[:t].sum()
        given = 1 + np.array([chance.dilution_cost for chance in own.lab.finance.rounds])
        raised = (own.discount[:t] * (plan.raised_usd[:t] / 1e6 @ given)).sum()
        ahead = again.solution.objective * weight
        assert spent - raised + ahead == pytest.approx(solved.solution.objective, rel=0.01), t


def test_what_a_path_cannot_carry_is_named():
    lab, _, _ = conduct_lab()
    assert "runs" in not_carried(lab)
    assert not_carried(owner_lab()[0]) == ()


@LABS
def test_futures_of_a_path_begin_where_it_is_and_know_nothing_of_its_own(make):
    lab, rates, tree = make()
    solved = solve_plan(collect(lab, rates, tree))
    training, world = other_futures(tree, paths=60, seed=5), other_futures(tree, paths=4, seed=8)
    for known in watch(solved, world):
        t = known.quarter
        for path in range(4):
            ahead = world_from(known, path, training)
            assert np.allclose(ahead.demand_tokens[:, 0], known.world.demand_tokens[path, t])
            assert np.allclose(ahead.rental_index[:, 0], known.world.rental_index[path, t])
            assert (ahead.slip[:, 0] == known.world.slip[path, t]).all()
            assert ahead.slip.shape[1] == tree.quarters - t


def test_news_still_to_come_does_not_change_what_is_signed():
    lab, rates, tree = contracts_lab()
    solved = solve_plan(collect(lab, rates, tree))
    training, world = other_futures(tree, paths=60, seed=5), other_futures(tree, paths=12, seed=8)
    later = {name: values.copy() for name, values in vars(world).items()}
    later["demand_tokens"][:, 3:] *= 3
    signed = [
        replay(solved, w, seed=1, orders=RollingOrders(solved, training)).ordered
        for w in (world, World(**later))
    ]
    assert np.allclose(signed[0][:, :3], signed[1][:, :3], rtol=1e-6, atol=1e-3)


def test_planning_again_does_not_depend_on_who_computes_it():
    lab, rates, tree = contracts_lab()
    solved = solve_plan(collect(lab, rates, tree))
    training, world = other_futures(tree, paths=60, seed=5), other_futures(tree, paths=20, seed=8)
    with ThreadPoolExecutor(3) as pool:
        serial = replay(solved, world, seed=1, orders=RollingOrders(solved, training))
        threaded = replay(solved, world, seed=1, orders=RollingOrders(solved, training, map=pool.map))
    assert np.array_equal(serial.value_usd, threaded.value_usd)


def test_a_round_that_is_over_leaves_the_windows_of_the_others_in_place():
    lab, rates, tree = contracts_lab()
    first = lab.horizon.first
    rounds = (
        Round(id="A", first=first, last=first, max_usd=1e6),
        Round(id="B", first=first + 1, last=first + 3, max_usd=2e6),
    )
    lab = lab.model_copy(update={"finance": lab.finance.model_copy(update={"rounds": rounds})})

    def windows(world: World) -> World:
        return replace(world, open_round=np.ones((*world.rental_index.shape, 2)))

    seen = windows(tree.world)
    tree = replace(tree, world=seen, scale=np.ones((tree.quarters, states(seen).shape[-1])))
    solved = solve_plan(collect(lab, rates, tree))
    rolling = RollingOrders(solved, windows(other_futures(tree, paths=60, seed=5)))
    world = windows(other_futures(tree, paths=6, seed=8))
    replay(solved, world, seed=1, orders=rolling)
    assert rolling.plans == 6 * (tree.quarters - 1)
    assert rolling.failed == 0


def test_a_contract_that_has_been_left_leaves_its_supplier_in_place():
    lab, rates, tree = contracts_lab()
    other = lab.contracts[0].model_copy(update={"supplier": "another"})
    lab = lab.model_copy(update={"contracts": (other, *lab.contracts[1:])})
    slip = np.repeat(tree.world.slip, 2, axis=1)
    tree = replace(tree, world=replace(tree.world, slip=slip), scale=np.ones((tree.quarters, 0)))
    seen = states(tree.world)
    tree = replace(tree, scale=np.ones((tree.quarters, seen.shape[-1])))
    known = watch(solve_plan(collect(lab, rates, tree)), own_futures(tree))[1]
    gone = replace(known, state=replace(known.state, left=np.ones_like(known.state.left)))
    assert lab_from(gone, 0).lab.suppliers == lab.suppliers
