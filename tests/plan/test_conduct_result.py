"""What a plan decided beside signatures is told row by row, and a lab without such choices has nothing to tell."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from tests.plan import toy
from tests.plan.deal_labs import dealing_lab
from tests.plan.demand_labs import everything_lab, launch_lab
from tests.plan.labs import conduct_lab, developer_lab
from tests.plan.silicon_lab import lab as silicon_lab

from exaplan.domain.conduct import NEVER, Conduct
from exaplan.domain.sitestep import SiteStep
from exaplan.plan.conduct_result import conduct_of
from exaplan.plan.deal_result import deals_of
from exaplan.plan.inputs import collect
from exaplan.plan.prices import limits_of
from exaplan.plan.solve import Solved, solve_plan


def planned(made) -> Solved:
    return solve_plan(collect(*made))


def near(value):
    return pytest.approx(value, rel=1e-6, abs=1e-6)


def test_a_lab_without_such_choices_has_nothing_to_tell():
    assert conduct_of(toy.solved(toy.lab())) == Conduct()


def test_steps_are_told_with_their_money_and_what_is_never_started_last():
    hall = SiteStep(id="hall", power_w=5e5, lead_quarters=1, life_quarters=40, cost_usd=1e6)
    dear = SiteStep(id="dear", power_w=5e5, lead_quarters=1, life_quarters=40, cost_usd=1e9)
    lab = toy.lab(
        quarters=3, sites=(toy.site(power_w=0.0, steps=(dear, hall)),),
        contracts=(toy.owned(chips=1000, term=3, pool="here", site="here"),),
    )  # fmt: skip
    built, never = conduct_of(toy.solved(lab)).started
    assert asdict(built) == {
        "kind": "site step", "name": "hall at here", "quarter": "2027-Q1", "probability": 1.0,
        "text": "0.5 MW, power from 2027-Q2", "cash_usd": -1e6,
    }  # fmt: skip
    assert (never.name, never.quarter, never.probability) == ("dear at here", NEVER, 0.0)


def test_deals_are_told_by_quarter_with_what_the_investor_pays():
    solved = planned(dealing_lab())
    rows = {row.name: row for row in conduct_of(solved).started}
    signed = {deal.id: deal for deal in deals_of(solved)}
    assert set(rows) == set(signed) == {"stake", "only"}
    for name, row in rows.items():
        assert row.probability == near(dict(signed[name].by_quarter).get(row.quarter, 0.0))
    assert (rows["stake"].quarter, rows["stake"].cash_usd) == ("2027-Q1", near(3e6))


def test_a_chip_program_is_told_with_its_engineering():
    (row,) = conduct_of(toy.solved(silicon_lab())).started
    assert (row.kind, row.name, row.quarter, row.probability) == (
        "chip program",
        "asic",
        "2027-Q1",
        near(1.0),
    )
    assert row.cash_usd == near(-1.5e6)
    assert "foundry x" in row.text


def test_launches_runs_and_distilled_models_are_told():
    launches = {row.name: row for row in conduct_of(planned(launch_lab())).started}
    assert {row.kind for row in launches.values()} == {"launch"}
    assert (launches["big"].quarter, launches["big"].cash_usd) == ("2027-Q1", near(-2e5))
    assert launches["small"].quarter == NEVER
    (run,) = (row for row in conduct_of(planned(conduct_lab())).started if row.kind == "run")
    assert run.cash_usd == near(-3e5), "its own cost and that of the rule"
    assert "due 2027-Q2; under act" in run.text
    kinds = {row.kind for row in conduct_of(planned(everything_lab())).started}
    assert kinds == {"launch", "distillation"}


def test_own_use_adds_up_to_what_it_saves_and_gains():
    use = conduct_of(planned(conduct_lab())).internal_use
    assert [row.quarter for row in use] == ["2027-Q1", "2027-Q2"]
    for row in (
        use
    ):  # saving 0.8 M at 1e11 tokens a quarter, by the square root; the program's tangents lie above it
        assert row.saving_usd >= 8e5 * (row.tokens / 1e11) ** 0.5 * (1 - 1e-9)
        assert row.saving_usd <= 1.05 * 8e5 * (row.tokens / 1e11) ** 0.5
    assert use[0].efficiency_share == 0.0
    assert use[1].efficiency_share == near(0.1 * use[0].saving_usd / 8e5)


def test_own_earnings_and_limits_make_up_what_a_chip_is_worth():
    rows = conduct_of(planned(developer_lab())).margins
    assert {row.use for row in rows} >= {"serve", "train", "safety"}
    for row in rows:
        assert row.own_usd + row.limits_usd == near(row.earns_usd)
        assert row.earns_usd == pytest.approx(row.worth_usd, rel=1e-6, abs=1e-3)
    kept = [row for row in rows if row.use == "safety"]
    assert all(row.own_usd == near(0.0) and row.limits_usd > 0 for row in kept), (
        "safety work earns by its floor"
    )


def test_covenant_loans_and_dates_are_among_the_limits():
    limits = {limit.name: limit for limit in limits_of(planned(conduct_lab()))}
    assert {"covenant on debt", "loans of maker", "run next due 2027-Q2"} <= set(limits)
    due = limits["run next due 2027-Q2"]
    assert (due.state, due.worth) == ("binds", 0.0), "released in the quarter in which it is due"
    orders = {limit.name: limit for limit in limits_of(planned(dealing_lab()))}
    assert "orders of cloud" in orders
    assert not {"covenant on debt"} & {limit.name for limit in limits_of(toy.solved(toy.lab()))}
