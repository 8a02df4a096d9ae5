"""Plant, leases and key figures by hand; docs/finance.md shows the same numbers and the same table."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest

from exaplan.domain.futures import NEVER
from exaplan.domain.glossary import GLOSSARY
from exaplan.domain.ledger import Purchases, Reservations
from exaplan.economy.figures import FIGURES, UNITS
from exaplan.economy.leases import as_leases, as_services
from exaplan.economy.plant import plant_of
from exaplan.economy.tabled import quantiles

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "finance.md").read_text(encoding="utf-8")


def bought(*, arrival: int = 2, retirement: int = 8, lost: int = NEVER) -> Purchases:
    """One order of quarter 0: 120 USD, 30 at order, 90 on arrival."""
    one = lambda value: np.array([[value]])  # noqa: E731
    return Purchases(
        name=("own",), hall=np.array([False]), life=np.array([8]), chips=one(1.0), cost_usd=one(120.0), arrival=one(arrival),
        retirement=one(retirement), lost=one(lost), due=((one(0), one(30.0)), (one(arrival), one(90.0))),
    )  # fmt: skip


def rented(*, arrival: int = 1, lost: int = NEVER, steps=()) -> Reservations:
    """One reservation of quarter 0: 90 USD a quarter over four quarters from arrival, deposit 40."""
    one = lambda value: np.array([[value]])  # noqa: E731
    end = NEVER if arrival == NEVER else arrival + 4
    return Reservations(
        name=("firm",), term=np.array([4]), chips=one(1.0), signed=np.array([0]), rent_usd=one(90.0), deposit_usd=one(40.0),
        steps=steps, arrival=one(arrival), retirement=one(end), lost=one(lost),
    )  # fmt: skip


def test_the_worked_example_of_the_page():
    """An order of 120, 30 down, energized in quarter 2, over three years; the page prints these rows."""
    plant = plant_of(bought(retirement=40), 12, 5)
    assert plant.construction[0].tolist() == [0, 30, 30, 0, 0, 0]
    assert plant.depreciation[0].tolist() == [0, 0, 10, 10, 10]
    assert plant.chips[0].tolist() == [0, 0, 0, 110, 100, 90]
    services, leases = as_services(rented(), 5), as_leases(rented(), 5, 0.08)
    assert services.prepaid[0].tolist() == [0, 40, 30, 20, 10, 0]
    assert services.credited[0].tolist() == [0, 10, 10, 10, 10]
    assert leases.liability[0].round(2).tolist() == [0, 0, 259.55, 174.74, 88.24, 0]
    assert leases.right_of_use[0].round(2).tolist() == [0, 0, 287.02, 191.35, 95.67, 0]
    assert leases.interest[0].round(2).tolist() == [0, 6.85, 5.19, 3.49, 1.76]
    for row in (
        "30 | 30 | 0 | 0 | 0",
        "0 | 0 | 110 | 100 | 90",
        "0 | 259.55 | 174.74 | 88.24 | 0",
        "0 | 6.85 | 5.19 | 3.49 | 1.76",
    ):
        assert row in PAGE


def test_lease_and_service_expense_the_same_in_the_end():
    services, leases = as_services(rented(), 6), as_leases(rented(), 6, 0.08)
    as_rent = services.credited.sum() + 4 * 90
    assert leases.depreciation.sum() + leases.interest.sum() == pytest.approx(as_rent)


@pytest.mark.parametrize("rate", [0.0, 0.12])
def test_a_lease_liability_rolls_forward_by_interest_less_payment(rate):
    steps = ((2, np.array([[9.0]])),)
    held, leases = rented(steps=steps), as_leases(rented(steps=steps), 6, rate)
    for t in range(1, 6):
        age = t - 1
        due = (90 + 9 * (age >= 2)) * (age < 4)
        before = leases.liability[0, t] if age else leases.right_of_use[0, t + 1] * 4 / 3 - 40
        assert leases.liability[0, t + 1] == pytest.approx(before + leases.interest[0, t] - due, abs=1e-9)
    assert held.steps


def test_what_a_failed_supplier_was_paid_is_lost_when_he_fails():
    plant = plant_of(bought(arrival=NEVER, retirement=NEVER, lost=1), 12, 3)
    assert plant.construction[0].tolist() == [0, 30, 0, 0]
    assert plant.lost[0].tolist() == [0, 30, 0]
    for view in (
        as_services(rented(arrival=NEVER, lost=2), 4),
        as_leases(rented(arrival=NEVER, lost=2), 4, 0.1),
    ):
        assert view.prepaid[0].tolist() == [0, 40, 40, 0, 0]
        assert view.lost[0].tolist() == [0, 0, 40, 0]


def test_a_useful_life_shorter_than_the_book_life_leaves_a_loss():
    plant = plant_of(bought(retirement=6), 12, 8)
    # four quarters of 10 are charged; 80 is still on the books when the chips go
    assert plant.written_off[0] == pytest.approx([0, 0, 0, 0, 0, 0, 80, 0])
    assert plant.chips[0, -1] == 0


def test_impairment_writes_down_to_value_once_and_for_good():
    worth = np.array([[0.0, 0.0, 55.0, 1000.0, 20.0]])
    plant = plant_of(bought(retirement=40), 12, 5, worth)
    assert plant.impaired[0].tolist() == [0, 0, 55, 0, 25]
    assert plant.depreciation[0].tolist() == [0, 0, 10, 5, 5]
    assert plant.chips[0].tolist() == [0, 0, 0, 55, 50, 20]


def test_quantiles_count_probability():
    values, weight = np.array([[3.0], [1.0], [2.0]]), np.array([0.2, 0.5, 0.3])
    assert quantiles(values, weight, (0.5, 0.6, 0.9))[:, 0].tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.key)
def test_a_key_figure_is_defined_once_and_everywhere_the_same(figure):
    term = GLOSSARY[figure.key]
    assert (term.name, term.unit, term.definition) == (figure.label, figure.unit, figure.definition)
    assert (
        f"| `{figure.key}` | {figure.label} | {figure.unit} | `{figure.formula}` | {figure.definition} |"
        in PAGE
    )


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.key)
def test_the_equation_is_what_is_computed(figure):
    given = {name: float(3 + 2 * place) for place, name in enumerate(figure.operands)}
    value = float(figure.value(**{name: np.asarray(each) for name, each in given.items()}))
    if "sum of squared" in figure.formula:
        assert value == given["index"]
        return
    assert eval(figure.formula.removeprefix("value = "), {}, given) == pytest.approx(value)


def test_every_operand_has_a_unit():
    named = {name for figure in FIGURES for name in figure.operands}
    assert named == set(UNITS)


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.key)
def test_what_has_no_base_has_no_value_and_no_burn_no_end(figure):
    value = float(figure.value(**{name: np.asarray(0.0) for name in figure.operands}))
    if "/" in figure.formula:
        assert np.isnan(value) or (figure.key, value) == ("cash_runway", np.inf)
    else:
        assert value == 0


def test_the_page_lists_no_other_figure():
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| [^|]+ \| `value", PAGE, re.MULTILINE)
    assert sorted(rows) == sorted(figure.key for figure in FIGURES)


def test_a_base_of_zero_gives_no_figure_and_no_burn_no_end():
    by_key = {figure.key: figure for figure in FIGURES}
    zero = np.asarray(0.0)
    assert math.isnan(float(by_key["net_margin"].value(net_income=zero, revenue=zero)))
    runway = by_key["cash_runway"].value
    assert math.isinf(float(runway(cash=np.asarray(5.0), cash_minimum=zero, burn=np.asarray(-1.0))))
