"""What the futures' processes change in the program: rents by the hour, rates, raises, renewals, recipes. By hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.plan import toy

from exaplan.domain.deals import Renewal
from exaplan.domain.futures_input import ModelShift
from exaplan.domain.lab import FixedCost, Futures, Round
from exaplan.domain.uncertain import Uncertain
from exaplan.economy.state import states
from exaplan.plan.inputs import collect
from exaplan.plan.result import to_plan
from exaplan.plan.solve import solve_plan

FORK = {"parent": [-1, 0, 0], "probability": [1, 0.5, 0.5]}


def with_news(lab, *, branches=FORK, rates=None, **news):
    """Inputs of a lab on a forked tree whose world has further columns, one row per node."""
    tree = toy.tree(lab, **branches)
    moved = {name: np.array(values, float) for name, values in news.items()}
    world = replace(tree.world, **moved)
    scale = np.ones((tree.quarters, states(world).shape[-1]))
    return collect(lab, rates or toy.rates(lab), replace(tree, world=world, scale=scale))


def test_chips_by_the_hour_follow_spot_and_contracts_their_own_index():
    spot, contract = (
        toy.on_demand(market_exposure=1.0),
        toy.on_demand("term", market="contract", market_exposure=1.0),
    )
    term = toy.reserved(market_exposure=1.0)
    lab = toy.lab(quarters=2, offers=(spot, contract, term))
    inputs = with_news(lab, spot=[[1.0], [0.5], [2.0]])
    assert inputs.stage.rent_price[:3, 0] == pytest.approx([6.0, 3.0, 12.0])
    assert inputs.stage.rent_price[:3, 1] == pytest.approx([6.0] * 3)
    assert inputs.deals.rent[:3, 0] == pytest.approx([4.0] * 3)


def test_new_models_run_slower_on_the_named_chips_alone():
    shift = ModelShift(
        id="sparse", chips=("b",), workloads=("chat",), chance_per_year=0.1, factor=Uncertain.point(0.5)
    )
    lab = toy.lab(
        quarters=2, chips={"a": toy.chip(), "b": toy.chip()}, futures=Futures(model_shifts=(shift,)),
        workloads=(toy.serve(), toy.train()), offers=(toy.on_demand(), toy.on_demand("other", chip="b")),
    )  # fmt: skip
    plain = with_news(lab)
    moved = with_news(lab, rate=[[1, 1], [1, 1], [1, 0.5]])
    ratio = moved.stage.rate / np.where(plain.stage.rate > 0, plain.stage.rate, 1)
    sets = moved.sets
    chip = np.array(["a", "b"])[sets.group_chip[sets.arc_group]]
    work = np.array(sets.workloads)[sets.arc_workload]
    slow = (chip == "b") & (work == "chat")
    assert slow.sum() == 1
    assert ratio[2, slow] == pytest.approx(0.5)
    assert ratio[2, ~slow] == pytest.approx(1)
    assert ratio[:2] == pytest.approx(1)


def test_an_error_of_the_performance_model_has_mean_one_and_comes_with_the_second_quarter():
    lab = toy.lab(quarters=2, offers=(toy.on_demand(),))
    rates = toy.rates(lab)
    rates = replace(rates, log_sd=np.full(rates.log_sd.shape, 0.3))
    z = np.random.Generator(np.random.PCG64(1)).standard_normal(20_000)
    branches = {"parent": [-1] + [0] * len(z), "probability": [1.0] + [1 / len(z)] * len(z)}
    inputs = with_news(lab, branches=branches, rates=rates, rate_error=np.append(5.0, z)[:, None])
    rate = inputs.stage.rate[: len(z) + 1, 0]
    plain = with_news(lab, rates=rates).stage.rate[0, 0]
    assert rate[0] == pytest.approx(plain)  # the first quarter is as planned, whatever the draw
    assert rate[1:].mean() == pytest.approx(plain, rel=0.01)
    assert np.log(rate[1:]).std() == pytest.approx(0.3, rel=0.02)


def test_a_round_brings_no_more_than_the_open_share_of_its_window():
    staff = FixedCost(id="staff", amount_usd_per_quarter=(0.0, 4e6))
    chance = Round(id="C", first=toy.FIRST, last=toy.FIRST + 1, max_usd=5e6, dilution_cost=0.5)
    money = toy.finance(cash_usd=0.0, fixed_costs=(staff,), rounds=(chance,))
    lab = toy.lab(quarters=2, finance=money)
    solved = solve_plan(with_news(lab, open_round=[[0.0], [1.0], [0.25]]))
    raised = solved.value(solved.program.columns.raised)[:3, 0]
    # 4 M are due at both ends of the fork; at the second one only a quarter of 5 M can be raised
    assert raised == pytest.approx([0, 4, 1.25])
    assert to_plan(solved).rescue_usd[:3] == pytest.approx([0, 0, 2.75e6])


def test_a_refused_renewal_ends_and_a_dearer_one_is_a_choice():
    again = Renewal(term_quarters=1, price_usd_per_chip_h=toy.hourly(8000))
    offer = toy.reserved(lead=0, term=1, most=100, renewal=again, last=toy.FIRST)
    lab = toy.lab(quarters=2, offers=(offer,))
    one = np.ones((3, 1))

    def kept(jump, refused):
        solved = solve_plan(with_news(lab, jump=one * jump, refused=one * refused))
        return solved.value(solved.model.columns["renewed_stock"])[:3, 0] * 1e3

    # a chip earns 10 000: renewed at 8000 x 1.2 = 9600, not at 8000 x 1.3 = 10 400
    assert kept([[1], [1.2], [1.3]], [[0], [0], [0]]) == pytest.approx([0, 100, 0])
    assert kept([[1], [1], [1]], [[0], [1], [0.4]]) == pytest.approx([0, 0, 60])


def test_a_contract_is_renewed_as_far_as_the_supplier_grants_it():
    signed = toy.contract(
        due=(-1,), chips=100, term=2, usd_per_quarter=9000, renewal=Renewal(term_quarters=1)
    )
    lab = toy.lab(quarters=2, contracts=(signed,))
    solved = solve_plan(with_news(lab, jump=np.ones((3, 1)), refused=[[0], [0.3], [1]]))
    assert solved.value(solved.model.columns["renewed_stock"])[:3, 0] * 1e3 == pytest.approx([0, 70, 0])


def test_better_recipes_carry_more_capability_into_the_next_quarter():
    law = toy.capability(algorithmic_progress=Uncertain(family="growth", low=0.5, high=1.0))
    lab = toy.lab(quarters=3, capability=law, workloads=(toy.serve(), toy.train()))
    branches = {"parent": [-1, 0, 0, 1, 2], "probability": [1, 0.5, 0.5, 0.5, 0.5]}
    inputs = with_news(lab, branches=branches, algorithm=[[1], [1.1], [1.3], [1.2], [1.7]])
    # what a node's progress brings is made with the recipes of the quarter before
    assert inputs.inflow[4] / inputs.inflow[3] == pytest.approx(1.3 / 1.1)
    certain = lab.model_copy(update={"capability": toy.capability(algorithmic_progress=0.5)})
    stated = with_news(certain, branches=branches)
    assert stated.inflow[3] / stated.inflow[1] == pytest.approx(1.5**0.25)
