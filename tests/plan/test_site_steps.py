"""Steps of a site: power where and when it is decided, paid while it is built; by hand."""

from __future__ import annotations

import numpy as np
import pytest
from tests.plan import toy
from tests.plan.labs import owner_lab
from tests.plan.subject_golden import same_as_golden
from tests.simulate.test_replay import other_futures, own_futures

from exaplan.domain.lab import Ends
from exaplan.domain.sitestep import SiteStep
from exaplan.plan.inputs import collect
from exaplan.plan.prices import prices_of
from exaplan.plan.result import to_plan
from exaplan.plan.site_result import step_starts_of
from exaplan.plan.site_steps import site_steps
from exaplan.plan.solve import solve_plan
from exaplan.plan.stage_rows import power
from exaplan.simulate.replay import replay


def near(value):
    return pytest.approx(value, rel=1e-6, abs=1e-3)


def step(
    name: str = "hall", *, megawatts: float = 0.5, lead: int = 1, life: int = 40, cost: float = 1e6, **more
) -> SiteStep:
    return SiteStep(
        id=name, power_w=megawatts * 1e6, lead_quarters=lead, life_quarters=life, cost_usd=cost, **more
    )


def dark(*steps: SiteStep, quarters: int = 3, power_w: float = 0.0, chips: float = 1000, **more):
    """A thousand own chips for the horizon at a site without power; each would earn 10,000 USD a quarter."""
    given = {
        "quarters": quarters, "sites": (toy.site(power_w=power_w, steps=steps),),
        "contracts": (toy.owned(chips=chips, term=quarters, pool="here", site="here"),),
    }  # fmt: skip
    return toy.lab(**{**given, **more})


def starts(solved, name: str = "site_step") -> np.ndarray:
    return solved.value(solved.model.columns[f"{name}_start"])


def test_power_is_there_from_the_start_plus_lead():
    lab = dark(step())
    solved = toy.solved(lab)
    plan = to_plan(solved)
    assert starts(solved)[:, 0] == near([1, 0, 0])
    # half a megawatt feeds 500 chips of 1 kW in two of three quarters: 10 M less 1 M
    assert plan.at_work[:3].sum(axis=(1, 2)) == near([0, 500, 500])
    assert toy.gained(plan, lab) == near(10e6 - 1e6)


def test_a_step_that_costs_more_than_it_brings_is_never_built():
    solved = toy.solved(dark(step(cost=10.1e6)))
    assert not starts(solved).any()
    assert toy.solved(dark(step(cost=9.9e6))).solution.objective > 1000


def test_a_step_is_all_or_nothing_unless_any_part_can_be_built():
    # 200 chips earn 4 M in two quarters; the hall for 500 costs 5 M, its part for 200 only 2 M
    whole, part = dark(step(cost=5e6), chips=200), dark(step(cost=5e6, continuous=True), chips=200)
    assert not starts(toy.solved(whole)).any()
    solved = toy.solved(part)
    assert starts(solved, "site_part")[:, 0] == near([0.4, 0, 0])
    assert toy.gained(to_plan(solved), part) == near(4e6 - 2e6)


def test_milestones_are_paid_from_the_decision_on():
    lab = dark(step(lead=2, cost=4e6, milestones=(0.25, 0.25, 0.5)), quarters=4)
    plan = toy.planned(lab)
    # 1, 1, then 2 against 5 earned in the third quarter, 5 in the fourth
    assert np.diff(np.r_[lab.finance.cash_usd, plan.cash_usd[:4]]) == near([-1e6, -1e6, 3e6, 5e6])


def test_without_milestones_the_cost_is_spread_over_the_lead():
    assert step(lead=4).payments == (0.25,) * 4
    assert step(lead=0).payments == (1.0,)


def test_what_is_left_to_pay_after_the_horizon_is_paid_in_the_tail_at_its_present_value():
    beta = 0.5
    lab = dark(
        step(lead=0, life=1, cost=1e6, milestones=(0.1, 0.1, 0.4, 0.4), last=toy.FIRST), quarters=2,
        finance=toy.finance(cost_of_equity=beta**-4 - 1), ends=Ends(fade=0.0, quarters=8),
    )  # fmt: skip
    plan = toy.planned(lab)
    # of quarter 2 onwards 40 % at once, 40 % a quarter later at half its value
    assert plan.cash_usd[2] - plan.cash_usd[1] == near(-1e6 * (0.4 + 0.5 * 0.4))


