"""Load blocks: a quarter of even load is one block; a peak needs the chips of the peak."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.plan import toy
from tests.plan.labs import contracts_lab, developer_lab, owner_lab
from tests.simulate.test_replay import other_futures, own_futures

from exaplan.domain.lab import Floor, Policy
from exaplan.domain.load import Load, LoadBlock
from exaplan.economy.load import blocks_of, load_blocks, shares_of
from exaplan.plan.accounts import allocation_of, capacity_of
from exaplan.plan.inputs import collect
from exaplan.plan.result import to_plan
from exaplan.plan.solve import solve_plan
from exaplan.simulate.replay import replay


def near(value):
    return pytest.approx(value, rel=1e-6)


def blocks(*parts: tuple[float, float]) -> Load:
    """Load blocks of the given (hours, demand) shares."""
    names = ("peak", "shoulder", "trough", "night")
    return Load(
        parts=tuple(
            LoadBlock(id=name, hours_share=hours, demand_share=demand)
            for name, (hours, demand) in zip(names, parts, strict=False)
        )
    )


PEAKY = blocks((0.2, 0.3), (0.3, 0.4), (0.5, 0.3))


@pytest.mark.parametrize("make", [contracts_lab, owner_lab, developer_lab], ids=lambda make: make.__name__)
def test_blocks_of_even_load_change_nothing(make):
    lab, rates, tree = make()
    even = lab.model_copy(update={"load": blocks((0.2, 0.2), (0.5, 0.5), (0.3, 0.3))})
    one, three = (to_plan(solve_plan(collect(each, rates, tree))) for each in (lab, even))
    assert three.objective_usd == pytest.approx(one.objective_usd, rel=1e-9)


def test_a_peak_needs_the_chips_of_the_peak():
    offer = toy.on_demand(usd_per_quarter=2000)
    lab = toy.lab(quarters=1, load=PEAKY, offers=(offer,))
    plan = toy.planned(lab)
    # 1000 chips served evenly; 30 % of the demand in 20 % of the hours take 1500, 40 % in 30 % 1333, 30 % in 50 % 600
    assert plan.rented[0, 0] == near([1500, 4000 / 3, 600])
    # paid by the hour: 0.2 x 1500 + 0.3 x 1333 + 0.5 x 600 = 1000 chips all told
    assert toy.gained(plan, lab) == near(1000 * (10_000 - 2000))


def test_a_reservation_is_sized_by_what_its_last_chip_earns_in_the_busy_hours():
    def reserved_chips(usd_per_quarter: float) -> float:
        offer = toy.reserved(lead=0, term=1, usd_per_quarter=usd_per_quarter)
        return float(toy.planned(toy.lab(quarters=1, load=PEAKY, offers=(offer,))).ordered[0, 0])

    # a chip for the peak earns 10,000 in a fifth of the hours, one for peak and shoulder in half of them
    assert reserved_chips(1999) == near(1500)
    assert reserved_chips(2001) == near(4000 / 3)
    assert reserved_chips(4999) == near(4000 / 3)
    assert reserved_chips(5001) == near(600)


def test_power_binds_in_the_peak_alone():
    lab = toy.lab(
        quarters=1, load=PEAKY, sites=(toy.site(power_w=1e6),),
        contracts=(toy.owned(chips=2000, term=1, pool="here", site="here"),),
    )  # fmt: skip
    plan = toy.planned(lab)
    # 1 kW a chip: 1000 chips at work in peak and shoulder, 600 in the trough
    assert plan.at_work[0, 0] == near([1000, 1000, 600])
    assert toy.gained(plan, lab) == near(10_000 * (0.2 * 1000 + 0.3 * 1000 + 0.5 * 600))


def test_a_floor_is_firm_in_the_peak_and_the_troughs_may_give_more():
    policy = Policy(floor=Floor(workloads=("pretrain",), share=0.3))
    lab = toy.lab(
        quarters=2, load=PEAKY, workloads=(toy.serve(sensitivity=0.5), toy.train()), policy=policy,
        contracts=(toy.owned(chips=1500, term=2),), capability=toy.capability(parity_flop_per_quarter=2e24),
    )  # fmt: skip
    plan = toy.planned(lab)
    train = [number for number, (_, workload) in enumerate(plan.arcs) if workload == 1]
    # 30 % of 1500 chips in the peak; in the trough 600 serve and 900 develop
    assert plan.at_work[0, train[0]] == near([450, 450, 900])


def test_accounts_weigh_blocks_by_their_hours():
    lab = toy.lab(quarters=1, load=PEAKY, offers=(toy.on_demand(usd_per_quarter=2000),))
    inputs = collect(lab, toy.rates(lab), toy.tree(lab))
    plan = to_plan(solve_plan(inputs))
    (row,) = allocation_of(inputs, plan)
    assert row.chips == near(1000)
    (source,) = capacity_of(inputs, plan)
    assert (source.chips, source.used) == (near(1000), near(1000))


def test_a_missed_floor_counts_by_the_hours_in_which_it_is_missed():
    policy = Policy(
        floor=Floor(workloads=("pretrain",), level_flop_per_s=1e21 * 1000 / toy.SECONDS_PER_QUARTER)
    )
    owned = toy.owned(chips=600, term=1)
    one = toy.lab(quarters=1, workloads=(toy.serve(), toy.train()), policy=policy, contracts=(owned,))
    three = one.model_copy(update={"load": PEAKY})
    (first,), (second,) = (toy.planned(lab).relaxed.values() for lab in (one, three))
    assert first == near(0.4)  # 1000 chips asked for, 600 there: 0.4e24 FLOP a quarter
    assert second == near(first)


@pytest.mark.parametrize("make", [contracts_lab, owner_lab, developer_lab], ids=lambda make: make.__name__)
def test_on_the_trees_own_futures_a_plan_in_blocks_is_worth_what_it_said(make):
    lab, rates, tree = make()
    solved = solve_plan(collect(lab.model_copy(update={"load": PEAKY}), rates, tree))
    outcome = replay(solved, own_futures(tree), seed=1, absorbing=False)
    assert tree.probability[tree.leaves] @ outcome.value_usd == pytest.approx(
        to_plan(solved).value_usd, rel=1e-6
    )


def test_dispatch_off_the_tree_serves_by_block():
    lab, rates, tree = contracts_lab()
    solved = solve_plan(collect(lab.model_copy(update={"load": PEAKY}), rates, tree))
    outcome = replay(solved, other_futures(tree), seed=1, absorbing=False)
    asked = outcome.demand_tokens - outcome.lost_tokens
    assert (outcome.served_tokens <= np.maximum(asked, 0) * (1 + 1e-6) + 1e3).all()
    assert outcome.served_tokens.sum() > 0


def test_a_trace_is_cut_where_load_changes_most():
    shape = np.array([1.0] * 8 + [5.0] * 8 + [10.0] * 4)
    assert blocks_of(shape, 3).tolist() == [2] * 8 + [1] * 8 + [0] * 4


@given(st.lists(st.floats(0.1, 100), min_size=6, max_size=60), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_blocks_share_out_all_hours_and_all_demand_and_fall_from_peak_to_trough(shape, count):
    lab = toy.lab(load=Load(blocks=count, shape=tuple(shape)))
    found = load_blocks(lab)
    assert found.hours_share.sum() == pytest.approx(1)
    assert found.demand_share.sum(axis=1) == pytest.approx([1])
    density = found.demand_share[0] / found.hours_share
    assert (np.diff(density) <= 1e-9).all()
    assert density[0] * np.mean(shape) <= max(shape) * (1 + 1e-9)


def test_a_workload_with_its_own_hours_peaks_when_it_peaks():
    night = toy.serve("batch", load_shape=(3.0, 1.0))
    lab = toy.lab(workloads=(toy.serve(), night), load=Load(blocks=2, shape=(1.0, 3.0)))
    found = load_blocks(lab)
    assert found.demand_share.tolist() == [[0.75, 0.25], [0.25, 0.75]]


def test_a_workload_with_another_trace_is_taken_to_peak_with_the_rest():
    lab = toy.lab(workloads=(toy.serve(), toy.serve("flat", load_shape=(1.0,))), load=PEAKY)
    assert load_blocks(lab).demand_share[1] == pytest.approx([0.2, 0.3, 0.5])
    assert shares_of((1.0, 1.0, 4.0, 2.0), np.array([0.25, 0.75])) == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        (((0.5, 0.7), (0.4, 0.3)), "the hours of the blocks add up to 90.00%"),
        (((0.5, 0.7), (0.5, 0.2)), "the demand of the blocks add up to 90.00%"),
        (((0.5, 0.3), (0.5, 0.7)), "not in order"),
    ],
)
def test_blocks_that_do_not_fit_together_are_refused(parts, reason):
    with pytest.raises(ValueError, match=reason):
        blocks(*parts)


@given(st.lists(st.floats(0.05, 1.0), min_size=3, max_size=3))
@settings(max_examples=15, deadline=None)
def test_even_load_is_worth_most(load):
    """The mean over the hours of any dispatch is a dispatch of even load."""
    shares = sorted((x / sum(load) for x in load), reverse=True)
    lab = toy.lab(
        quarters=2, offers=(toy.on_demand(most=400), toy.reserved(lead=0, term=2, usd_per_quarter=3000)),
        finance=toy.finance(cash_usd=2e6),
    )  # fmt: skip
    third = 1 / 3
    uneven = lab.model_copy(update={"load": blocks(*((third, share) for share in shares))})
    assert toy.planned(uneven).objective_usd <= toy.planned(lab).objective_usd + 1.0
