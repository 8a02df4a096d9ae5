"""Internal use, runs, rules for large runs, covenants and suppliers' loans: each decides one small plan alone.

A chip serves 1e9 tokens a quarter worth 10 000 USD, trains 1e21 FLOP, and costs 6000 USD by the hour, unless a test
says otherwise; no discounting.
"""

from __future__ import annotations

import numpy as np
import pytest
from tests.plan import toy
from tests.plan.toy import gained, planned

from exaplan.domain.lab import Debt, Ends, FixedCost, Policy, SupplierFinance
from exaplan.domain.quarter import MONTHS_PER_QUARTER
from exaplan.domain.runs import FlopRule, Run
from exaplan.domain.workload import Internal
from exaplan.plan.layout import USD
from exaplan.plan.margins import margins_of
from exaplan.plan.prices import limits_of
from exaplan.plan.result import further_demand, to_plan
from exaplan.plan.solve import worked_output


def near(value: float):
    return pytest.approx(value, rel=1e-6, abs=1e-3)


def internal(name: str = "staff", *, reference_chips: float = 100.0, saving: float = 1e6, **more) -> Internal:
    """Own use that saves ``saving`` USD a quarter when it fills ``reference_chips``."""
    given = {
        "id": name, "model": "m", "goodput": 1.0, "input_tokens": 1, "output_tokens": 1, "tpot_s": 0.05, "utilization": 1.0,
        "reference_tokens_per_month": reference_chips * toy.TOKENS_PER_CHIP_QUARTER / MONTHS_PER_QUARTER,
        "saving_usd_per_quarter": saving, "returns": 1.0,
    }  # fmt: skip
    return Internal(**{**given, **more})


def value(plan, name: str) -> np.ndarray:
    return plan.value(plan.model.columns[name])


# ------------------------------------------------------------------------------------------------- internal use


@pytest.mark.parametrize(("saving", "chips"), [(0.5e6, 0.0), (1.1e6, 1000.0)])
def test_internal_use_pays_where_what_it_saves_exceeds_the_chip(saving, chips):
    offers = (toy.on_demand(most=1000.0),)
    lab = toy.lab(quarters=1, workloads=(toy.serve(demand_chips=0.0), internal(saving=saving)), offers=offers)
    # 100 chips save 0.5 M: 5000 each, a chip costs 6000; at 1.1 M it saves 11 000
    plan = planned(lab)
    assert plan.at_work[0].sum() == near(chips)
    assert gained(plan, lab) == near(chips * (saving / 100 - 6000))


def test_internal_use_stops_where_the_next_chip_saves_less_than_it_costs():
    use = internal(saving=2.4e6, returns=0.5)
    lab = toy.lab(quarters=1, workloads=(toy.serve(demand_chips=0.0), use), offers=(toy.on_demand(),))
    # d/dr 2.4 M sqrt(r) = 1.2 M / sqrt(r) = 100 x 6000 at r = 4: 400 chips (tangents at ratios of 1.8 around it)
    assert 400 / 1.8 < planned(lab).at_work[0].sum() < 400 * 1.8


def test_internal_use_makes_serving_more_efficient_a_quarter_later():
    use = internal(saving=0.0, efficiency_gain=0.25, reference_chips=100.0)
    fleet = (toy.owned(chips=1100, term=2),)
    lab = toy.lab(quarters=2, workloads=(toy.serve(demand_chips=1250), use), contracts=fleet)
    solved = toy.solved(lab)
    # the second quarter needs 1250 / 1100 - 1 = 13.6 % more: 100 x 0.136 / 0.25 chips of own use now, not a chip more
    chips = 100 * (1250 / 1100 - 1) / 0.25
    served = solved.value(solved.program.columns.output)[:2, 0, 0]
    assert served * 1000 == near([1100 - chips, 1250])
    assert gained(to_plan(solved), lab) == near((1100 - chips + 1250) * 10_000)


def test_the_gain_is_counted_on_what_chips_really_serve():
    use = internal(saving=0.0, efficiency_gain=0.25)
    lab = toy.lab(
        quarters=3, workloads=(toy.serve(demand_chips=1250), use), contracts=(toy.owned(chips=1100, term=3),)
    )
    solved = toy.solved(lab)
    gain = solved.value(solved.model.columns["efficiency"]).sum(axis=1)
    worked = worked_output(solved)[:, 0]
    served = solved.value(solved.program.columns.output)[:, 0, 0]
    assert served == pytest.approx(worked * (1 + gain), rel=0.01)


