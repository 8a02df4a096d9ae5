"""What suppliers and sites do to a plan: less to be had, a failure, a site that is late. A chip earns 10 000 USD a quarter."""

from __future__ import annotations

import numpy as np
import pytest
from tests.plan import shocks, toy
from tests.simulate.test_replay import own_futures

from exaplan.domain.deals import Equity, Exclusive, MustSpend, Payment, Renewal
from exaplan.domain.lab import Ends
from exaplan.domain.supply import Instalment
from exaplan.plan.result import to_plan
from exaplan.simulate.replay import replay

FORK = {"parent": [-1, 0, 0], "probability": [1.0, 0.5, 0.5]}


def near(value):
    return pytest.approx(value, rel=1e-6, abs=1.0)


def gained(lab, **more):
    return toy.gained(to_plan(shocks.solved(lab, **more)), lab)


def replayed(solved):
    tree = solved.program.inputs.tree
    outcome = replay(solved, own_futures(tree), seed=1, absorbing=False)
    return tree.probability[tree.leaves] @ outcome.value_usd


def test_only_the_factor_of_the_most_can_be_signed():
    lab = toy.lab(quarters=2, offers=(toy.reserved(lead=0, term=1, most=400),))
    plan = to_plan(shocks.solved(lab, **FORK, supply={"cloud": [1.0, 0.5, 1.2]}))
    # 400 chips a quarter are offered; half of them in one future, a fifth more in the other
    assert plan.ordered[:, 0] == pytest.approx([400, 200, 480])


def test_a_failed_supplier_delivers_nothing_and_keeps_the_deposit():
    offer = toy.purchase(usd=10_000, lead=1, life=2, deposit=0.25, most=500, last=toy.FIRST)
    lab = toy.lab(quarters=3, sites=(toy.site(),), offers=(offer,))
    fork = {"parent": [-1, 0, 0, 1, 2], "probability": [1.0, 0.5, 0.5, 0.5, 0.5]}
    solved = shocks.solved(lab, **fork, gone={"maker": [0, 0, 1, 0, 1]})
    plan = to_plan(solved)
    # 500 chips: 1.25 M at order; in the good future 3.75 M on arrival and 2 x 5 M earned, in the bad one nothing more
    assert plan.ordered[0, 0] == pytest.approx(500)
    assert plan.stock[:5, 0] == pytest.approx([0, 500, 0, 500, 0])
    assert toy.gained(plan, lab) == near(-1.25e6 + 0.5 * (-3.75e6 + 10e6))
    assert replayed(solved) == near(plan.value_usd)


def test_a_deposit_at_risk_is_not_paid_where_failure_eats_the_margin():
    offer = toy.purchase(usd=16_000, lead=1, life=2, deposit=0.5, most=500, last=toy.FIRST)
    lab = toy.lab(quarters=3, sites=(toy.site(),), offers=(offer,))
    fork = {"parent": [-1, 0, 0, 1, 2], "probability": [1.0, 0.5, 0.5, 0.5, 0.5]}
    # a chip gains 20 000 - 16 000 where it comes and loses 8000 where it does not
    assert gained(lab, **fork) == near(500 * 4000)
    assert gained(lab, **fork, gone={"maker": [0, 0, 1, 0, 1]}) == near(0)


def test_a_delivery_already_late_when_its_supplier_fails_never_comes():
    lab = toy.lab(quarters=4, offers=(toy.reserved(lead=1, term=2, most=500, last=toy.FIRST),))
    on_time = shocks.solved(lab, slip=[0, 1, 0, 0])
    failed = shocks.solved(lab, slip=[0, 1, 0, 0], gone={"cloud": [0, 0, 1, 1]})
    assert to_plan(on_time).stock[:4, 0] == pytest.approx([0, 0, 500, 500])
    assert to_plan(failed).stock[:4, 0] == pytest.approx([0, 0, 0, 0])


def test_what_was_delivered_works_on_and_is_paid_and_nothing_new_is_signed():
    offers = (toy.reserved(lead=0, term=3, most=300), toy.on_demand(usd_per_quarter=6000, most=100))
    lab = toy.lab(quarters=3, offers=offers)
    solved = shocks.solved(lab, gone={"cloud": [0, 1, 1]})
    plan = to_plan(solved)
    assert plan.ordered[:, 0] == pytest.approx([300, 0, 0])
    assert plan.stock[:3, 0] == pytest.approx([300, 300, 300])
    assert plan.rented[:3, 0, 0] == pytest.approx([100, 0, 0])
    assert toy.gained(plan, lab) == near(3 * 300 * 6000 + 100 * 4000)
    assert replayed(solved) == near(plan.value_usd)


def test_tranches_and_instalments_of_a_failed_supplier_end_with_it():
    bills = tuple(Instalment(date=toy.FIRST + t, amount_usd=1e6) for t in (0, 1, 5))
    fleet = toy.owned(due=(0, 1, 2, 6), chips=100, term=2, instalments=bills, supplier="maker")
    lab = toy.lab(quarters=3, contracts=(fleet,))
    solved = shocks.solved(lab, gone={"maker": [0, 1, 1]})
    # 100 of 400 chips came: they work in quarters 0 and 1; a bill in full, then a quarter of those of quarters 1 and 5
    assert toy.gained(to_plan(solved), lab) == near(2 * 1e6 - 1e6 - 0.25e6 - 0.25e6)
    assert replayed(solved) == near(to_plan(solved).value_usd)
    # without the failure: 100 + 200 + 200 chips, then what still lives after the horizon (100 + 100 in quarters 3, 6, 7)
    assert gained(lab) == near((1 + 2 + 2 + 1 + 1 + 1) * 1e6 - 3e6)


