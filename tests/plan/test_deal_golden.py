"""Rows of deals and supply as text, on a lab of two quarters and two futures: a change of a rule shows as a diff.

``UPDATE_GOLDEN=1 pytest tests/plan/test_deal_golden.py`` writes the files in ``tests/golden/deals`` anew; read the diff.
"""

from __future__ import annotations

import os

import pytest
from tests.plan import toy
from tests.plan.deal_labs import CAPS, DEALS, MOST, OFFERS
from tests.plan.shocks import shocked
from tests.plan.test_golden import ALMOST_ONE
from tests.plan.test_golden import GOLDEN as GOLDENS

from exaplan.domain.lab import Ends, Policy
from exaplan.plan import deal_rows, renewal_rows, supply_rows, volume_rows
from exaplan.plan.formulation import build_program
from exaplan.plan.further import FURTHER_ROWS
from exaplan.plan.inputs import collect

GOLDEN = GOLDENS / "deals"
MODULES = (deal_rows, renewal_rows, supply_rows, volume_rows)
RULES = [rule for rule in FURTHER_ROWS if rule.__module__ in {module.__name__ for module in MODULES}]
CORE_ROWS = ("chips", "demand", "cash_balance")
"""Rows of every lab to which deals add, told once."""


def tiny_inputs():
    lab = toy.lab(
        quarters=2, sites=(toy.site(),), deals=DEALS, contracts=(toy.contract(chips=200, supplier="maker"),),
        offers=(toy.on_demand(supplier="maker"), toy.reserved(term=2, deposit=0.1), *OFFERS, toy.purchase(lead=0, life=2, deposit=0.2)),
        policy=Policy(supplier_share=CAPS, supplier_order=MOST),
        finance=toy.finance(cash_usd=2e6, cost_of_equity=1.25**4 - 1), ends=Ends(fade=0.5904, quarters=2),
    )  # fmt: skip
    tree = toy.tree(lab, parent=[-1, 0, 0], probability=[1.0, 0.5, 0.5], demand=[1.0, 1.5, 0.5])
    return collect(lab, toy.rates(lab), shocked(lab, tree, supply={"cloud": [1.0, 0.6, 1.2]}))


def told() -> dict[str, str]:
    """Text of the rows that each rule declares, and of the core rows at the end."""
    declared = {}

    def watched(rule):
        def run(builder, columns, inputs):
            before = set(builder.names)
            rule(builder, columns, inputs)
            declared[rule] = [name for name in builder.names if name not in before and builder.has_rows(name)]

        return run

    from exaplan.plan.formulation import LINKS

    model = build_program(
        tiny_inputs(), links=[watched(rule) if rule in RULES else rule for rule in LINKS]
    ).model
    text = {
        rule.__name__: f"# {rule.__doc__.splitlines()[0]}\n"
        + ALMOST_ONE.sub("", model.to_lp_text(rows=names))
        for rule, names in declared.items()
    }
    return text | {"core": ALMOST_ONE.sub("", model.to_lp_text(rows=CORE_ROWS))}


@pytest.fixture(scope="module")
def text():
    return told()


@pytest.mark.parametrize("name", [*(rule.__name__ for rule in RULES), "core"])
def test_each_row_reads_as_it_did(name, text):
    found, file = text[name], GOLDEN / f"{name}.lp"
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.mkdir(exist_ok=True)
        file.write_text(found, encoding="utf-8")
    assert file.is_file(), f"no {file.name} yet; write it with UPDATE_GOLDEN=1 and read it"
    assert found == file.read_text(encoding="utf-8")


def test_no_golden_text_is_left_of_a_row_that_is_gone():
    assert {file.stem for file in GOLDEN.glob("*.lp")} == {*(rule.__name__ for rule in RULES), "core"}
