"""The key figures: each defined once, with its unit, its words and its equation.

Every function takes plain numbers of one plan and returns the row that page, terminal and JSON show. A ratio whose
base is zero does not exist and is nan; nothing is put in its place.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from exaplan.domain.answer import Kpi
from exaplan.domain.derivation import Derivation, Operand
from exaplan.domain.quarter import MONTHS_PER_QUARTER
from exaplan.economy.money import TOKENS_PER_MTOK


@dataclass(frozen=True)
class _Figure:
    """What a key figure is, apart from its value."""

    name: str
    label: str
    unit: str
    formula: str
    definition: str

    def row(self, value: float, *operands: tuple[str, float, str]) -> Kpi:
        """Fill the row with a value and the numbers it was computed from."""
        parts = tuple(Operand(name, float(number), unit, source="plan") for name, number, unit in operands)
        derivation = Derivation(f"kpi.{self.name}", value, self.unit, self.formula, parts)
        return Kpi(self.name, self.label, value, None, self.unit, self.definition, derivation)


_RETURN = _Figure(
    "return_on_compute",
    "Return on total compute spend",
    "ratio",
    "value = (serving_gross_profit + capability_value + hours_saved) / compute_spend",
    "Gross profit of serving, valued gain of capability and internal hours saved, per dollar spent on all compute.",
)
_MARGIN = _Figure(
    "gross_margin",
    "Gross margin",
    "share",
    "value = (revenue - serving_cost) / revenue",
    "Revenue less the cost of serving it, as a share of revenue; development compute is not a cost of serving.",
)
_MARGIN_PER_MTOK = _Figure(
    "gross_margin_per_mtok",
    "Gross margin per million tokens",
    "USD/Mtok",
    "value = (revenue - serving_cost) / served_tokens * 1e6",
    "Revenue less the cost of serving, per million tokens served, free users' tokens included.",
)
_REVENUE_PER_CHIP_HOUR = _Figure(
    "revenue_per_chip_hour",
    "Revenue per serving chip-hour",
    "USD/chip/h",
    "value = revenue / serving_chip_hours",
    "Revenue per chip-hour at work on serving.",
)
_TAKE_OR_PAY = _Figure(
    "take_or_pay_per_quarter",
    "Take-or-pay per quarter",
    "USD/quarter",
    "value = take_or_pay_total / quarters",
    "Payments due whether the chips are used or not, mean over the quarters of the horizon.",
)
_SERVED = _Figure(
    "served_share",
    "Demand served",
    "share",
    "value = served_tokens / demand_tokens",
    "Tokens served over tokens demanded, all workloads; customers already lost do not count as demand.",
)
_DEVELOPMENT = _Figure(
    "development_share",
    "Development share",
    "share",
    "value = development_flop_per_s / energized_flop_per_s",
    "Capacity at work on development over all energized capacity, both weighted by each chip's own development rate.",
)
_UTILIZATION = _Figure(
    "utilization",
    "Utilization of the fleet",
    "share",
    "value = used_chip_hours / available_chip_hours",
    "Chip-hours at work over chip-hours that were delivered and up.",
)
_CONCENTRATION = _Figure(
    "supplier_concentration",
    "Supplier concentration",
    "ratio",
    "value = sum of squared shares of capacity",
    "Herfindahl-Hirschman index of capacity by supplier: 1 is a single supplier, 1/n is n equal ones.",
)
_COST_PER_CHIP_HOUR = _Figure(
    "cost_per_delivered_chip_hour",
    "Cost per delivered chip-hour",
    "USD/chip/h",
    "value = compute_spend / delivered_chip_hours",
    "All compute spend over chip-hours of useful work delivered.",
)
_RUNWAY = _Figure(
    "runway_months",
    "Runway",
    "month",
    "value = (cash - cash_minimum) / burn * 3",
    "Months until cash reaches its minimum at the present burn; without an end where nothing is burnt.",
)
_COMMITTED = _Figure(
    "committed_usd",
    "Committed dollars",
    "USD",
    "value = take_or_pay_total + purchases_owed + deposits_owed",
    "All payments that signatures make unavoidable, undiscounted.",
)


def return_on_compute(
    *,
    serving_gross_profit_usd: float,
    capability_value_usd: float,
    hours_saved_usd: float,
    compute_spend_usd: float,
) -> Kpi:
    """Return on total compute spend, ratio."""
    gain = serving_gross_profit_usd + capability_value_usd + hours_saved_usd
    return _RETURN.row(
        _ratio(gain, compute_spend_usd),
        ("serving_gross_profit", serving_gross_profit_usd, "USD"),
        ("capability_value", capability_value_usd, "USD"),
        ("hours_saved", hours_saved_usd, "USD"),
        ("compute_spend", compute_spend_usd, "USD"),
    )


def gross_margin(*, revenue_usd: float, serving_cost_usd: float) -> Kpi:
    """Gross margin, share of revenue."""
    value = _ratio(revenue_usd - serving_cost_usd, revenue_usd)
    return _MARGIN.row(value, ("revenue", revenue_usd, "USD"), ("serving_cost", serving_cost_usd, "USD"))


def gross_margin_per_mtok(*, revenue_usd: float, serving_cost_usd: float, served_tokens: float) -> Kpi:
    """Gross margin per million tokens served, USD/Mtok."""
    return _MARGIN_PER_MTOK.row(
        _ratio(revenue_usd - serving_cost_usd, served_tokens) * TOKENS_PER_MTOK,
        ("revenue", revenue_usd, "USD"),
        ("serving_cost", serving_cost_usd, "USD"),
        ("served_tokens", served_tokens, "token"),
    )


def revenue_per_chip_hour(*, revenue_usd: float, serving_chip_hours: float) -> Kpi:
    """Revenue per chip-hour at work on serving, USD/chip/h."""
    return _REVENUE_PER_CHIP_HOUR.row(
        _ratio(revenue_usd, serving_chip_hours),
        ("revenue", revenue_usd, "USD"),
        ("serving_chip_hours", serving_chip_hours, "chip*h"),
    )


def take_or_pay_per_quarter(*, take_or_pay_usd: np.ndarray) -> Kpi:
    """Mean take-or-pay payment per quarter from payments [quarter], USD/quarter."""
    total, quarters = float(np.sum(take_or_pay_usd)), len(take_or_pay_usd)
    return _TAKE_OR_PAY.row(
        _ratio(total, quarters), ("take_or_pay_total", total, "USD"), ("quarters", quarters, "quarter")
    )


def served_share(*, served_tokens: float, demand_tokens: float) -> Kpi:
    """Share of demand served."""
    return _SERVED.row(
        _ratio(served_tokens, demand_tokens),
        ("served_tokens", served_tokens, "token"),
        ("demand_tokens", demand_tokens, "token"),
    )


def development_share(*, development_flop_per_s: float, energized_flop_per_s: float) -> Kpi:
    """Share of energized capacity at work on development."""
    return _DEVELOPMENT.row(
        _ratio(development_flop_per_s, energized_flop_per_s),
        ("development_flop_per_s", development_flop_per_s, "FLOP/s"),
        ("energized_flop_per_s", energized_flop_per_s, "FLOP/s"),
    )


def utilization(*, used_chip_hours: float, available_chip_hours: float) -> Kpi:
    """Share of available chip-hours at work."""
    return _UTILIZATION.row(
        _ratio(used_chip_hours, available_chip_hours),
        ("used_chip_hours", used_chip_hours, "chip*h"),
        ("available_chip_hours", available_chip_hours, "chip*h"),
    )


def supplier_concentration(*, capacity_by_supplier: dict[str, float]) -> Kpi:
    """Herfindahl-Hirschman index of capacity by supplier (H100-equivalents or any one unit), ratio."""
    total = sum(capacity_by_supplier.values())
    shares = {supplier: _ratio(amount, total) for supplier, amount in capacity_by_supplier.items()}
    value = sum(share**2 for share in shares.values()) if shares else math.nan
    return _CONCENTRATION.row(
        value, *((f"share of {name}", share, "share") for name, share in shares.items())
    )


def cost_per_delivered_chip_hour(*, compute_spend_usd: float, delivered_chip_hours: float) -> Kpi:
    """Compute spend per chip-hour of useful work, USD/chip/h."""
    return _COST_PER_CHIP_HOUR.row(
        _ratio(compute_spend_usd, delivered_chip_hours),
        ("compute_spend", compute_spend_usd, "USD"),
        ("delivered_chip_hours", delivered_chip_hours, "chip*h"),
    )


def runway_months(*, cash_usd: float, cash_minimum_usd: float, burn_usd_per_quarter: float) -> Kpi:
    """Months of cash left at the present burn; inf where nothing is burnt."""
    spare = cash_usd - cash_minimum_usd
    value = spare / burn_usd_per_quarter * MONTHS_PER_QUARTER if burn_usd_per_quarter > 0 else math.inf
    return _RUNWAY.row(
        value,
        ("cash", cash_usd, "USD"),
        ("cash_minimum", cash_minimum_usd, "USD"),
        ("burn", burn_usd_per_quarter, "USD/quarter"),
    )


def committed_usd(*, take_or_pay_usd: float, purchases_owed_usd: float, deposits_owed_usd: float) -> Kpi:
    """All unavoidable payments, undiscounted, USD; each dollar stands in one of the three terms."""
    return _COMMITTED.row(
        take_or_pay_usd + purchases_owed_usd + deposits_owed_usd,
        ("take_or_pay_total", take_or_pay_usd, "USD"),
        ("purchases_owed", purchases_owed_usd, "USD"),
        ("deposits_owed", deposits_owed_usd, "USD"),
    )


def _ratio(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole else math.nan