def test_a_site_that_lost_two_quarters_feeds_two_quarters_later_and_the_rent_stays_due():
    late = toy.site(ready=toy.FIRST + 1)
    rented = toy.contract(due=(1,), chips=100, term=5, pool="here", site="here")
    lab = toy.lab(quarters=5, sites=(late,), contracts=(rented,))
    on_time = [0, 1, 1, 1, 1]
    # lost quarters 1 and 2: built are 0, 0, 0, 1, 2 quarters; what stands still afterwards does not matter
    for lost, power in (([0] * 5, on_time), ([0, 1, 1, 0, 0], [0, 0, 0, 1, 1]), ([0, 0, 1, 1, 1], on_time)):
        solved = shocks.solved(lab, standstill={"here": lost})
        assert (solved.program.inputs.stage.site_power[:5, 0] > 0).tolist() == [bool(on) for on in power]
        # 100 chips owe 0.4 M a quarter from quarter 1 on, five in all, the fifth in the tail; 1 M is earned with power
        assert toy.gained(to_plan(solved), lab) == near((sum(power) + 1) * 1e6 - 5 * 0.4e6)
        assert replayed(solved) == near(to_plan(solved).value_usd)


def test_paths_know_nothing_of_a_failure_before_it_happens():
    fleet = toy.owned(
        due=(0, 2),
        chips=100,
        term=1,
        supplier="maker",
        instalments=(Instalment(date=toy.FIRST, amount_usd=1e6),),
    )
    lab = toy.lab(quarters=3, contracts=(fleet,))
    solved = shocks.solved(lab, gone={"maker": [0, 0, 1]})
    outcome = replay(solved, own_futures(solved.program.inputs.tree), seed=1)
    # the first bill was paid in full
    assert outcome.other_cost_usd[0, 0] == near(1e6)
    assert np.isclose(outcome.at_work[0], [100, 0, 0]).all()


def test_a_failed_supplier_renews_nothing():
    signed = toy.contract(chips=100, term=1, renewal=Renewal(term_quarters=1))
    lab = toy.lab(quarters=2, contracts=(signed,))
    assert gained(lab) == near(2 * 100 * 6000)
    assert gained(lab, gone={"cloud": [0, 1]}) == near(100 * 6000)
    firm = toy.reserved(lead=0, term=1, most=100, last=toy.FIRST, renewal=Renewal(term_quarters=1))
    lab = toy.lab(quarters=2, offers=(firm,), ends=Ends(fade=0.0, quarters=1))
    assert gained(lab) == near(2 * 100 * 6000)
    assert gained(lab, gone={"cloud": [0, 1]}) == near(100 * 6000)


def stake(**more) -> Equity:
    """Money for shares that cost the owner nothing."""
    return Equity(id="stake", supplier="cloud", dilution_cost=-1.0, **more)


def test_a_failed_investor_signs_and_pays_nothing_more():
    later = stake(
        investment=(Payment(amount_usd=1e6), Payment(amount_usd=2e6, after_quarters=1)), last=toy.FIRST
    )
    lab = toy.lab(quarters=2, offers=(toy.on_demand(most=0),), deals=(later,))
    assert gained(lab) == near(3e6)
    assert gained(lab, gone={"cloud": [0, 1]}) == near(1e6)
    new = lab.model_copy(update={"deals": (later.model_copy(update={"first": toy.FIRST + 1, "last": None}),)})
    assert gained(new) == near(3e6)
    assert gained(new, gone={"cloud": [0, 1]}) == near(0)
    owing = stake(
        investment=(Payment(amount_usd=1e6),),
        must_spend=MustSpend(amount_usd=3e6, every_quarters=2),
        last=toy.FIRST,
    )
    bound = lab.model_copy(update={"deals": (owing,)})
    # 3 M are to be spent where nothing can be bought; a partner that is gone asks for nothing
    assert gained(bound) == near(0)
    assert gained(bound, gone={"cloud": [0, 1]}) == near(1e6)


def test_an_exclusive_deal_ends_with_its_partner():
    only = Exclusive(id="only", supplier="cloud", excludes=("rival",))
    cheap = toy.reserved("cheap", lead=0, term=1, usd_per_quarter=2000, unlocked_by="only")
    rival = toy.reserved("rival", lead=0, term=1, usd_per_quarter=4000, supplier="rival", first=toy.FIRST + 1)
    lab = toy.lab(quarters=2, offers=(cheap, rival), deals=(only,), ends=Ends(fade=0.0, quarters=1))
    assert gained(lab) == near(2 * 1000 * 8000)
    # the cheap chips go with the cloud, and the rival's are open again
    assert gained(lab, gone={"cloud": [0, 1]}) == near(1000 * 8000 + 1000 * 6000)
