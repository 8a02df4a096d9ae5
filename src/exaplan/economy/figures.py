"""The table of key figures of the statements: each is defined here once, with unit, equation, words and operands.

An operand is one number per path over the horizon. The value of a figure is that of the expected operands; its spread
over the paths stands beside it. A ratio whose base is zero does not exist (nan).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from exaplan.domain.quarter import MONTHS_PER_QUARTER
from exaplan.economy import operands as of
from exaplan.economy.facts import Facts

Operands = dict[str, Callable[[Facts], np.ndarray]]
Value = Callable[..., np.ndarray]


@dataclass(frozen=True)
class Figure:
    """A key figure: what it is, and how it follows from its operands [path]."""

    key: str
    label: str
    unit: str
    formula: str
    definition: str
    operands: Operands
    value: Value
    per: str = ""  # "workload": one row per serving workload; "use": one per use of compute


def _over(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(np.asarray(whole) == 0, np.nan, np.asarray(part) / np.asarray(whole)))


def _ratio(**operands: Callable[[Facts], np.ndarray]) -> tuple[Operands, Value]:
    """One operand over another."""
    first, second = operands
    return operands, lambda **v: _over(v[first], v[second])


def _margin(**operands: Callable[[Facts], np.ndarray]) -> tuple[Operands, Value]:
    """Take what is left of the first operand after the second, over the first."""
    first, second = operands
    return operands, lambda **v: _over(v[first] - v[second], v[first])


def _plain(**operands: Callable[[Facts], np.ndarray]) -> tuple[Operands, Value]:
    (only,) = operands
    return operands, lambda **v: v[only]


def _runway(**v: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        months = (v["cash"] - v["cash_minimum"]) / v["burn"] * MONTHS_PER_QUARTER
    return np.asarray(np.where(v["burn"] > 0, months, np.inf))


FIGURES: tuple[Figure, ...] = (
    Figure("revenue_recognized", "Revenue recognized, last four quarters", "USD", "value = revenue", "Revenue earned in the last four quarters of the horizon.", *_plain(revenue=of.revenue_last_year)),
    Figure("revenue_run_rate", "Revenue run-rate", "USD/year", "value = revenue_of_last_quarter * 4", "Revenue of the last quarter times four; it is no revenue of any year.", {"revenue_of_last_quarter": of.revenue_last_quarter}, lambda **v: 4 * v["revenue_of_last_quarter"]),
    Figure("statement_gross_margin", "Gross margin", "share", "value = (revenue - cost_of_sales) / revenue", "Revenue less cost of sales by the income statement, as a share of revenue; the switches say what cost of sales holds.", *_margin(revenue=of.revenue, cost_of_sales=of.cost_of_sales)),
    Figure("operating_margin", "Operating margin", "share", "value = operating_income / revenue", "Income before interest and tax, as a share of revenue.", *_ratio(operating_income=of.operating_income, revenue=of.revenue)),
    Figure("net_margin", "Net margin", "share", "value = net_income / revenue", "Net income as a share of revenue.", *_ratio(net_income=of.net_income, revenue=of.revenue)),
    Figure("tier_margin_per_mtok", "Gross margin per million tokens", "USD/Mtok", "value = (revenue - serving_compute - revenue_cost) / served_tokens * 1e6", "Revenue of a workload less its serving compute and its part of the costs that move with revenue, per million tokens served, free users' tokens included.", {"revenue": of.tier_revenue, "serving_compute": of.tier_compute, "revenue_cost": of.tier_revenue_cost, "served_tokens": of.tier_tokens}, lambda **v: 1e6 * _over(v["revenue"] - v["serving_compute"] - v["revenue_cost"], v["served_tokens"]), "workload"),
    Figure("return_on_compute", "Return on total compute spend", "ratio", "value = (revenue - non_compute_cost + capability_value + hours_saved) / compute_cost", "Revenue less costs that are not compute, plus the value of added capability and hours saved, per dollar of compute.", {"revenue": of.revenue, "non_compute_cost": of.non_compute_cost, "capability_value": of.capability_value, "hours_saved": of.hours_saved, "compute_cost": of.compute_cost}, lambda **v: _over(v["revenue"] - v["non_compute_cost"] + v["capability_value"] + v["hours_saved"], v["compute_cost"])),
    Figure("return_by_use", "Return on compute by use", "ratio", "value = gain_of_use / compute_cost_of_use", "What a use brings per dollar of its compute: serving its revenue less costs that move with it, development the value of added capability, internal use the hours it saves; safety is kept, not sold, and has no figure.", {"gain_of_use": of.use_gain, "compute_cost_of_use": of.use_cost}, lambda **v: _over(v["gain_of_use"], v["compute_cost_of_use"]), "use"),
    Figure("return_at_the_margin", "Return on one more chip-hour by use", "ratio", "value = price_of_chip_hour / cost_of_chip_hour", "What one more chip-hour in a use is worth to the plan (dual over the cash dual, there and then), over the mean cost of a chip-hour at work.", {"price_of_chip_hour": of.use_price, "cost_of_chip_hour": of.cost_of_chip_hour}, lambda **v: _over(v["price_of_chip_hour"], v["cost_of_chip_hour"]), "use"),
    Figure("revenue_per_gw_year", "Revenue per gigawatt-year", "USD/GW/year", "value = revenue / gw_years", "Revenue per year over the IT power of the chips that are up.", *_ratio(revenue=of.revenue, gw_years=of.gw_years)),
    Figure("revenue_per_live_chip_hour", "Revenue per chip-hour", "USD/chip/h", "value = revenue / live_chip_hours", "Revenue per hour of a chip that is up, whatever it does.", *_ratio(revenue=of.revenue, live_chip_hours=of.live_chip_hours)),
    Figure("revenue_per_h100e_hour", "Revenue per H100-equivalent hour", "USD/H100e/h", "value = revenue / live_h100e_hours", "Revenue per H100-equivalent hour that is up, by dense 8-bit peak.", *_ratio(revenue=of.revenue, live_h100e_hours=of.live_h100e_hours)),
    Figure("cost_per_h100e_hour", "Effective cost of an H100-equivalent hour", "USD/H100e/h", "value = compute_cost / delivered_h100e_hours", "Compute expensed over the H100-equivalent hours at work, after losses to goodput.", *_ratio(compute_cost=of.compute_cost, delivered_h100e_hours=of.delivered_h100e_hours)),
    Figure("allocated_share", "Allocated", "share", "value = working_h100e_hours / live_h100e_hours", "Hours at work over hours up: the first factor of compute utilization.", *_ratio(working_h100e_hours=of.working_h100e_hours, live_h100e_hours=of.live_h100e_hours)),
    Figure("busy_share", "Busy", "share", "value = busy_h100e_hours / working_h100e_hours", "Share of capacity at work that is filled: serving keeps room so that queues stay short; other work is busy throughout.", *_ratio(busy_h100e_hours=of.busy_h100e_hours, working_h100e_hours=of.working_h100e_hours)),
    Figure("goodput_share", "Goodput of the fleet", "share", "value = delivered_h100e_hours / busy_h100e_hours", "Share of busy time that is useful work, after failures and restarts.", *_ratio(delivered_h100e_hours=of.delivered_h100e_hours, busy_h100e_hours=of.busy_h100e_hours)),
    Figure("fleet_mfu", "MFU of the fleet", "share", "value = model_flop / peak_flop_of_useful_time", "Model FLOP over the dense BF16 peak of the chips in their useful time, all workloads.", *_ratio(model_flop=of.model_flop, peak_flop_of_useful_time=of.useful_peak_flop)),
    Figure("compute_utilization", "Compute utilization", "share", "value = allocated * busy * goodput * mfu", "Product of the four shares above: how much of what is paid becomes model FLOP.", {"allocated": of.allocated, "busy": of.busy, "goodput": of.goodput, "mfu": of.mfu}, lambda **v: v["allocated"] * v["busy"] * v["goodput"] * v["mfu"]),
    Figure("utilization_point", "One point of serving utilization", "USD", "value = worth_of_utilization_point", "Value today of one more percentage point of utilization in all serving, from the duals of technology; it holds for a small change.", *_plain(worth_of_utilization_point=of.utilization_point)),
    Figure("goodput_point", "One point of goodput", "USD", "value = worth_of_goodput_point", "Value today of one more percentage point of goodput in all workloads, likewise.", *_plain(worth_of_goodput_point=of.goodput_point)),
    Figure("cash_runway", "Runway of opening cash", "month", "value = (cash - cash_minimum) / burn * 3", "Months until the opening cash reaches its minimum at the mean burn of the first four quarters, before draws; without an end where nothing is burnt.", {"cash": of.opening_cash, "cash_minimum": of.cash_minimum, "burn": of.burn}, _runway),
    Figure("take_or_pay_coverage", "Take-or-pay coverage", "ratio", "value = revenue / take_or_pay", "Revenue over rent that is due whether chips are used or not.", *_ratio(revenue=of.revenue, take_or_pay=of.take_or_pay)),
    Figure("take_or_pay_per_quarter", "Take-or-pay per quarter", "USD/quarter", "value = take_or_pay / quarters", "Rent that is due whether chips are used or not, mean over the quarters in which the books are open.", *_ratio(take_or_pay=of.take_or_pay, quarters=of.quarters_open)),
    Figure("committed_usd", "Committed dollars", "USD", "value = take_or_pay + purchases_owed", "All payments that signatures make unavoidable: rent due used or not over the horizon, and purchases to their last part.", {"take_or_pay": of.take_or_pay, "purchases_owed": of.purchases_owed}, lambda **v: v["take_or_pay"] + v["purchases_owed"]),
    Figure("committed_not_delivered", "Committed, not delivered", "H100e", "value = most_h100e_on_order", "Largest number of H100-equivalents signed and not yet delivered at the end of a quarter.", *_plain(most_h100e_on_order=of.most_on_order)),
    Figure("lead_time_coverage", "Lead-time coverage", "month", "value = quarters_covered * 3", "Months of demand growth already contracted: how long chips signed by the first quarter's end grow at least as fast as expected demand.", {"quarters_covered": of.quarters_covered}, lambda **v: MONTHS_PER_QUARTER * v["quarters_covered"]),
    Figure("fleet_concentration", "Supplier concentration", "ratio", "value = sum of squared shares of capacity", "Herfindahl-Hirschman index of H100-equivalents up by supplier: 1 is a single supplier, 1/n is n equal ones.", *_plain(index=of.concentration)),
    Figure("rd_share", "R&D share", "share", "value = rd_h100e_hours / working_h100e_hours", "Development and safety work over all work, in H100-equivalent hours.", *_ratio(rd_h100e_hours=of.rd_hours, working_h100e_hours=of.working_h100e_hours)),
    Figure("floor_slack", "Slack of the development floor", "share", "value = capacity_share - floor_share", "Share of capacity at work on development beyond the floor, mean over the horizon.", {"capacity_share": of.floor_capacity, "floor_share": of.floor_share}, lambda **v: v["capacity_share"] - v["floor_share"]),
    Figure("floor_price", "Price of a point of the floor", "USD", "value = worth_of_floor_point", "Value today that one more percentage point of the development floor costs, from its duals.", *_plain(worth_of_floor_point=of.floor_price)),
    Figure("experiments_per_quarter", "Experiments per quarter", "1/quarter", "value = experiment_chip_hours / chip_hours_of_one / quarters", "Experiments that the chip-hours given to them pay for; one is its cluster for a week (assumed).", {"experiment_chip_hours": of.experiment_hours, "chip_hours_of_one": of.one_experiment, "quarters": of.quarters_open}, lambda **v: _over(v["experiment_chip_hours"], v["chip_hours_of_one"] * v["quarters"])),
    Figure("lead_days", "Lead over the frontier", "day", "value = log_ratio / frontier_growth_per_day", "Days by which effective compute is ahead of the frontier (below zero: behind) at the end of the horizon, at the frontier's own pace.", *_ratio(log_ratio=of.log_ratio, frontier_growth_per_day=of.frontier_pace)),
    Figure("served_share", "Demand served", "share", "value = served_tokens / wanted_tokens", "Tokens served over tokens demanded, all serving workloads; customers already lost do not count as demand.", *_ratio(served_tokens=of.served_tokens, wanted_tokens=of.wanted_tokens)),
    Figure("lost_sales", "Lost sales", "USD", "value = unserved_revenue", "Revenue of demand that was not served, at the price of what was.", *_plain(unserved_revenue=of.lost_sales)),
    Figure("book_over_value_in_use", "Book over value in use", "ratio", "value = book / value_in_use", "Book value of chips at the end over what they are worth to the plan: shadow prices over their remaining life.", *_ratio(book=of.book_at_end, value_in_use=of.value_in_use)),
    Figure("book_over_value_at_rent", "Book over value at market rent", "ratio", "value = book / value_at_rent", "Book value of chips at the end over what they would earn at the market's rent, fading, less upkeep.", *_ratio(book=of.book_at_end, value_at_rent=of.value_at_rent)),
)  # fmt: skip

UNITS = {
    **dict.fromkeys(
        (
            "book", "capability_value", "cash", "cash_minimum", "compute_cost", "compute_cost_of_use", "cost_of_sales",
            "gain_of_use", "hours_saved", "net_income", "non_compute_cost", "operating_income", "purchases_owed", "revenue",
            "revenue_cost", "revenue_of_last_quarter", "serving_compute", "take_or_pay", "unserved_revenue", "value_at_rent",
            "value_in_use", "worth_of_floor_point", "worth_of_goodput_point", "worth_of_utilization_point",
        ),
        "USD",
    ),
    **dict.fromkeys(("allocated", "busy", "capacity_share", "floor_share", "goodput", "mfu"), "share"),
    **dict.fromkeys(
        ("busy_h100e_hours", "delivered_h100e_hours", "live_h100e_hours", "rd_h100e_hours", "working_h100e_hours"), "H100e*h"
    ),
    **dict.fromkeys(("chip_hours_of_one", "experiment_chip_hours", "live_chip_hours"), "chip*h"),
    **dict.fromkeys(("cost_of_chip_hour", "price_of_chip_hour"), "USD/chip/h"),
    **dict.fromkeys(("model_flop", "peak_flop_of_useful_time"), "FLOP"),
    **dict.fromkeys(("quarters", "quarters_covered"), "quarter"),
    **dict.fromkeys(("served_tokens", "wanted_tokens"), "token"),
    "burn": "USD/quarter",
    "frontier_growth_per_day": "1/day",
    "gw_years": "GW*year",
    "index": "1",
    "log_ratio": "1",
    "most_h100e_on_order": "H100e",
}  # fmt: skip
"""Unit of each operand."""

FIRST = (
    "served_share", "statement_gross_margin", "operating_margin", "return_on_compute", "revenue_per_live_chip_hour",
    "cost_per_h100e_hour", "allocated_share", "rd_share", "take_or_pay_per_quarter", "committed_usd",
    "fleet_concentration", "cash_runway",
)  # fmt: skip
"""Figures that stand first where a plan is shown with few; the others follow in the order of the table."""
