"""One more chip in a signed contract: by hand, and against the plan solved again with it."""

from __future__ import annotations

import numpy as np
import pytest
from tests.plan import labs, toy

from exaplan.domain.deals import Equity, MustSpend, Payment
from exaplan.domain.lab import Ends, Policy
from exaplan.domain.supply import Tranche
from exaplan.domain.supply_risk import SupplierShare
from exaplan.plan.contract_prices import contract_worth
from exaplan.plan.inputs import collect
from exaplan.plan.prices import prices_of
from exaplan.plan.solve import solve_plan


def one_contract(**more):
    given = {"due": (0,), "chips": 500, "term": 2, "usd_per_quarter": 4000, **more}
    return toy.lab(
        quarters=3,
        ends=Ends(fade=0.999999, quarters=1),
        offers=(toy.on_demand(usd_per_quarter=6000),),
        contracts=(toy.contract(**given),),
    )


def test_a_chip_more_saves_the_rent_of_a_chip_and_costs_its_must_pay():
    worth = contract_worth(toy.solved(one_contract(availability=0.9)))
    # 0.9 chips up save 0.9 x 6,000 of rent; 4,000 are paid; from the third quarter on the contract is over
    assert worth[:, 0] == pytest.approx([0.9 * 6000 - 4000, 0.9 * 6000 - 4000, 0.0], rel=1e-6)


def test_a_chip_more_that_stands_idle_costs_what_must_be_paid():
    worth = contract_worth(toy.solved(one_contract(chips=1500, take_or_pay=0.75)))
    assert worth[:2, 0] == pytest.approx([-0.75 * 4000] * 2, rel=1e-6)


def test_prices_name_the_contract():
    prices = [row for row in prices_of(toy.solved(one_contract())) if row.kind == "contract"]
    assert [row.name for row in prices] == ["signed"] * 3
    assert [row.there_and_then for row in prices] == pytest.approx([2000, 2000, 0], rel=1e-6)


@pytest.mark.parametrize("number", [0, 1])
def test_what_is_priced_is_what_a_plan_with_a_little_more_gains(number):
    lab, rates, tree = labs.contracts_lab()
    ended = []  # tranches that end within the horizon: what lies behind it has no price
    for contract in lab.contracts:
        tranches = tuple(t for t in contract.tranches if (t.date - toy.FIRST) + contract.term_quarters <= 3)
        ended.append(contract.model_copy(update={"tranches": tranches, "exit_fee": None}))
    lab = lab.model_copy(update={"contracts": tuple(ended)})
    quiet = tree.__class__(**{**vars(tree), "world": tree.world.__class__(**{**vars(tree.world), "slip": 0 * tree.world.slip})})  # fmt: skip
    base = solve_plan(collect(lab, rates, quiet))
    worth = contract_worth(base)
    assert np.isfinite(worth).all()
    contract, little = lab.contracts[number], 0.01
    more = tuple(Tranche(date=t.date, chips=t.chips + little) for t in contract.tranches)
    changed = contract.model_copy(update={"tranches": more})
    others = tuple(changed if c.id == contract.id else c for c in lab.contracts)
    gained = solve_plan(collect(lab.model_copy(update={"contracts": others}), rates, quiet))
    slope = (gained.solution.objective - base.solution.objective) * 1e6 / (little * len(more))
    assert worth[:, number].sum() == pytest.approx(slope, rel=0.02)


def test_a_chip_more_brings_what_may_be_used_beyond_it():
    lab = toy.lab(quarters=1, contracts=(toy.contract(chips=100, term=1, flex_up=0.5),))
    # it earns 6000, and so does half a chip that may be used beyond it
    assert contract_worth(toy.solved(lab))[0, 0] == pytest.approx(9000, rel=1e-6)


def test_a_chip_more_of_a_rival_lets_others_in():
    policy = Policy(supplier_share=(SupplierShare(supplier="cloud", share=0.4),))
    rival = toy.contract(chips=300, term=1, usd_per_quarter=7000, supplier="rival")
    cheap = toy.reserved(lead=0, term=1, most=500)
    lab = toy.lab(
        quarters=1, contracts=(rival,), offers=(cheap,), policy=policy, ends=Ends(fade=0.0, quarters=1)
    )
    # 3000 of its own, and two thirds of a chip of the cloud that gains 6000
    assert contract_worth(toy.solved(lab))[0, 0] == pytest.approx(3000 + 4000, rel=1e-6)


def test_a_chip_more_of_a_partner_is_spending_that_is_owed_anyway():
    owing = Equity(
        id="stake", supplier="cloud", investment=(Payment(amount_usd=5e6),), dilution_cost=-1.0,
        must_spend=MustSpend(amount_usd=1e6),
    )  # fmt: skip
    idle = toy.contract(chips=100, term=1, usd_per_quarter=4000)
    lab = toy.lab(quarters=1, contracts=(idle,), deals=(owing,), workloads=(toy.serve(demand_chips=0),))
    # 0.4 M of 1 M are spent: what a chip more costs is not paid as a shortfall
    assert contract_worth(toy.solved(lab))[0, 0] == pytest.approx(0, abs=1e-3)
