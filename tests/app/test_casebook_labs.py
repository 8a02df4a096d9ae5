"""What the cases on labs compute, against arithmetic by hand and at limits where the answer is known."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from exaplan.app.casebook import (
    appreciating_asset,
    floor_cost,
    lock_in,
    one_cloud,
    one_year_early,
    rent_or_own,
    revenue_miss,
)
from exaplan.app.casebook.planned import Setting, lab_of, outcome_of, plan_of, signed_contract
from exaplan.domain.quarter import HOURS_PER_QUARTER
from exaplan.domain.uncertain import Uncertain
from exaplan.io.examples import case_folder
from exaplan.io.labfile import read_lab
from exaplan.plan.result import to_plan


def chips_of(tranches: str) -> list[float]:
    return [float(found) for found in re.findall(r"chips: (\d+) chips", tranches)]


@pytest.mark.parametrize("path", sorted(case_folder().glob("*.yaml")), ids=lambda path: path.stem)
def test_every_lab_of_a_case_can_be_read(path):
    assert read_lab(path).horizon.quarters >= 4


def test_signed_tranches_are_the_orders_of_the_plan_and_come_after_the_lead():
    believed = one_year_early._setting(one_year_early.CASE.question, 3.0)
    plan = to_plan(plan_of(believed).solved)
    root = plan.ordered[0, plan.offers.index("committed")]
    written = signed_contract(believed, "committed", quarters=1)["contracts.signed.tranches"]
    assert chips_of(written) == pytest.approx([root], abs=1)
    assert "2027-Q1" in written  # signed in 2026-Q1, a lead of four quarters


def test_the_same_seed_gives_the_same_futures_whatever_is_changed():
    rich = Setting("floor-cost").but({"finance.cash": "99 GUSD"})
    one, other = (outcome_of(each, 5) for each in (Setting("floor-cost"), rich))
    assert (one.rental_index == other.rental_index).all()
    assert (one.demand_tokens[:, 0] == other.demand_tokens[:, 0]).all()


def test_a_lab_that_keeps_up_stays_at_the_frontier():
    law = lab_of(Setting("floor-cost")).capability.model_copy(
        update={
            "algorithmic_progress": Uncertain.point(1.5),
            "frontier_growth": Uncertain.point(1.5),
            "start": 1.0,
        }
    )
    level = np.full((3, 8), law.parity_flop_per_quarter)
    assert floor_cost.ratio_kept(level, law) == pytest.approx(np.ones(3))
    assert (floor_cost.ratio_kept(level / 2, law) < 1).all()


def test_a_floor_of_nothing_costs_nothing():
    above, _ = floor_cost.lost(replace(floor_cost.CASE.question, floor=0.0), 0)
    assert (above == 0).all()


def test_owning_without_interest_costs_what_is_worn_off_and_the_hall():
    question = replace(rent_or_own.CASE.question, cost_of_capital=1e-6, loss_per_year=0.3, price_kusd=30.0)
    standing, energy = rent_or_own.owning_usd_per_h(question, 2.0)
    worn = 30_000 * (1 - 0.7**2) / 8  # by quarter
    hall = 1453 * 0.40  # W x USD/W
    assert standing == pytest.approx((worn + hall) / (HOURS_PER_QUARTER * 0.95), rel=1e-4)
    assert energy == pytest.approx(1.453 * 1.3 * 0.0826, rel=1e-6)
    assert rent_or_own.even_share(question, 2.0) == pytest.approx(standing / (2.95 - energy))


def test_owning_a_chip_for_three_years_costs_what_neoclouds_are_said_to_pay():
    # catalogue prices: owning cost of an H100 1.30 (hyperscaler) to 1.69 USD (neocloud); even with 2.95 USD at 44 to 57 %
    standing, energy = rent_or_own.owning_usd_per_h(rent_or_own.CASE.question, 4.0)
    assert 1.3 < standing + energy < 1.75
    assert 0.44 < rent_or_own.even_share(rent_or_own.CASE.question, 4.0) < 0.59


def test_a_chip_in_a_still_market_wears_off_in_a_straight_line():
    still = replace(
        appreciating_asset.CASE.question,
        rent=2.51, drift=0.0, volatility=0.0, running=0.0, cost_of_capital=1e-9, life_years=5.0,
    )  # fmt: skip
    assert appreciating_asset.CASE.point(still)[0] == pytest.approx(0.8, rel=1e-6)


def test_the_market_of_the_past_is_that_of_the_catalogue():
    known = appreciating_asset.past_rents()
    assert known[-1] == ("2026-06", 2.65)
    assert ("2025-10", 1.7) in known
    mean = np.mean([2.85, 2.99, 1.70, 2.35, 2.65])
    assert appreciating_asset.CASE.question.mean_rent == pytest.approx(mean, abs=0.005)


def test_two_clouds_are_worth_one_where_the_second_is_too_dear_and_nothing_else_differs():
    question = replace(one_cloud.CASE.question, discount=0.0, beta_edge=20.0, porting_musd=0.0)
    above, below = one_cloud.gained(question, 0)
    assert np.median(np.abs(above)) < 1e-6 * below.mean()
    assert (
        abs(above.mean()) < 2e-3 * below.mean()
    )  # equal plans may differ in which of equal orders they place


def test_the_reverse_model_signs_its_share_of_the_revenue_expected():
    question = replace(revenue_miss.CASE.question, growth=1.0, committed=0.5)
    signed = revenue_miss._signed(question)
    running = chips_of(signed["contracts.running.tranches"])[0]
    assert running * 3.0 * HOURS_PER_QUARTER == pytest.approx(0.5 * 5e9, rel=1e-5)
    more = chips_of(signed["contracts.signed.tranches"])
    assert running + sum(more[:4]) == pytest.approx(2 * running, rel=1e-5)  # a year later revenue has doubled


def test_a_longer_delay_makes_signing_worth_less():
    gains = [lock_in.CASE.point(replace(lock_in.CASE.question, late_months=late))[0] for late in (0.0, 36.0)]
    assert gains[1] < 0 < gains[0]


def test_growth_that_comes_late_ruins_more_often():
    question = replace(one_year_early.CASE.question, growth=5.0)
    chances = [one_year_early.CASE.point(replace(question, late_months=late))[0] for late in (0.0, 6.0, 12.0)]
    assert chances == sorted(chances)
    assert chances[0] < chances[-1]
