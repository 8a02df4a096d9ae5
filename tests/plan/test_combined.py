"""Features written apart work together: by hand where two of them meet, and in a lab that has all of them.

A chip serves 1e9 tokens a quarter worth 10 000 USD, trains 1e21 FLOP, and costs 6000 USD by the hour, unless a test
says otherwise; no discounting.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from tests.plan import toy
from tests.plan.combined_lab import FEATURES, combined_lab
from tests.plan.demand_labs import faster, launch, models, points, run, segment, trust_lab, trusted
from tests.plan.test_conduct_rows import internal
from tests.plan.test_pool_rows import by_pool, two_pools
from tests.simulate.test_replay import other_futures, own_futures

from exaplan.domain.deals import Channel, Equity, Payment, Renewal, RevenueShare
from exaplan.domain.lab import Floor, Policy
from exaplan.domain.runs import Run
from exaplan.domain.segment import ServingModel
from exaplan.optimize.certificate import certify
from exaplan.optimize.highs import solve
from exaplan.optimize.routes import solve_staged
from exaplan.plan.deal_result import deals_of
from exaplan.plan.deal_rows import largest_revenue
from exaplan.plan.decided import decided_of
from exaplan.plan.formulation import build_program
from exaplan.plan.impossible import prechecks
from exaplan.plan.inputs import collect
from exaplan.plan.prices import limits_of
from exaplan.plan.result import stage_worth, to_plan
from exaplan.plan.solve import CLOSE, solve_plan, volume_error
from exaplan.plan.staging import home, staged_of
from exaplan.plan.trust_rows import safety_tokens
from exaplan.plan.warm import solve_warm
from exaplan.simulate.dispatch import State, priced_for, run_quarter
from exaplan.simulate.replay import replay

PAIRS = tuple(combinations(FEATURES, 2))
LUMPY = ("lots", "steps", "pool", "silicon", "deals", "launches", "runs", "segments")
"""Features with whole numbers: the lab of all others is a linear program."""


def near(value):
    return pytest.approx(value, rel=1e-6, abs=1e-3)


def replays_to_its_value(features) -> None:
    solved = solve_plan(collect(*combined_lab(features)))
    plan, tree = to_plan(solved), solved.program.inputs.tree
    assert max(vars(plan.certificate).values()) < 1e-6
    outcome = replay(solved, own_futures(tree), seed=1, absorbing=False)
    assert tree.probability[tree.leaves] @ outcome.value_usd == pytest.approx(plan.value_usd, rel=1e-6)


@pytest.mark.parametrize("feature", FEATURES)
def test_each_feature_alone_is_worth_in_the_replay_what_the_plan_said(feature):
    replays_to_its_value((feature,))


@pytest.mark.parametrize("pair", PAIRS[::24], ids="-".join)
def test_features_in_pairs_are_worth_in_the_replay_what_the_plan_said(pair):
    replays_to_its_value(pair)


@pytest.mark.slow
@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair not in PAIRS[::24]], ids="-".join)
def test_all_other_pairs_are_worth_in_the_replay_what_the_plan_said(pair):
    replays_to_its_value(pair)


@pytest.mark.slow
def test_all_features_together_are_worth_in_the_replay_what_the_plan_said():
    replays_to_its_value(FEATURES)


@pytest.fixture(scope="module")
def whole():
    """Every feature, whole numbers relaxed."""
    program = build_program(collect(*combined_lab()))
    return replace(program, model=replace(program.model, integer=None))


def test_every_range_of_every_feature_stands_at_nodes_and_no_row_leaves_its_path(whole):
    inputs, staged = whole.inputs, staged_of(whole)
    assert staged.coupling_rows.tolist() == []
    everywhere = (inputs.tree_nodes, inputs.nodes, len(inputs.tails))
    assert {name for name, each in whole.model.columns.items() if not each.shape} == {
        "value_at_risk",
        "risk_excess",
    }
    ranges = [each for each in (*whole.model.columns.values(), *whole.model.rows.values()) if each.shape]
    assert all(each.shape[0] in everywhere for each in ranges if each.size)
    known = inputs.at_quarter[:, :, None]
    for rows in (each for each in whole.model.rows.values() if each.size):
        own = home(rows, inputs)
        deepest = staged.row_node[rows.span]
        assert ((own == deepest) | (known[own, :, 0] == deepest[:, None]).any(axis=1)).all(), rows


@pytest.mark.parametrize("route", ["two-stage", "subtree"])
def test_a_plan_of_every_feature_cut_in_two_is_the_plan_in_one_piece(whole, route):
    staged = staged_of(whole)
    one = solve(staged.model)
    found = solve_staged(staged, route=route, gap=1e-7)
    assert found.solution.objective == pytest.approx(one.objective, rel=1e-5)
    assert found.solution.bound == pytest.approx(one.objective, rel=1e-5)
    assert max(certify(staged.model, found.solution)) < 1e-6


@pytest.mark.parametrize(
    "features",
    [
        tuple(name for name in FEATURES if name not in LUMPY),
        ("runs", "mix", "prices"),
        ("segments", "internal", "launches"),
    ],
    ids=["all but lumps", "runs and mix", "models and own use"],
)
def test_no_future_however_far_away_stops_the_replay(features):
    solved = solve_plan(collect(*combined_lab(features)))
    world = other_futures(solved.program.inputs.tree, paths=60)
    steps = np.random.default_rng(1).normal(-0.5, 1.5, size=world.demand_tokens.shape)
    steps[:, 0] = 0.0
    wild = replace(world, demand_tokens=world.demand_tokens * np.exp(steps.cumsum(axis=1)))
    outcome = replay(solved, wild, seed=1, absorbing=False)
    asked = outcome.demand_tokens - outcome.lost_tokens
    assert (outcome.served_tokens <= np.maximum(asked, 0) * (1 + 1e-6) + 1e3).all()
    assert (outcome.ratio >= 0).all()


def test_a_path_without_chips_owes_what_the_runs_of_its_node_took():
    solved = solve_plan(collect(*combined_lab(("runs", "mix"))))
    inputs, columns, decided = solved.program.inputs, solved.program.columns, decided_of(solved)
    (node, *_) = np.flatnonzero(decided.rows["effort_plane"].max(axis=1) > 1e-6)
    at = np.array([node])
    bare = inputs.stage.take(at)
    bare = replace(bare, contract_chips=0 * bare.contract_chips, rent_max=0 * bare.rent_max)
    state = State(
        **{name: 0 * solved.value(getattr(columns, name))[at] for name in ("stock", "left", "lost", "ready", "finished", "offered")},
        effect=np.ones((1, len(inputs.sets.serve))), brought=decided.brought[at],
    )  # fmt: skip
    prices = priced_for(stage_worth(solved), at, inputs.sets, bare, inputs.stage)
    added = {name: amount[at] for name, amount in decided.rows.items()}
    work = run_quarter(inputs.sets, bare, state, prices, decided=added)
    assert work.work.sum() == near(0)
    assert work.effort[0] < 0
    assert work.progress[0] < 0


def test_a_degenerate_plan_is_solved_although_the_solver_first_gives_up():
    # without perturbed costs the dual simplex stops in a cycle on these two
    for features in (("tax", "floors"), ("internal", "tax")):
        found = solve(build_program(collect(*combined_lab(features))).model)
        assert found.status == "optimal"


# --------------------------------------------------------------------------------------------------- where two of them meet


def test_own_use_is_no_safety_work_and_earns_no_trust():
    lab, _, tree = trust_lab()
    with_staff = lab.model_copy(update={"workloads": (*lab.workloads, internal(saving=0.0))})
    alone, beside = (
        solve_plan(collect(each, toy.rates(each, speed={"b": 2.0}), tree)) for each in (lab, with_staff)
    )
    sets, stage = beside.program.inputs.sets, beside.program.inputs.stage
    arcs, tokens = safety_tokens(sets, stage)
    assert set(sets.arc_workload[arcs]) == {sets.workloads.index("oversight")}
    assert tokens == pytest.approx(safety_tokens(alone.program.inputs.sets, alone.program.inputs.stage)[1])
    assert beside.solution.objective == near(alone.solution.objective)


def brought_by(kind: str) -> dict:
    """What triples demand from the second of three quarters on: a run, a deal, or a launch."""
    if kind == "run":
        return {
            "runs": (Run(id="next", workload="pretrain", flop=1e21, uplift=2.0, uplift_workloads=("chat",)),)
        }
    if kind == "deal":
        channels = (Channel(workload="chat", share=2.0, after_quarters=1),)
        return {"deals": (Equity(id="stake", supplier="cloud", last=toy.FIRST, investment=(Payment(amount_usd=1.0),), channels=channels),)}  # fmt: skip
    return {"launches": (launch(step_share=2.0),)}


@pytest.mark.parametrize("kind", ["run", "deal", "launch"])
def test_a_distilled_model_serves_customers_whoever_brought_them(kind):
    able = (ServingModel(model="large"), ServingModel(model="small", distil=run(1, last=0)))
    lab = toy.lab(
        quarters=3, models=models("m", "large", "small"), workloads=(segment(*able), toy.train()),
        offers=(toy.on_demand(),), finance=toy.finance(cash_usd=1e8), **brought_by(kind),
    )  # fmt: skip
    solved = solve_plan(collect(lab, faster(lab, small=4.0), toy.tree(lab)))
    plan = to_plan(solved)
    # 3000 chips of demand in the last quarter, four times as fast with the small model: 750 chips and none of the large
    assert plan.at_work[2, :2, 0] == near([0, 750])
    outcome = replay(solved, other_futures(solved.program.inputs.tree), seed=1, absorbing=False)
    # off the tree the cheap model serves what was brought there too
    assert outcome.served_tokens[:, 2, 0] == pytest.approx(outcome.demand_tokens[:, 2, 0], rel=1e-6)
    assert (outcome.at_work[:, 2] * 4e9 >= outcome.served_tokens[:, 2, 0] * (1 - 1e-6)).all()
    assert (outcome.at_work[:, 2] * 4e9 <= outcome.served_tokens[:, 2, 0] * (1 + 1e-6)).all()


def test_no_part_of_revenue_is_paid_for_a_deal_that_is_not_signed_whatever_lifts_revenue():
    deal = Equity(
        id="stake", supplier="maker", investment=(Payment(amount_usd=1.0),), dilution_cost=1e6,
        revenue_share=RevenueShare(share=0.1, quarters=8),
    )  # fmt: skip
    chat = toy.serve(price_points=points((1, 1), (6, 0.8)), trust=trusted({0: 0.5, 0.1: 0.5}))
    lift = Run(id="next", workload="pretrain", flop=1e21, uplift=3.0, uplift_workloads=("chat",))
    lab = toy.lab(
        workloads=(chat, toy.train(), toy.safety()), offers=(toy.on_demand(),), deals=(deal,), runs=(lift,),
        launches=(launch(step_share=4.0),), finance=toy.finance(cash_usd=1e8),
    )  # fmt: skip
    solved = toy.solved(lab)
    assert solved.value(solved.model.columns["revenue_paid"]).sum() == near(0)
    assert deals_of(solved)[0].revenue_paid_usd == near(0)
    # 1000 chips: (10 M x 6 x 0.8 + 70 M x 6) x 1.5, and as much again as room
    assert largest_revenue(solved.program.inputs)[0] == near(2 * (48 + 420) * 1.5)


def test_renewed_chips_are_a_home_for_work_of_a_single_pool():
    fleet = (
        toy.contract("e", chips=600, term=1, pool="east", usd_per_quarter=100, renewal=Renewal(term_quarters=4)),
    )  # fmt: skip
    plan = toy.planned(two_pools(floor_chips=400, quarters=3, fleet=fleet, single_pool=True))
    assert not plan.relaxed
    assert [by_pool(plan, node) for node in range(3)] == 3 * [{"east": near(400)}]


def test_chips_beyond_a_reservation_are_a_home_too():
    lab = two_pools(floor_chips=550, single_pool=True, fleet=(toy.owned("w", chips=1, term=1, pool="west"),))
    offer = toy.reserved(lead=0, term=1, most=500, flex_up=0.2, pool="east")
    plan = toy.planned(lab.model_copy(update={"offers": (offer,)}))
    assert not plan.relaxed
    assert by_pool(plan) == {"east": near(550)}


def test_development_is_spent_once():
    able = (ServingModel(model="large"), ServingModel(model="small", distil=run(300, last=1)))
    lift = Run(id="next", workload="pretrain", flop=3e23, uplift=1.0, uplift_workloads=("batch",))
    batch = toy.serve("batch", demand_chips=100, usd_per_chip_quarter=1e5)
    lab = toy.lab(
        quarters=2, models=models("m", "large", "small"), workloads=(segment(*able, demand_chips=2000), batch, toy.train()),
        contracts=(toy.owned(chips=400, term=1), toy.owned("later", due=(1,), chips=500, term=9)), runs=(lift,),
    )  # fmt: skip
    solved = solve_plan(collect(lab, faster(lab, small=4.0), toy.tree(lab)))
    # 100 chips serve the dear customers; what 300 train goes to the run, which brings 10 M a quarter, or to the small
    # model, which serves three times as many more on 400 chips: 12 M a quarter; not to both
    x = {name: solved.value(solved.model.columns[name]) for name in ("run_flop", "distil")}
    assert solved.value(solved.program.columns.output)[0, 2] == near([0.3])
    assert x["run_flop"][0].sum() + x["distil"][0].sum() == near(0.3)


def test_a_run_that_misses_its_date_makes_the_plan_a_relaxed_one():
    late = Run(id="next", workload="pretrain", flop=1e30, due=toy.FIRST)
    lab = toy.lab(
        quarters=2, workloads=(toy.serve(), toy.train()), offers=(toy.on_demand(most=100),), runs=(late,)
    )
    solved = toy.solved(lab)
    (limit,) = [row for row in limits_of(solved) if row.name == f"run next due {toy.FIRST}"]
    assert limit.state == "relaxed"
    assert limit.relaxed_by == near(1.0)


def test_what_renewed_chips_and_chips_beyond_a_reservation_can_do_is_not_called_impossible():
    level = 700 * toy.FLOP_PER_CHIP_QUARTER / toy.SECONDS_PER_QUARTER
    lab = toy.lab(
        quarters=2, workloads=(toy.serve(demand_chips=10), toy.train()), finance=toy.finance(cash_usd=1e8),
        contracts=(toy.contract(chips=600, term=1, renewal=Renewal(term_quarters=2)),),
        offers=(toy.reserved(lead=0, term=1, most=90, flex_up=0.2, renewal=Renewal(term_quarters=1)),),
        policy=Policy(floor=Floor(workloads=("pretrain",), level_flop_per_s=level)),
    )  # fmt: skip
    program = build_program(collect(lab, toy.rates(lab), toy.tree(lab)))
    assert solve(program.model).status == "optimal"  # 600 + 90 x 1.2 = 708 chips in both quarters
    assert prechecks(program.inputs) == ()


def test_a_plan_solved_from_another_one_counts_gains_on_its_own_output_too():
    lab, rates, tree = combined_lab(("internal",))
    start = solve_plan(collect(lab, rates, tree))
    offers = tuple(
        offer.model_copy(update={"max_order": (2 * max(offer.max_order),)}) if offer.kind != "on-demand" else offer
        for offer in lab.offers
    )  # fmt: skip
    richer = lab.model_copy(update={"offers": offers})
    assert volume_error(solve_warm(start, collect(richer, rates, tree)).solved) <= CLOSE


def test_own_use_far_beyond_its_reference_still_saves_less_and_less():
    use = internal(saving=1e6, reference_chips=1.0, returns=0.5)
    lab = toy.lab(
        quarters=1, workloads=(toy.serve(demand_chips=0.0), use), contracts=(toy.owned(chips=8100, term=1),)
    )
    plan = toy.planned(lab)
    # the square root of 8100 reference volumes is 90; tangents 1.8 apart are never more than 5 % above it
    assert 90e6 <= toy.gained(plan, lab) <= 1.05 * 90e6