def test_upkeep_is_paid_from_the_first_power_to_the_end_of_life_and_scrap_comes_after():
    lab = dark(step(lead=1, life=2, cost=0.0, upkeep_usd_per_w_quarter=2.0), quarters=4)
    # 1 M a quarter for half a megawatt, in quarters 1 and 2 or later: two quarters of 5 M less 1 M
    assert toy.gained(toy.planned(lab), lab) == near(2 * (5e6 - 1e6))
    scrap = dark(step(lead=0, life=2, cost=1e6, residual=0.3, last=toy.FIRST), quarters=4)
    plan = toy.planned(scrap)
    assert np.diff(np.r_[scrap.finance.cash_usd, plan.cash_usd[:4]]) == near([5e6 - 1e6, 5e6, 0.3e6, 0])


def test_the_cost_is_written_off_over_the_life():
    lab = dark(
        step(lead=0, life=4, cost=4e6),
        quarters=2,
        finance=toy.finance(tax_rate=0.5),
        ends=Ends(fade=0.0, quarters=1),
    )
    plan = toy.planned(lab)
    # profit 5 - 1 in both quarters, taxed by half; 4 paid at the decision
    assert np.diff(np.r_[lab.finance.cash_usd, plan.cash_usd[:2]]) == near([5e6 - 2e6 - 4e6, 5e6 - 2e6])


def test_chips_that_outlive_the_horizon_have_power_in_the_tail():
    fleet = toy.owned(chips=1000, term=6, pool="here", site="here")
    lab = dark(step(cost=1e6, life=3), quarters=3, contracts=(fleet,), ends=Ends(fade=0.0, quarters=8))
    plan = toy.planned(lab)
    # power in quarters 1, 2 and 3: the last is a tail quarter
    assert toy.gained(plan, lab) == near(3 * 5e6 - 1e6)


def test_waiting_for_news_is_a_choice():
    contract = toy.owned(chips=1000, term=4, pool="here", site="here")
    lab = dark(
        step(lead=0, cost=9e6, life=3), quarters=3, contracts=(contract,), ends=Ends(fade=0.0, quarters=1)
    )
    tree = {
        "parent": [-1, 0, 0, 1, 2],
        "probability": [1, 0.5, 0.5, 0.5, 0.5],
        "demand": np.array([0, 0.5, 0, 1, 0.0]),
    }
    solved = toy.solved(lab, **tree)
    # half of the futures want 500 chips in two quarters and a tail quarter: 15 M against 9; the others nothing
    assert starts(solved)[:, 0] == near([0, 1, 0, 0, 0])
    (told,) = step_starts_of(solved)
    assert (told.site, told.step, told.quarter, told.power_from) == ("here", "hall", "2027-Q2", "2027-Q2")
    assert (told.probability, told.power_w, told.cost_usd) == near((0.5, 0.5e6, 9e6))


def test_a_step_can_be_decided_in_its_window_only():
    lab = dark(step(first=toy.FIRST + 1, last=toy.FIRST + 1, lead=0), quarters=3)
    assert starts(toy.solved(lab))[:, 0] == near([0, 1, 0])


def test_chips_bought_for_a_site_without_power_earn_nothing():
    offer = toy.purchase(usd=1000, lead=0, life=3)
    lab = toy.lab(quarters=3, sites=(toy.site(power_w=0.0, steps=(step(cost=1e9),)),), offers=(offer,))
    plan = toy.planned(lab)
    assert not plan.ordered.any()
    assert toy.gained(plan, lab) == near(0)


def test_a_built_megawatt_has_a_price():
    priced = [row.today for row in prices_of(toy.solved(dark(step()))) if row.kind == "power"]
    # nothing before there is power; then 1000 chips more at 10,000 USD
    assert priced == near([0, 10e6, 10e6])


