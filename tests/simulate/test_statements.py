"""Every dollar of every path is booked once: flows add up to cash, the balance holds, and it notices what is missing."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from tests.plan.labs import contracts_lab, developer_lab, owner_lab
from tests.simulate.finance_labs import lab_of, rich_ledger, rich_plan, tree_ledger
from tests.simulate.test_replay import other_futures, own_futures, solved

from exaplan.app.again import make_base
from exaplan.app.pipeline import Clock
from exaplan.domain.statements import Switches
from exaplan.economy.accounts import ACCOUNTS, account_of, label_of
from exaplan.economy.drawn_up import draw_up
from exaplan.economy.sampling import sample_world
from exaplan.io.labfile import read_lab
from exaplan.plan.layout import USD
from exaplan.simulate.replay import replay

CENT = 0.01
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
CONVENTIONS = [
    Switches(life, lease, resale, free, impairment)
    for (life, impairment), lease, resale, free in product(
        ((3, "use"), (5, "off"), (6, "rent")), ("service", "lease"), ("gross", "net"), ("cost-of-sales", "marketing")
    )
]  # fmt: skip
LABS = pytest.mark.parametrize(
    "make", [contracts_lab, owner_lab, developer_lab], ids=lambda make: make.__name__
)


@LABS
@pytest.mark.parametrize("absorbing", [True, False])
def test_flows_are_exactly_the_change_of_cash(make, absorbing):
    plan = solved(make)
    outcome = replay(plan, other_futures(plan.program.inputs.tree), seed=1, absorbing=absorbing, itemize=True)
    ledger = outcome.ledger
    change = np.diff(outcome.cash_usd, axis=1, prepend=ledger.opening.cash_usd)
    assert sum(ledger.flows.values()) == pytest.approx(change, abs=CENT / 100)
    assert sum(ledger.revenues.values()) == pytest.approx(outcome.revenue_usd, abs=CENT / 100)


@LABS
def test_on_the_tree_the_ledger_ends_with_the_plans_own_cash(make):
    plan = solved(make)
    inputs = plan.program.inputs
    ledger = replay(plan, own_futures(inputs.tree), seed=1, absorbing=False, itemize=True).ledger
    path = inputs.at_quarter[inputs.tails]
    planned = plan.value(plan.program.columns.cash)[path] * USD
    assert ledger.cash == pytest.approx(planned, abs=1e-6 * np.abs(planned).max())


def test_asking_for_a_ledger_changes_nothing_else():
    plan = solved(owner_lab)
    world = other_futures(plan.program.inputs.tree)
    plain, kept = (replay(plan, world, seed=1, itemize=each) for each in (False, True))
    assert plain.ledger is None
    assert all(
        np.array_equal(getattr(plain, name), getattr(kept, name)) for name in ("value_usd", "cash_usd")
    )


@LABS
@pytest.mark.parametrize("switches", CONVENTIONS[::5], ids=lambda s: "-".join(map(str, vars(s).values())))
def test_the_balance_holds_to_the_cent_on_every_path(make, switches):
    plan = solved(make)
    for absorbing in (True, False):
        world = other_futures(plan.program.inputs.tree)
        ledger = replay(plan, world, seed=1, absorbing=absorbing, itemize=True).ledger
        drawn = draw_up(lab_of(plan), ledger, switches)
        assert drawn.difference.max() < CENT


@pytest.mark.slow
@pytest.mark.parametrize("switches", CONVENTIONS, ids=lambda s: "-".join(map(str, vars(s).values())))
def test_the_balance_holds_with_every_kind_of_money_and_failing_suppliers(switches):
    for ledger in (rich_ledger(), rich_ledger(absorbing=False), tree_ledger()):
        drawn = draw_up(lab_of(rich_plan()), ledger, switches)
        assert drawn.difference.max() < CENT


def every_flow_is_missed(lab, ledger, switches):
    """Draw the statements up once without each flow that moves money; the balance check must say so."""
    assert draw_up(lab, ledger, switches).difference.max() < CENT
    moving = [name for name, amount in ledger.flows.items() if np.abs(amount).max() > CENT]
    for name in moving:
        rest = {key: amount for key, amount in ledger.flows.items() if key != name}
        missed = draw_up(lab, replace(ledger, flows=rest), switches).difference.max()
        assert missed > CENT, name
    for name, amount in ledger.revenues.items():
        if amount.any():
            rest = {**ledger.revenues, name: 0 * amount}
            assert draw_up(lab, replace(ledger, revenues=rest), switches).difference.max() > CENT, name
    return set(moving)


@LABS
def test_a_missing_flow_breaks_the_balance(make):
    plan = solved(make)
    ledger = replay(plan, other_futures(plan.program.inputs.tree), seed=1, itemize=True).ledger
    for switches in CONVENTIONS[::7]:
        assert every_flow_is_missed(lab_of(plan), ledger, switches)


@LABS
def test_a_missing_line_of_a_statement_breaks_the_balance(make):
    plan = solved(make)
    ledger = replay(plan, other_futures(plan.program.inputs.tree), seed=1, itemize=True).ledger
    drawn = draw_up(lab_of(plan), ledger, Switches(3, "lease", "gross", "marketing", "use"))
    for part in ("operating", "investing", "financing", "assets", "liabilities", "equity"):
        lines = getattr(drawn, part)
        for name, amount in lines.items():
            if np.abs(amount).max() > CENT and name != "cash":  # both checks read cash itself
                rest = replace(drawn, **{part: {key: each for key, each in lines.items() if key != name}})
                assert rest.difference.max() > CENT, name


@pytest.mark.slow
def test_with_every_kind_of_money_each_missing_flow_is_noticed():
    for switches in (Switches(), Switches(3, "lease", "gross", "marketing", "use")):
        seen = every_flow_is_missed(lab_of(rich_plan()), rich_ledger(), switches)
    kinds = {account_of(name).key for name in seen}
    assert {
        "deal_equity", "halls", "supplier_loans_drawn", "supplier_loans_repaid", "supplier_loan_interest", "tax",
        "instalments", "milestones", "renewal_payments", "reservation_deposits", "debt_drawn", "revenue_shared",
    } <= kinds  # fmt: skip


def test_every_flow_has_one_account_and_words():
    keys = [account.key for account in ACCOUNTS]
    assert len(set(keys)) == len(keys)
    assert label_of("raised.seed") == "Equity raised: seed"
    with pytest.raises(KeyError):
        account_of("no such flow")


@pytest.mark.parametrize(
    ("name", "paths"),
    [("startup", 200), *(pytest.param(n, 300, marks=pytest.mark.slow) for n in ("frontier-2026", "strategic")),
     pytest.param("frontier-2026", 20_000, marks=pytest.mark.slow)],
)  # fmt: skip
def test_the_examples_balance_on_every_path(name, paths):
    lab = read_lab(EXAMPLES / f"{name}.yaml")
    plan = make_base(lab, Clock()).solved
    world = sample_world(lab, paths=paths, seed=3, purpose="report")
    ledger = replay(plan, world, seed=3, itemize=True).ledger
    switches = (Switches(), Switches(3, "lease", "gross", "marketing", "use", 0.08))
    for each in switches:
        assert draw_up(lab_of(plan), ledger, each).difference.max() < CENT
    if paths < 1000:
        assert every_flow_is_missed(lab_of(plan), ledger, switches[1])
