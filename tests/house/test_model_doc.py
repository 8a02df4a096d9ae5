"""docs/model.md and the program say the same: every row, variable and data array is in it, and its example comes out."""

from __future__ import annotations

import re
from dataclasses import fields
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from tests.plan import deal_labs, toy
from tests.plan.demand_labs import demand_of_every_kind, launch, models
from tests.plan.labs import conduct_lab
from tests.plan.silicon_lab import program

from exaplan.domain.lab import Debt, Ends, Floor, Policy, Risk, Round, SupplierFinance
from exaplan.domain.load import Load
from exaplan.domain.runs import FlopRule, Run
from exaplan.domain.sitestep import SiteStep
from exaplan.domain.supply import Contract, Site, Tranche
from exaplan.optimize.highs import duals
from exaplan.plan.columns import Columns
from exaplan.plan.formulation import LINKS, build_program, build_stage
from exaplan.plan.inputs import Deals, Inputs, collect
from exaplan.plan.layout import Layout
from exaplan.plan.result import STAGE_ROW_NAMES, cash_price
from exaplan.plan.solve import Solved, solve_plan
from exaplan.plan.stage import Stage
from exaplan.plan.stage_rows import STAGE_ROWS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "model.md").read_text(encoding="utf-8")
ROOMS = ("domain", "optimize", "economy", "plan", "simulate")
WORDS = set(re.findall(r"\w+", " ".join(re.findall(r"```.*?```|`[^`\n]+`", PAGE, re.DOTALL))))
REFERENCES = sorted(set(re.findall(rf"`((?:{'|'.join(ROOMS)})\.\w+(?:\.\w+)?)`", PAGE)))


def lab_of_every_feature():
    """A toy lab that makes every family of rows appear."""
    first, last = toy.FIRST, toy.FIRST + 1
    hall = SiteStep(id="hall", power_w=1e6, lead_quarters=1, life_quarters=8, cost_usd=1e6)
    annex = hall.model_copy(update={"id": "annex", "continuous": True, "after": "hall"})
    site = Site(id="here", power_w=(1e6,), pue=1.2, electricity_usd_per_j=2e-8, steps=(hall, annex))
    signed = Contract(
        id="signed", chip="a", supplier="cloud", kind="reserved", tranches=(Tranche(date=first, chips=100),),
        term_quarters=4, availability=0.9, price_usd_per_chip_h=2.0, take_or_pay=0.5, exit_fee=0.5,
    )  # fmt: skip
    policy = Policy(
        floor=Floor(workloads=("pretrain", "rl"), share=0.2), safety=Floor(workloads=("oversight",), share=0.02),
        oversight=0.01, risk=Risk(weight=0.1, level=0.5, limit_usd=1e12), cover_quarters=1.0,
        supplier_share=deal_labs.CAPS, supplier_order=deal_labs.MOST,
    )  # fmt: skip
    money = toy.finance(
        tax_rate=0.2, debt=Debt(limit_usd=1e8, rate=0.1, revenue_multiple=1.0),
        supplier_finance=(SupplierFinance(supplier="maker", share=0.5, rate=0.1, term_quarters=2, limit_usd=1e6),),
        rounds=(Round(id="a", first=first, last=last, max_usd=1e8, dilution_cost=0.1),),
    )  # fmt: skip
    use = conduct_lab()[0].internal[0]
    law = toy.capability(experiments=("rl",), experiments_share=0.6)
    run = Run(id="next", workload="pretrain", flop=2e23, due=last, uplift=0.1, uplift_workloads=("chat",))
    rule = FlopRule(id="act", threshold_flop=1e23, workload="oversight", evaluation_flop=1e22)
    return toy.lab(
        models=models("m", "large", "small"), quarters=2, sites=(site,), contracts=(signed,), policy=policy, finance=money, capability=law,
        workloads=(
            toy.serve(sensitivity=0.5, reserve=0.1), demand_of_every_kind(), toy.train(preemptible=False),
            toy.train("rl", preemptible=True, restart_loss=0.1, single_pool=True), toy.safety(), use,
        ),
        load=Load(blocks=2, shape=(1.0, 2.0, 3.0)), runs=(run,), rules=(rule,), deals=deal_labs.DEALS, silicon=(program(),),
        launches=(launch(chips=10, flop_quarters=10),),
        offers=(toy.on_demand(), toy.reserved(take_or_pay=0.5), toy.purchase(pool="here"), *deal_labs.OFFERS,
                toy.reserved("after", unlocked_by="asic")),
    )  # fmt: skip