def test_what_was_gained_goes_stale():
    use = internal(saving=2e6, efficiency_gain=0.1, efficiency_decay=0.5, reference_chips=100.0)
    one_quarter = replace_series(toy.on_demand(most=0.0, usd_per_quarter=1.0), (100.0, 0.0, 0.0))
    lab = toy.lab(quarters=3, workloads=(toy.serve(demand_chips=0.0), use), offers=(one_quarter,))
    solved = toy.solved(lab)
    # 100 chips of own use in the first quarter only: 0.1, then half of it
    assert value(solved, "efficiency")[:3, 0] == near([0.0, 0.1, 0.05])


def replace_series(offer, chips):
    return offer.model_copy(update={"max_chips": chips})


def test_at_an_interior_optimum_serving_development_and_own_use_earn_the_same():
    workloads = (
        toy.serve(demand_chips=600, sensitivity=0.9), toy.train(), internal(saving=3e6, returns=0.5, efficiency_gain=0.02),
    )  # fmt: skip
    law = toy.capability(returns=0.5)
    lab = toy.lab(quarters=3, workloads=workloads, contracts=(toy.owned(chips=1000, term=3),), capability=law)
    solved = toy.solved(lab)
    margins = margins_of(solved, 0)
    assert {margin.workload for margin in margins} == {"chat", "pretrain", "staff"}
    earns = np.array([margin.earns_usd for margin in margins])
    assert earns == pytest.approx(earns[0], rel=1e-6)
    assert earns[0] == pytest.approx(margins[0].worth_usd, rel=1e-6)
    assert earns[0] > 0


# ------------------------------------------------------------------------------------------------- runs


def run(**more) -> Run:
    given = {"id": "next", "workload": "pretrain", "flop": 300 * toy.FLOP_PER_CHIP_QUARTER, "uplift": 0.5,
             "uplift_workloads": ("chat",)}  # fmt: skip
    return Run(**{**given, **more})


def lab_with(*runs: Run, quarters: int = 3, chips: float = 1500.0, **more):
    """Own chips for three quarters, 1000 chips of demand, and runs of 300 chip-quarters."""
    given = {
        "quarters": quarters, "workloads": (toy.serve(), toy.train()), "contracts": (toy.owned(chips=chips, term=quarters),),
        "runs": runs,
    }  # fmt: skip
    return toy.lab(**{**given, **more})


def test_a_run_lifts_demand_from_the_quarter_after_its_release():
    solved = toy.solved(lab_with(run()))
    # 1500 chips: 1000 serve, 300 train in the first quarter; from the second on 1500 are asked for and served
    assert value(solved, "run_start")[:, 0] == near([1, 0, 0])
    assert solved.value(solved.program.columns.output)[:3, 0, 0] * 1000 == near([1000, 1500, 1500])


def test_an_uplift_fades():
    solved = toy.solved(lab_with(run(fade=0.4)))
    # 0.5, then 0.5 x 0.6
    assert solved.value(solved.program.columns.output)[:3, 0, 0] * 1000 == near([1000, 1500, 1300])


def test_after_the_horizon_an_uplift_goes_on_to_fade():
    fleet = (toy.owned(chips=2000, term=4),)
    lab = lab_with(run(fade=0.5), quarters=1, contracts=fleet, ends=Ends(fade=0.0, quarters=3))
    solved = toy.solved(lab)
    # released at once: 500, 250 and 125 more in the three quarters of the tail, beside 1000 in each
    assert further_demand(solved)[:, 0] * 1000 == near([0, 875])
    assert gained(to_plan(solved), lab) == pytest.approx((1000 + 3875) * 10_000, rel=1e-6)


def test_a_run_that_brings_less_than_it_costs_is_never_released():
    # 200 chip-quarters of serving are given up (2 M) and 21 M paid for 3 x 500 x 10 000 x 2 quarters at most
    dear = toy.solved(lab_with(run(cost_usd=11e6)))
    cheap = toy.solved(lab_with(run(cost_usd=9e6)))
    # the uplift is worth 2 x 500 x 10 000 = 10 M, chips are free
    assert value(dear, "run_start").sum() == near(0)
    assert value(cheap, "run_start").sum() == near(1)


def test_a_run_that_is_due_is_released_even_at_a_loss():
    solved = toy.solved(lab_with(run(cost_usd=11e6, due=toy.FIRST + 1)))
    assert value(solved, "run_begun")[1, 0] == near(1)
    assert not solved.relaxed


def test_a_date_that_no_chip_can_meet_is_reported_as_relaxed():
    solved = toy.solved(lab_with(run(flop=5e24, due=toy.FIRST)))
    assert solved.relaxed == {"runs that are due": near(1)}


