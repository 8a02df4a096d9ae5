"""Every row of the formulation as text, on a lab of two quarters and two futures: a change of a rule shows as a diff.

``UPDATE_GOLDEN=1 pytest tests/plan/test_golden.py`` writes the files in ``tests/golden`` anew; read the diff.
Units: thousand chips, M$, 1e12 tokens, 1e24 FLOP, MW. Nodes: 0 the root, 1 and 2 its children, 3 and 4 their tails.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from tests.plan import toy
from tests.plan.demand_labs import GOLDEN_INPUTS, GOLDEN_WITH
from tests.plan.labs import conduct_lab

from exaplan.domain.lab import Debt, Ends, FixedCost, Floor, Policy, Risk, Round
from exaplan.plan.block_rows import reserve, steady
from exaplan.plan.capital_rows import covenant, supplier_loans
from exaplan.plan.efficiency_rows import efficiency
from exaplan.plan.formulation import LINKS, build_program
from exaplan.plan.inputs import collect
from exaplan.plan.launch_rows import launches
from exaplan.plan.link_rows import LINK_ROWS
from exaplan.plan.money_rows import MONEY_ROWS
from exaplan.plan.pool_rows import one_pool
from exaplan.plan.price_rows import price_mix
from exaplan.plan.run_rows import runs
from exaplan.plan.segment_rows import distillation
from exaplan.plan.stage_rows import STAGE_ROWS, insight

ALMOST_ONE = re.compile(r"(?<![\d.])1 (?=[a-z])")
"""A coefficient that is one but for its last bit, which may differ between machines."""

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
CORE = (*STAGE_ROWS, *LINK_ROWS, *MONEY_ROWS)
"""Rows of every lab; what only some labs have is told beside its own tests, in folders of ``tests/golden``."""

DEMAND = (distillation, price_mix, launches)
"""Rows of segments and prices, told on the labs that have them."""

CONDUCT = (covenant, supplier_loans, efficiency, runs)
"""Rows of own use, runs and capital, told on a lab that has them."""


def tiny_inputs():
    workloads = (
        toy.serve(demand_chips=1000, sensitivity=0.5, churn_when_unserved=0.4, recovery=0.25),
        toy.train("pretrain", share_min=0.25, share_max=0.75),
        toy.train("rl"),
        toy.safety(),
    )
    lab = toy.lab(
        quarters=2,
        sites=(toy.site(power_w=5e5, upkeep_usd_per_w_quarter=0.1),),
        workloads=workloads,
        offers=(
            toy.on_demand(availability=0.9),
            toy.reserved(lead=1, term=2, take_or_pay=0.6, deposit=0.1),
            toy.purchase(lead=0, life=2, deposit=0.2, residual=0.1, availability=0.8),
        ),
        contracts=(toy.contract(chips=200, term=4, take_or_pay=0.75, exit_fee=0.5),),
        policy=Policy(
            floor=Floor(workloads=("pretrain", "rl"), share=0.3), safety=Floor(workloads=("oversight",), share=0.05),
            oversight=0.1, risk=Risk(weight=0.2, level=0.5, limit_usd=5e6), cover_quarters=1.0,
        ),
        finance=toy.finance(
            cash_usd=2e6, cost_of_equity=1.1**4 - 1, cash_rate=0.04, tax_rate=0.25, losses_carried_usd=1e6, revenue_cost=0.1,
            collection_lag_quarters=1, receivables_usd=5e5,
            fixed_costs=(FixedCost(id="staff", amount_usd_per_quarter=(3e6,)),),
            rounds=(Round(id="B", first=toy.FIRST + 1, last=toy.FIRST + 1, max_usd=4e6, dilution_cost=0.5),),
            debt=Debt(limit_usd=1e6, rate=0.08, outstanding_usd=5e5),
        ),
        capability=toy.capability(parity_flop_per_quarter=1e24),
        ends=Ends(fade=1 - 0.9**4, quarters=3),
    )  # fmt: skip
    tree = toy.tree(
        lab, parent=[-1, 0, 0], probability=[1.0, 0.5, 0.5], demand=[1.0, 1.5, 0.5], slip=[0, 0, 1]
    )
    return collect(lab, toy.rates(lab), tree)


def inputs_for(row):
    if row in (insight, *CONDUCT):
        return collect(*conduct_lab())
    return GOLDEN_INPUTS.get(row.__name__, tiny_inputs)()


def file_of(row) -> Path:
    return GOLDEN / ("conduct" if row in CONDUCT else "") / f"{row.__name__}.lp"


def text_of(row, inputs) -> str:
    if row in CONDUCT:
        return further_text(row, inputs)
    others = GOLDEN_WITH.get(row.__name__, ())
    known = set(lines_of(others, inputs))
    lines = [line for line in lines_of((*others, row), inputs) if line not in known]
    return f"# {row.__doc__.splitlines()[0]}\n" + ALMOST_ONE.sub("", "".join(lines))


def lines_of(rows, inputs) -> list[str]:
    stage, links = (tuple(r for r in rows if (r in STAGE_ROWS) == is_stage) for is_stage in (True, False))
    model = build_program(inputs, stage_rows=stage, links=links).model
    return model.to_lp_text(rows=list(model.rows)).splitlines(keepends=True)


def further_text(row, inputs) -> str:
    """What a further row adds to the program: its own rows, and the core rows it enters."""
    whole = build_program(inputs).model
    rest = build_program(inputs, links=tuple(each for each in LINKS if each is not row)).model
    before = set(rest.to_lp_text(rows=list(rest.rows)).splitlines())
    lines = [line for line in whole.to_lp_text(rows=list(whole.rows)).splitlines() if line not in before]
    return f"# {row.__doc__.splitlines()[0]}\n" + ALMOST_ONE.sub("", "\n".join(lines) + "\n")


# Rows that this lab does not make appear: their text stands in golden/subjects (tests.plan.subject_golden).
ELSEWHERE = (steady, reserve, one_pool)


@pytest.mark.parametrize(
    "row", [row for row in (*CORE, *DEMAND, *CONDUCT) if row not in ELSEWHERE], ids=lambda row: row.__name__
)
def test_each_row_reads_as_it_did(row):
    found, file = text_of(row, inputs_for(row)), file_of(row)
    if os.environ.get("UPDATE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(found, encoding="utf-8")
    assert file.is_file(), f"no {file.name} yet; write it with UPDATE_GOLDEN=1 and read it"
    assert found == file.read_text(encoding="utf-8")


def test_no_golden_text_is_left_of_a_row_that_is_gone():
    assert {file.stem for file in GOLDEN.glob("*.lp")} == {
        row.__name__ for row in (*CORE, *DEMAND) if row not in ELSEWHERE
    }
    assert {file.stem for file in (GOLDEN / "conduct").glob("*.lp")} == {row.__name__ for row in CONDUCT}
