"""Whatever the terms: a right is never worth less than nothing, a shock never more, and the replay says what the plan said."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.plan import shocks, toy
from tests.simulate.test_replay import own_futures

from exaplan.domain.deals import Channel, Equity, Exclusive, MustSpend, Payment, Renewal, RevenueShare
from exaplan.domain.lab import Ends
from exaplan.plan.result import to_plan
from exaplan.simulate.replay import replay

FORK = {"parent": [-1, 0, 0, 1, 1, 2, 2], "probability": [1, 0.5, 0.5, 0.25, 0.25, 0.3, 0.2]}
MONEY = st.floats(0, 3e6)


@st.composite
def deals(draw):
    stake = Equity(
        id="stake", supplier="cloud", last=toy.FIRST + draw(st.integers(0, 2)), dilution_cost=draw(st.floats(-0.9, 0.5)),
        investment=(Payment(amount_usd=1e5 + draw(MONEY)), Payment(after_quarters=draw(st.integers(0, 4)), amount_usd=1e5)),
        must_spend=MustSpend(amount_usd=1 + draw(MONEY), every_quarters=draw(st.integers(1, 3)), times=draw(st.integers(1, 3))),
        revenue_share=RevenueShare(share=draw(st.floats(0.01, 0.3)), quarters=draw(st.integers(1, 6))),
        channels=(Channel(workload="chat", share=draw(st.floats(0.01, 1.0)), after_quarters=draw(st.integers(0, 2)), quarters=draw(st.integers(1, 4))),),
    )  # fmt: skip
    only = Exclusive(
        id="only", supplier="cloud", excludes=("rival",), fee_usd=draw(MONEY), term_quarters=draw(st.integers(1, 4)),
        priority=draw(st.floats(0, 1)), last=toy.FIRST + draw(st.integers(0, 2)),
    )  # fmt: skip
    return (stake, only)


def lab_with(*signed, renewal=None, exit_fee=None, step_up=0.0):
    return toy.lab(
        quarters=3, deals=signed, ends=Ends(fade=0.2, quarters=3), finance=toy.finance(cash_usd=3e6, cost_of_equity=0.1),
        workloads=(toy.serve(demand_chips=300, churn_when_unserved=0.3, recovery=0.5),),
        offers=(
            toy.on_demand(usd_per_quarter=8000, most=100, supplier="rival"),
            toy.reserved("rival", usd_per_quarter=5500, lead=0, term=2, most=150, supplier="rival"),
            toy.reserved("cloud", usd_per_quarter=6000, lead=1, term=2, most=200, renewal=renewal, exit_fee=exit_fee, step_up=step_up),
            toy.reserved("cheap", usd_per_quarter=4000, lead=1, term=2, most=80, unlocked_by="only" if signed else None)
            if signed else toy.reserved("dummy", usd_per_quarter=1e6, most=1),
        ),
    )  # fmt: skip


def solved(lab, **more):
    demand = [1.0, 1.4, 0.6, 2.0, 1.0, 0.8, 0.2]
    return shocks.solved(lab, **FORK, demand=demand, rental=[1, 1.1, 0.9, 1.3, 1.0, 1.0, 0.7], **more)


SHORT = {"cloud": [1, 0.7, 1.0, 0.4, 1.1, 0.9, 0.8]}


@settings(max_examples=12)
@given(signed=deals())
def test_the_right_to_sign_a_deal_is_never_worth_less_than_nothing_and_replays_as_planned(signed):
    without = solved(lab_with(), supply=SHORT)
    dealt = solved(lab_with(*signed), supply=SHORT)
    assert dealt.solution.objective >= without.solution.objective * (1 - 2e-4)
    plan, tree = to_plan(dealt), dealt.program.inputs.tree
    outcome = replay(dealt, own_futures(tree), seed=1, absorbing=False)
    assert tree.probability[tree.leaves] @ outcome.value_usd == pytest.approx(plan.value_usd, rel=1e-5)


@settings(max_examples=12)
@given(fee=st.floats(0, 1), price=st.floats(0, 12_000), exposure=st.floats(0, 1), step=st.floats(-0.3, 0.5))
def test_clauses_in_our_favor_are_never_worth_less_than_nothing_and_replay_as_planned(
    fee, price, exposure, step
):
    again = Renewal(term_quarters=2, price_usd_per_chip_h=toy.hourly(price), market_exposure=exposure)
    plain = solved(lab_with(step_up=step))
    free = solved(lab_with(renewal=again, exit_fee=fee, step_up=step))
    assert free.solution.objective >= plain.solution.objective - 1e-6
    tree = free.program.inputs.tree
    outcome = replay(free, own_futures(tree), seed=1, absorbing=False)
    assert tree.probability[tree.leaves] @ outcome.value_usd == pytest.approx(
        to_plan(free).value_usd, rel=1e-5
    )


@settings(max_examples=12)
@given(cut=st.lists(st.floats(0.1, 1), min_size=7, max_size=7))
def test_less_supply_is_never_worth_more(cut):
    whole, short = (
        solved(lab_with(), supply={"cloud": f}).solution.objective for f in ([1.0] * 7, [1.0, *cut[1:]])
    )
    assert short <= whole + 1e-6


@pytest.mark.parametrize("gone", [[0, 0, 1, 0, 0, 1, 1], [0, 0, 0, 1, 0, 0, 1], [0, 1, 1, 1, 1, 1, 1]])
def test_a_supplier_who_fails_is_never_worth_more_than_one_who_stands(gone):
    lab = lab_with()
    sound, failing = solved(lab), solved(lab, gone={"cloud": gone})
    assert failing.solution.objective <= sound.solution.objective + 1e-6
    tree = failing.program.inputs.tree
    outcome = replay(failing, own_futures(tree), seed=1, absorbing=False)
    assert tree.probability[tree.leaves] @ outcome.value_usd == pytest.approx(
        to_plan(failing).value_usd, rel=1e-6
    )
