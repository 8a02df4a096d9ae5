"""Own silicon, by hand: when to start, with whom, what a ramp, a re-spin and a locked offer do to the answer."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
from tests.plan import toy
from tests.plan.silicon_lab import foundry, lab, program, with_slips
from tests.simulate.test_replay import own_futures

from exaplan.domain.lab import Ends, Policy
from exaplan.domain.own_chips import with_own_chips
from exaplan.domain.silicon import Respin
from exaplan.plan.formulation import build_program
from exaplan.plan.inputs import collect
from exaplan.plan.result import to_plan
from exaplan.plan.silicon_result import chosen
from exaplan.plan.solve import solve_plan
from exaplan.simulate.replay import replay

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "silicon"
TWO = {"parent": [-1, 0, 0, 1, 2, 3, 4], "probability": [1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]}
"""Four quarters, two futures that part in the second one."""


def planned(made, tree=None, **branches):
    return solve_plan(collect(made, toy.rates(made), tree or toy.tree(made, **branches)))


def starts(solved, item: int = 0) -> list[int]:
    """Nodes at which a lump is started."""
    return np.flatnonzero(np.round(solved.value(solved.model.columns["silicon_start"])[:, item])).tolist()


def gain(solved) -> float:
    """Value beyond the cash that was there, M$."""
    return (to_plan(solved).value_usd - solved.program.inputs.lab.finance.cash_usd) / 1e6


def test_a_program_starts_at_once_and_grows_with_its_ramp():
    made = lab()
    solved = planned(made)
    plan = to_plan(solved)
    assert starts(solved) == [0]
    # released in quarter 1: 300 chips, then 600 and 600; each earns 10,000 and costs 4,000; engineering 1 + 0.5 M$
    assert plan.ordered[:, plan.offers.index("asic-x")] == pytest.approx([0, 300, 600, 600])
    assert gain(solved) == pytest.approx(1500 * 0.006 - 1.5)


def test_engineering_dearer_than_all_its_chips_earn_is_never_started():
    assert starts(planned(lab(program(nre=((0, 8.9e6),))))) == [0]
    assert starts(planned(lab(program(nre=((0, 9.1e6),))))) == []


def test_stages_that_fall_due_after_the_horizon_are_paid_at_their_present_value():
    made = lab(
        program(nre=((5, 1e6),), first=toy.FIRST, last=toy.FIRST),
        finance=toy.finance(cost_of_equity=0.9**-4 - 1), ends=Ends(fade=0.0, quarters=1),
    )  # fmt: skip
    solved = planned(made)
    cash = solved.value(solved.program.columns.cash)
    assert starts(solved) == [0]
    # age 5 is one quarter after the tail's first: 1 M$ x 0.9, paid from the tail's cash
    assert cash[4] - cash[3] == pytest.approx(-0.9)


def test_the_cheaper_foundry_loses_where_its_packaging_slots_bind():
    both = program(foundries=(foundry("x"), foundry("y", usd=3000.0, slots=200.0)))
    solved = planned(lab(both))
    # x: 1500 chips at 6,000 are 9.0 M$; y: 200 a quarter, 600 chips at 7,000 are 4.2 M$
    assert (starts(solved, 0), starts(solved, 1)) == ([0], [])
    wider = program(foundries=(foundry("x"), foundry("y", usd=3000.0, slots=500.0)))
    solved = planned(lab(wider))
    # y: 300 + 500 + 500 chips at 7,000 are 9.1 M$
    assert (starts(solved, 0), starts(solved, 1)) == ([], [0])


def test_a_program_has_one_foundry_even_where_two_would_pay():
    both = program(nre=(), foundries=(foundry("x", slots=300.0), foundry("y", slots=300.0)))
    solved = planned(lab(both))
    begun = solved.value(solved.model.columns["silicon_begun"])
    assert begun.sum(axis=1).max() == pytest.approx(1.0)
    assert gain(solved) == pytest.approx(900 * 0.006)


def test_a_respin_costs_its_masks_and_moves_the_ramp():
    made = lab(program(respin=Respin(probability=0.5, delay_quarters=1, cost_usd=2e5)))
    tree = with_slips(toy.tree(made, **TWO), made, **{"asic_re-spin": [0, 1, 0, 0, 0, 0, 0]})
    solved = planned(made, tree)
    plan = to_plan(solved)
    order = plan.ordered[:, plan.offers.index("asic-x")]
    # nodes 1, 3, 5: released in quarter 2 instead of 1, so 0, 300, 600; nodes 2, 4, 6: 300, 600, 600
    assert order == pytest.approx([0, 0, 300, 300, 600, 600, 600])
    assert gain(solved) == pytest.approx(0.5 * (900 + 1500) * 0.006 - 1.5 - 0.5 * 0.2)


def test_a_release_that_slips_costs_time_alone():
    made = lab(program(slip=0.5))
    tree = with_slips(toy.tree(made, **TWO), made, asic=[0, 2, 0, 0, 0, 0, 0])
    solved = planned(made, tree)
    # one future has 300 chips in the last quarter alone
    assert gain(solved) == pytest.approx(0.5 * (300 + 1500) * 0.006 - 1.5)


def test_wafers_are_ordered_a_production_time_before_they_work():
    made = lab(program(lead_quarters=2, production_quarters=1))
    solved = planned(made)
    plan = to_plan(solved)
    assert plan.ordered[:3, 0] == pytest.approx([0, 300, 600])
    assert plan.stock[:4, 0] == pytest.approx([0, 0, 300, 600])


def test_waiting_for_news_beats_starting_at_once():
    # 2.5 M$ of engineering; demand stays or vanishes with equal chance, known in quarter 1
    made = lab(program(nre=((0, 2.5e6),), ramp=(600.0,)))
    demand = [1, 1, 0, 1, 0, 1, 0]
    solved = planned(made, demand=demand, **TWO)
    # now: 0.5 x 1800 x 6,000 - 2.5 M = 2.9 M; wait: 0.5 x (1200 x 6,000 - 2.5 M) = 2.35 M
    assert starts(solved) == [0]
    dearer = lab(program(nre=((0, 4e6),), ramp=(600.0,)))
    solved = planned(dearer, demand=demand, **TWO)
    # now: 5.4 - 4 = 1.4 M; wait: 0.5 x (7.2 - 4) = 1.6 M, in the good future only
    assert starts(solved) == [1]
    assert gain(solved) == pytest.approx(1.6)


@pytest.mark.parametrize(("unlocks", "chips"), [("start", [1000, 1000, 1000]), ("volume", [0, 1000, 1000])])
def test_an_offer_is_unlocked_by_the_start_or_by_the_first_volume(unlocks, chips):
    tranche = toy.reserved("tranche", usd_per_quarter=1000, lead=0, term=1, unlocked_by="asic", most=1000)
    made = lab(program(ramp=(0.0,), nre=((0, 1e5),), unlocks=unlocks), offers=(tranche,))
    solved = planned(made)
    plan = to_plan(solved)
    assert plan.ordered[:3, plan.offers.index("tranche")] == pytest.approx(chips)
    closed = made.model_copy(update={"silicon": (program(ramp=(0.0,), nre=((0, 1e9),), unlocks=unlocks),)})
    assert gain(planned(closed)) == pytest.approx(0.0)


def test_chips_of_a_program_stand_under_the_power_of_their_site():
    made = lab(sites=(toy.site(power_w=2e5),))  # 200 chips of 1 kW
    plan = to_plan(planned(made))
    assert plan.at_work[:4].sum(axis=(1, 2)) == pytest.approx([0, 200, 200, 200])


def test_engineering_is_deducted_from_taxable_profit():
    taxed = lab(finance=toy.finance(tax_rate=0.25))
    # earned 15, paid 6 for chips written off in their quarter, 1.5 of engineering: a quarter of 7.5 is paid
    assert gain(planned(taxed)) == pytest.approx(7.5 * 0.75)


def test_a_lab_without_programs_builds_what_it_built():
    made = toy.lab(offers=(toy.reserved(),))
    names = build_program(collect(made, toy.rates(made), toy.tree(made))).model.rows
    assert not [name for name in names if name.startswith("silicon")]


def test_the_chips_are_offers_once_and_keep_what_was_changed_about_them():
    once = with_own_chips(lab())
    dearer = once.model_copy(
        update={"offers": (once.offers[0].model_copy(update={"price_usd_per_chip": (5000.0,)}),)}
    )
    assert with_own_chips(dearer) is dearer
    assert once.offers[0].price_usd_per_chip == pytest.approx((4000.0,))


def test_what_was_chosen_is_told_with_its_chance_and_quarter():
    made = lab(program(nre=((0, 4e6),), ramp=(600.0,)))
    (found,) = chosen(planned(made, demand=[1, 1, 0, 1, 0, 1, 0], **TWO))
    assert (found.program, found.foundry, found.quarter) == ("asic", "x", "2027-Q2")
    assert found.probability == pytest.approx(0.5)
    assert found.nre_usd == pytest.approx(2e6)
    assert found.chips == pytest.approx(600)


@pytest.mark.parametrize("late", [[0, 1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0]])
def test_on_the_trees_own_futures_the_plan_is_worth_what_it_said(late):
    made = lab(
        program(respin=Respin(probability=0.5, delay_quarters=1, cost_usd=2e5), life_quarters=3, deposit=0.3, residual=0.1),
        finance=toy.finance(tax_rate=0.2, cost_of_equity=0.1, cash_rate=0.02),
        offers=(toy.on_demand(), toy.reserved("tranche", lead=0, term=2, unlocked_by="asic")),
    )  # fmt: skip
    tree = with_slips(
        toy.tree(made, demand=[1, 1.2, 0.8, 1.5, 0.6, 2, 0.5], **TWO), made, **{"asic_re-spin": late}
    )
    solved = planned(made, tree)
    outcome = replay(solved, own_futures(tree), seed=1, absorbing=False)
    assert starts(solved)
    assert tree.probability[tree.leaves] @ outcome.value_usd == pytest.approx(
        to_plan(solved).value_usd, rel=1e-6
    )


def test_the_rows_read_as_they_did():
    tranche = toy.reserved("tranche", lead=0, term=1, unlocked_by="asic", most=1000)
    both = program(
        foundries=(foundry("x"), foundry("y", slots=400.0)),
        respin=Respin(probability=0.5, delay_quarters=1, cost_usd=2e5),
    )
    made = lab(both, quarters=3, offers=(tranche,), policy=Policy())
    tree = toy.tree(made, parent=[-1, 0, 0, 1, 2], probability=[1, 0.5, 0.5, 0.5, 0.5])
    inputs = collect(made, toy.rates(made), with_slips(tree, made, **{"asic_re-spin": [0, 1, 0, 0, 0]}))
    model = build_program(inputs).model
    rows = [name for name in model.rows if name.startswith("silicon")]
    cash = model.to_lp_text(rows=["cash_balance"]).splitlines()
    term = re.compile(r"[+-] [\d.]* ?silicon_start\[[\d,]+\]")
    found = model.to_lp_text(rows=rows) + "".join(
        f"{line.partition(':')[0]}: … {' '.join(term.findall(line))}\n" for line in cash
    )
    file = GOLDEN / "silicon.lp"
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.mkdir(exist_ok=True)
        file.write_text(found, encoding="utf-8")
    assert found == file.read_text(encoding="utf-8")