def test_waiting_for_news_is_a_choice():
    tree = {
        "parent": [-1, 0, 0, 1, 2],
        "probability": [1.0, 0.5, 0.5, 0.5, 0.5],
        "demand": [1.0, 1.0, 0.0, 1.0, 0.0],
    }
    solved = toy.solved(lab_with(run(cost_usd=3e6)), **tree)
    # released now it costs 3 M for 0.5 x (5 + 5) M; after the news it costs 3 M only where it brings 5 M: 2 against 1 M
    assert value(solved, "run_start")[:3, 0] == near([1, 0, 0])
    waits = toy.solved(lab_with(run(cost_usd=4.8e6)), **tree)
    # now: 5 - 4.8 = 0.2 M; wait: 0.5 x (5 - 4.8) = 0.1 M
    assert value(waits, "run_start")[:3, 0] == near([1, 0, 0])
    later = toy.solved(lab_with(run(cost_usd=4.95e6), quarters=4), parent=[-1, 0, 0, 1, 2, 3, 4],
                       probability=[1.0] + [0.5] * 6, demand=[1.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0])  # fmt: skip
    # four quarters: now 0.5 x 15 - 4.95 = 2.55 M; after the news 0.5 x (10 - 4.95) = 2.525 M
    assert value(later, "run_start")[:3, 0] == near([1, 0, 0])
    dearer = toy.solved(lab_with(run(cost_usd=5.2e6), quarters=4), parent=[-1, 0, 0, 1, 2, 3, 4],
                        probability=[1.0] + [0.5] * 6, demand=[1.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0])  # fmt: skip
    # now 7.5 - 5.2 = 2.3 M; after the news 0.5 x (10 - 5.2) = 2.4 M
    assert value(dearer, "run_start")[:3, 0] == near([0, 1, 0])


def test_a_setback_costs_the_quarter_s_work():
    solved = toy.solved(lab_with(run(divergence=0.1)), setback=np.array([1.0, 0.0, 0.0]))
    # the first quarter's work would be lost; done in the second, released there
    assert value(solved, "run_start")[:, 0] == near([0, 1, 0])
    assert value(solved, "run_flop")[:2, 0] == near([0, 0.3])


def test_a_rule_asks_for_evaluation_and_a_delay():
    rule = FlopRule(
        id="act", threshold_flop=1e23, workload="oversight", evaluation_flop=100 * toy.FLOP_PER_CHIP_QUARTER, delay_quarters=1
    )  # fmt: skip
    workloads = (toy.serve(), toy.train(), toy.safety())
    solved = toy.solved(lab_with(run(), workloads=workloads, rules=(rule,)))
    # done in the first quarter, released in the second, felt in the third; 100 chip-quarters of evaluation by then
    assert value(solved, "run_start")[:, 0] == near([0, 1, 0])
    assert solved.value(solved.program.columns.output)[:3, 0, 0] * 1000 == near([1000, 1000, 1500])
    assert value(solved, "evaluation_flop").sum() >= 0.1 - 1e-9


def test_a_rule_leaves_smaller_runs_alone():
    rule = FlopRule(id="act", threshold_flop=1e24, workload="oversight", delay_quarters=1)
    workloads = (toy.serve(), toy.train(), toy.safety())
    solved = toy.solved(lab_with(run(), workloads=workloads, rules=(rule,)))
    assert value(solved, "run_start")[:, 0] == near([1, 0, 0])


def test_a_run_s_compute_counts_once():
    def ratio(**more) -> float:
        plan = planned(lab_with(run(flop=500 * toy.FLOP_PER_CHIP_QUARTER, due=toy.FIRST, **more), quarters=2,
                                chips=500, workloads=(toy.serve(demand_chips=100, sensitivity=0.5), toy.train()),
                                capability=toy.capability()))  # fmt: skip
        return float(plan.ratio[1])

    # all 500 chips go to the run: beside capability it keeps 0.9, within it 0.9 + (2^1/4 - 0.9) x 5
    assert ratio() == near(0.9)
    assert ratio(uplift=0.0, counts_in_capability=True) == near(0.9 + (2**0.25 - 0.9) * 5)


def test_experiments_and_final_runs_need_each_other():
    law = toy.capability(experiments=("rl",), experiments_share=0.5)
    workloads = (toy.serve(demand_chips=50, sensitivity=0.5), toy.train(), toy.train("rl"))
    fleet = (toy.owned(chips=100, term=1), toy.owned("then", due=(1,), chips=100, term=1, chip="b"))
    chips = {"a": toy.chip("a"), "b": toy.chip("b")}
    lab = toy.lab(quarters=2, chips=chips, workloads=workloads, contracts=fleet, capability=law)
    solved = toy.solved(lab, cannot=(("a", "chat"),))
    made = solved.value(solved.program.columns.output)[0, 1:3, 0]
    assert to_plan(solved).ratio[1] <= 0.9 + (2**0.25 - 0.9) + 1e-9
    assert made.sum() == near(0.1)
    one_sided = toy.solved(lab, cannot=(("a", "chat"), ("a", "rl")))
    # nothing but final runs: effort is the lowest plane, far below 100 chips' worth
    assert float(one_sided.value(one_sided.program.columns.effort)[0]) < 0.03


