"""Every dollar that further decisions move has a name, and the names add up to what the cash row has."""

from __future__ import annotations

import numpy as np
import pytest
from tests.plan.combined_lab import combined_lab
from tests.plan.labs import conduct_lab

from exaplan.domain.lab import SupplierFinance
from exaplan.economy.accounts import account_of
from exaplan.plan.capital_rows import instalments, outstanding
from exaplan.plan.decided import decided_of
from exaplan.plan.inputs import collect
from exaplan.plan.solve import solve_plan


@pytest.mark.parametrize("make", [conduct_lab, pytest.param(combined_lab, marks=pytest.mark.slow)])
def test_named_flows_add_up_to_the_cash_row_at_every_node(make):
    decided = decided_of(solve_plan(collect(*make())))
    assert decided.flows
    assert sum(decided.flows.values()) == pytest.approx(decided.cash, rel=1e-12, abs=1e-9)
    assert all(account_of(name) for name in decided.flows)


@pytest.mark.parametrize("rate", [0.0, 0.08])
def test_a_loan_is_repaid_by_its_instalments(rate):
    lenders = (SupplierFinance(supplier="s", share=0.5, rate=rate, term_quarters=6, limit_usd=1.0),)
    due, _ = instalments(lenders, 8, 1.0)
    owed = outstanding(lenders, len(due))
    balance = 1.0
    for age in range(1, len(due)):
        balance += balance * rate / 4 - due[age, 0]
        assert owed[age, 0] == pytest.approx(balance, abs=1e-12)
    assert balance == pytest.approx(0.0, abs=1e-12)
    assert np.all(owed >= 0)
