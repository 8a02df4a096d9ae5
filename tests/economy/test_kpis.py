"""Key figures: hand arithmetic, and each opens to its equation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from exaplan.economy import kpis

EACH = [
    (
        kpis.return_on_compute,
        {"serving_gross_profit_usd": 3.0, "capability_value_usd": 2.0, "hours_saved_usd": 1.0, "compute_spend_usd": 4.0},
        1.5,
        "ratio",
    ),
    (kpis.gross_margin, {"revenue_usd": 10.0, "serving_cost_usd": 6.0}, 0.4, "share"),
    (kpis.gross_margin_per_mtok, {"revenue_usd": 10.0, "serving_cost_usd": 6.0, "served_tokens": 2e6}, 2.0, "USD/Mtok"),
    (kpis.revenue_per_chip_hour, {"revenue_usd": 900.0, "serving_chip_hours": 300.0}, 3.0, "USD/chip/h"),
    (kpis.take_or_pay_per_quarter, {"take_or_pay_usd": np.array([1e9, 3e9])}, 2e9, "USD/quarter"),
    (kpis.served_share, {"served_tokens": 3.0, "demand_tokens": 4.0}, 0.75, "share"),
    (kpis.development_share, {"development_flop_per_s": 2.0, "energized_flop_per_s": 5.0}, 0.4, "share"),
    (kpis.utilization, {"used_chip_hours": 60.0, "available_chip_hours": 80.0}, 0.75, "share"),
    (kpis.supplier_concentration, {"capacity_by_supplier": {"a": 3.0, "b": 1.0}}, 0.625, "ratio"),
    (kpis.cost_per_delivered_chip_hour, {"compute_spend_usd": 10.0, "delivered_chip_hours": 4.0}, 2.5, "USD/chip/h"),
    (kpis.runway_months, {"cash_usd": 9.0, "cash_minimum_usd": 1.0, "burn_usd_per_quarter": 4.0}, 6.0, "month"),
    (
        kpis.committed_usd,
        {"take_or_pay_usd": 5.0, "purchases_owed_usd": 3.0, "deposits_owed_usd": 1.0},
        9.0,
        "USD",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("figure", "inputs", "value", "unit"), EACH, ids=[row[0].__name__ for row in EACH])
def test_a_key_figure_is_its_equation(figure, inputs, value, unit):
    row = figure(**inputs)
    assert (row.name, row.value, row.unit) == (figure.__name__, pytest.approx(value), unit)
    assert row.definition.endswith(".")
    assert row.rent_only is None
    assert row.derivation.value == row.value
    assert row.derivation.key == f"kpi.{row.name}"


@pytest.mark.parametrize(("figure", "inputs", "value", "unit"), EACH, ids=[row[0].__name__ for row in EACH])
def test_the_equation_opens_to_the_value(figure, inputs, value, unit):
    derivation = figure(**inputs).derivation
    operands = {part.name: part.value for part in derivation.operands}
    if "sum of squared" in derivation.formula:
        assert sum(share**2 for share in operands.values()) == pytest.approx(value)
        return
    assert eval(derivation.formula.removeprefix("value = "), {}, operands) == pytest.approx(value)


def test_what_has_no_base_has_no_value():
    assert math.isnan(kpis.served_share(served_tokens=0.0, demand_tokens=0.0).value)
    assert math.isnan(kpis.supplier_concentration(capacity_by_supplier={}).value)
    assert math.isnan(kpis.take_or_pay_per_quarter(take_or_pay_usd=np.array([])).value)


def test_a_lab_that_burns_nothing_has_no_end_of_runway():
    assert kpis.runway_months(cash_usd=1.0, cash_minimum_usd=0.0, burn_usd_per_quarter=-2.0).value == math.inf


def test_equal_suppliers_concentrate_to_one_over_their_number():
    row = kpis.supplier_concentration(capacity_by_supplier=dict.fromkeys("abcd", 7.0))
    assert row.value == pytest.approx(0.25)