def with_steps(lab):
    hall = step(megawatts=0.6, lead=1, life=3, cost=2e6, upkeep_usd_per_w_quarter=0.1, residual=0.2)
    more = step("annex", megawatts=0.4, lead=2, life=8, cost=1e6, continuous=True, milestones=(0.5, 0.0, 0.5))
    (site,) = lab.sites
    return lab.model_copy(
        update={"sites": (site.model_copy(update={"power_w": (0.3e6,), "steps": (hall, more)}),)}
    )


def test_on_the_trees_own_futures_a_plan_with_steps_is_worth_what_it_said():
    lab, rates, tree = owner_lab()
    solved = solve_plan(collect(with_steps(lab), rates, tree))
    assert starts(solved).any() or starts(solved, "site_part").any()
    outcome = replay(solved, own_futures(tree), seed=1, absorbing=False)
    assert tree.probability[tree.leaves] @ outcome.value_usd == pytest.approx(
        to_plan(solved).value_usd, rel=1e-6
    )
    assert np.isfinite(replay(solved, other_futures(tree), seed=1, absorbing=False).value_usd).all()


def test_a_choice_more_is_worth_something_here():
    lab, rates, tree = owner_lab()
    some = with_steps(lab)
    (site,) = some.sites
    none = some.model_copy(update={"sites": (site.model_copy(update={"steps": ()}),)})
    before, after = (to_plan(solve_plan(collect(each, rates, tree))).objective_usd for each in (none, some))
    assert after > before + 1e5


def test_the_rows_of_steps_read_as_they_did():
    hall = step(
        megawatts=0.5, lead=1, life=2, cost=2e6, upkeep_usd_per_w_quarter=0.1, residual=0.25, last=toy.FIRST
    )
    part = step("annex", megawatts=1, lead=0, life=4, cost=1e6, continuous=True)
    lab = dark(
        hall, part, quarters=2, finance=toy.finance(tax_rate=0.25, cost_of_equity=1.1**4 - 1), ends=Ends(fade=0.0, quarters=3)
    )  # fmt: skip
    tree = toy.tree(lab, parent=[-1, 0, 0], probability=[1, 0.5, 0.5])
    same_as_golden(
        "site_steps", collect(lab, toy.rates(lab), tree), stage_rows=(power,), links=(bare_cash, site_steps)
    )


def bare_cash(builder, columns, inputs):
    """The rows that steps add to, with nothing of their own but cash and profit."""
    for name, column in (("cash_balance", columns.cash), ("profit_balance", columns.profit)):
        row = builder.rows(name, (inputs.nodes,), lower=0.0, upper=0.0)
        builder.add(row, row.position, column.index, 1.0)


def test_milestones_that_do_not_pay_the_whole_are_refused():
    with pytest.raises(ValueError, match="milestones add up to 90"):
        step(milestones=(0.5, 0.4))


def test_a_hall_is_decided_no_earlier_than_the_one_that_opens_it():
    dear = step("shell", megawatts=0.001, cost=1e6)
    second = step("hall", cost=1e6, after="shell")
    lab = dark(dear, second)
    plan = to_plan(toy.solved(lab))
    # 500 chips in two of three quarters earn 10 M; the hall costs 1 M, and 1 M the shell without which it is not to be had
    assert toy.gained(plan, lab) == near(2 * 501 * 10_000 - 2e6)
    late = dear.model_copy(update={"first": toy.FIRST + 1})
    waiting = toy.solved(dark(late, second))
    assert starts(waiting) == near(np.array([[0, 0], [1, 1], [0, 0]]))


def test_no_larger_a_part_is_built_than_of_the_hall_that_opens_it():
    first = step("shell", megawatts=0.2, cost=1e5, continuous=True)
    second = step("hall", megawatts=0.5, cost=1e6, after="shell", continuous=True)
    whole = step("annex", megawatts=0.1, cost=1e5, after="hall")
    solved = toy.solved(dark(first, second, whole, chips=400))
    part = starts(solved, "site_part").sum(axis=0)
    # the shell feeds 200 of 400 chips and two fifths of the hall the others; the annex asks for a whole hall
    assert part == near([1, 0.4])
    assert starts(solved).sum() == near(0)
