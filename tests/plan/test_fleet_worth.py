"""A chip is worth what its use still earns; a chip earns 10 000 USD a quarter in these labs."""

from __future__ import annotations

import pytest
from tests.plan import toy

from exaplan.plan.fleet_worth import worth_in_use
from exaplan.plan.priced import priced_of


def scarce():
    """Four hundred owned chips for the demand of a thousand, nothing else to be had."""
    lab = toy.lab(
        quarters=4, contracts=(toy.owned(chips=400, term=4),), workloads=(toy.serve(demand_chips=1000),),
        finance=toy.finance(cash_usd=5e6, cost_of_equity=0.2),
    )  # fmt: skip
    return toy.solved(lab)


def test_a_scarce_chip_is_worth_its_earnings_in_the_quarters_it_has_left():
    solved = scarce()
    beta = solved.program.inputs.tail_discount
    _, contracts = worth_in_use(solved, 4)
    up = solved.program.inputs.sets.contracts[0].availability
    for node, retirement in ((0, 3), (0, 1), (1, 4), (2, 4)):
        left = range(node + 1, retirement)
        earned = sum(up * 10_000 * beta ** (t - node) for t in left)
        assert contracts[node, 0, retirement] == pytest.approx(earned, rel=1e-6)


def test_one_more_chip_hour_of_serving_is_worth_what_a_chip_earns_in_it():
    assert priced_of(scarce()).use_price_usd_per_chip_h["serving"] == pytest.approx(10_000 / 2190, rel=1e-6)
