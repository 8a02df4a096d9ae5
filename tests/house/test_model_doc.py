"""docs/model.md and the program say the same: every row, variable and data array is in it, and its example comes out."""

from __future__ import annotations

import re
from dataclasses import fields
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from tests.plan import toy

from exaplan.domain.lab import Debt, Ends, Floor, Policy, Risk, Round
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
    site = Site(id="here", power_w=(1e6,), pue=1.2, electricity_usd_per_j=2e-8)
    signed = Contract(
        id="signed", chip="a", supplier="cloud", kind="reserved", tranches=(Tranche(date=first, chips=100),),
        term_quarters=4, availability=0.9, price_usd_per_chip_h=2.0, take_or_pay=0.5, exit_fee=0.5,
    )  # fmt: skip
    policy = Policy(
        floor=Floor(workloads=("pretrain", "rl"), share=0.2), safety=Floor(workloads=("oversight",), share=0.02),
        oversight=0.01, risk=Risk(weight=0.1, level=0.5, limit_usd=1e12), cover_quarters=1.0,
    )  # fmt: skip
    money = toy.finance(
        tax_rate=0.2, debt=Debt(limit_usd=1e8, rate=0.1),
        rounds=(Round(id="a", first=first, last=last, max_usd=1e8, dilution_cost=0.1),),
    )  # fmt: skip
    return toy.lab(
        quarters=2, sites=(site,), contracts=(signed,), policy=policy, finance=money, capability=toy.capability(),
        workloads=(toy.serve(sensitivity=0.5), toy.train(), toy.train("rl"), toy.safety()),
        offers=(toy.on_demand(), toy.reserved(take_or_pay=0.5), toy.purchase(pool="here")),
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
    families = (STAGE_ROWS, LINKS)
    stage, links = (tuple(each for each in family if each is not rule) for family in families)
    without = build_program(FULL.inputs, stage_rows=stage, links=links)
    assert len(without.model.rows) < len(FULL.model.rows), "the full lab does not make this rule appear"


def test_the_prices_of_dispatch_know_every_stage_row():
    stage, _ = build_stage(FULL.inputs.sets, FULL.inputs.stage)
    assert set(stage.rows) == set(STAGE_ROW_NAMES)


@pytest.mark.parametrize(
    "record", [Columns, Stage, Deals, Inputs, Layout], ids=lambda record: record.__name__
)
def test_every_variable_and_data_array_is_on_the_page(record):
    assert not sorted({each.name for each in fields(record)} - WORDS)


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
