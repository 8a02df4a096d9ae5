"""One more chip in a signed contract: by hand, and against the plan solved again with it."""

from __future__ import annotations

import numpy as np
import pytest
from tests.plan import labs, toy

from exaplan.domain.lab import Ends
from exaplan.domain.supply import Tranche
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