def built(lab, **tree):
    return build_program(collect(lab, toy.rates(lab), toy.tree(lab, **tree)))


FULL = built(lab_of_every_feature())


@pytest.mark.parametrize("name", FULL.model.rows)
def test_every_row_range_is_on_the_page(name):
    assert name in WORDS


@pytest.mark.parametrize("rule", [*STAGE_ROWS, *LINKS], ids=lambda rule: rule.__name__)
def test_every_function_of_the_formulation_is_named_and_adds_rows_of_the_full_lab(rule):
    place = f"{rule.__module__.removeprefix('exaplan.')}.{rule.__name__}"
    assert f"`{place}`" in PAGE
    added = []

    def counted(builder, *rest):
        before = builder.row_count
        rule(builder, *rest)
        added.append(builder.row_count - before)

    families = (STAGE_ROWS, LINKS)
    stage, links = (tuple(counted if each is rule else each for each in family) for family in families)
    build_program(FULL.inputs, stage_rows=stage, links=links)
    assert added[0] > 0, "the full lab does not make this rule appear"


def test_the_prices_of_dispatch_know_every_stage_row():
    stage, _ = build_stage(FULL.inputs.sets, FULL.inputs.stage)
    assert set(stage.rows) == set(STAGE_ROW_NAMES)


@pytest.mark.parametrize(
    "record", [Columns, Stage, Deals, Inputs, Layout], ids=lambda record: record.__name__
)
def test_every_variable_and_data_array_is_on_the_page(record):
    assert not sorted({each.name for each in fields(record)} - WORDS)


def test_every_variable_of_the_full_lab_is_on_the_page():
    assert not sorted(set(FULL.model.columns) - WORDS)


@pytest.mark.parametrize("reference", REFERENCES)
def test_every_name_that_the_page_points_to_exists(reference):
    room, module, *name = reference.split(".")
    found = import_module(f"exaplan.{room}.{module}")
    assert not name or hasattr(found, name[0])


@pytest.fixture(scope="module")
def example() -> Solved:
    beta, margin = 0.8, 0.4
    lab = toy.lab(
        quarters=2, finance=toy.finance(cash_usd=5e6, cost_of_equity=beta**-4 - 1),
        ends=Ends(fade=1 - (margin / beta) ** 4, quarters=4),
        offers=(toy.on_demand(usd_per_quarter=6000, most=400),
                toy.reserved(usd_per_quarter=4000, lead=1, term=3, last=toy.FIRST)),
    )  # fmt: skip
    tree = toy.tree(lab, parent=[-1, 0, 0], probability=[1, 0.5, 0.5], demand=np.array([1, 1.5, 0.5]))
    return solve_plan(collect(lab, toy.rates(lab), tree))


def test_the_worked_example_orders_up_to_the_kink_and_is_worth_what_the_page_says(example):
    columns, stage = example.program.columns, example.program.inputs.stage
    assert stage.weight == pytest.approx([1, 1, 1, 1.624, 1.624])
    assert example.value(columns.order)[0] == pytest.approx(1.1)
    assert example.value(columns.stock)[:, 0] == pytest.approx([0, 1.1, 1.1, 1.4 * 1.1, 1.4 * 1.1])
    assert example.value(columns.commit) == pytest.approx([0, 4.4, 4.4, 7.92, 7.92])
    assert example.value(columns.cash) == pytest.approx([6.6, 14.8, 7.2, 22.28, 7.4])
    assert example.program.inputs.cash_worth == pytest.approx([0.2, 0.2, 0.2, 1, 1])
    assert example.solution.objective == pytest.approx(12.5776)
    for number in ("**12.5776 M$**", "**y = 1.1**", "**p = 8.32 M$**", "22.28 and 7.2 + 8.12 - 7.92 = 7.4"):
        assert number in " ".join(PAGE.split())


def test_the_prices_of_the_worked_example_are_those_on_the_page(example):
    chips = duals(example.solution, example.model.rows["chips"]).ravel()
    cash = duals(example.solution, example.model.rows["cash_balance"])
    assert chips[1:3] == pytest.approx([3.328, 0])
    assert cash[1] == pytest.approx(0.4)
    assert chips[1] / cash[1] == pytest.approx(8.32)
    assert cash_price(example) == pytest.approx(np.ones(5))