# ------------------------------------------------------------------------------------------------- capital


def test_a_covenant_ties_debt_to_revenue():
    debt = Debt(limit_usd=100e6, rate=0.0, revenue_multiple=0.1)
    lab = toy.lab(
        quarters=1, offers=(toy.on_demand(),), policy=Policy(rescue_price=3.0),
        finance=toy.finance(cash_usd=0.0, debt=debt, fixed_costs=(FixedCost(id="staff", amount_usd_per_quarter=(9e6,)),)),
    )  # fmt: skip
    solved = toy.solved(lab)
    plan = to_plan(solved)
    # revenue 10 M a quarter, 40 M a year: 4 M may be owed; 10 - 6 - 9 = -5 M leaves 1 M to be rescued
    assert plan.debt_usd[0] == near(4e6)
    assert plan.rescue_usd[0] == near(1e6)


def test_a_binding_covenant_is_priced_and_the_line_behind_it_is_slack():
    debt = Debt(limit_usd=100e6, rate=0.0, revenue_multiple=0.1)
    lab = toy.lab(
        quarters=1, contracts=(toy.owned(term=8),), policy=Policy(rescue_price=3.0),
        finance=toy.finance(cash_usd=0.0, debt=debt, fixed_costs=(FixedCost(id="staff", amount_usd_per_quarter=(15e6,)),)),
    )  # fmt: skip
    limits = {limit.name: limit for limit in limits_of(toy.solved(lab))}
    # 10 - 15 M: 4 M are owed, 1 M rescued; a dollar more of debt spares a rescue dollar at 3 and is repaid out of the tail's 70 M
    assert (limits["covenant on debt"].state, limits["covenant on debt"].worth) == ("binds", near(2.0))
    assert limits["credit line"].state == "slack"


def test_a_supplier_lends_its_share_and_is_repaid_in_level_instalments():
    lender = SupplierFinance(supplier="maker", share=0.5, rate=0.08, term_quarters=2, limit_usd=1e9)
    offer = toy.purchase(usd=10_000, lead=0, life=4, last=toy.FIRST)
    lab = toy.lab(
        quarters=3, sites=(toy.site(),), offers=(offer,),
        finance=toy.finance(cash_usd=5e6, supplier_finance=(lender,), cost_of_equity=0.4),
    )  # fmt: skip
    solved = toy.solved(lab)
    # 1000 chips for 10 M, of which 5 M are lent: 5 M x 0.02 / (1 - 1.02^-2) in each of the next two quarters
    level = 5e6 * 0.02 / (1 - 1.02**-2)
    assert value(solved, "loan")[0, 0] * USD == near(5e6)
    (loans,) = (limit for limit in limits_of(solved) if limit.name == "loans of maker")
    assert (loans.state, loans.quarters_binding) == ("binds", 1)
    cash = to_plan(solved).cash_usd[:3]
    assert cash == near([10e6, 20e6 - level, 30e6 - 2 * level])


def test_what_is_owed_to_a_supplier_after_the_horizon_is_owed_in_full():
    lender = SupplierFinance(supplier="maker", share=0.5, rate=0.0, term_quarters=5, limit_usd=1e9)
    offer = toy.purchase(usd=10_000, lead=0, life=1, last=toy.FIRST)
    given = {"quarters": 2, "sites": (toy.site(),), "offers": (offer,)}
    lent = toy.lab(**given, finance=toy.finance(supplier_finance=(lender,)))
    # nothing is discounted: the loan neither adds nor takes value
    assert gained(planned(lent), lent) == pytest.approx(
        gained(planned(toy.lab(**given)), toy.lab(**given)), abs=1.0
    )


def test_instalments_of_loans_are_committed_outlay():
    lender = SupplierFinance(supplier="maker", share=0.5, rate=0.0, term_quarters=2, limit_usd=1e9)
    offer = toy.purchase(usd=10_000, lead=1, life=8, deposit=1.0, last=toy.FIRST, most=1000)
    lab = toy.lab(
        quarters=3, sites=(toy.site(),), offers=(offer,), policy=Policy(cover_quarters=1.0),
        finance=toy.finance(cash_usd=8e6, supplier_finance=(lender,)),
    )  # fmt: skip
    solved = toy.solved(lab, demand=[0, 0, 1])
    # 1000 chips for 10 M with L lent: 8 - 10 + L, then less L / 2; another L / 2 is owed, so 2 M are missing whatever L is
    assert to_plan(solved).ordered[0, 0] == near(1000)
    assert solved.value(solved.program.columns.uncovered)[:3] == near([0, 2, 0])
