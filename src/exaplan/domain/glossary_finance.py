"""Words of the statements: the key figures by their keys (``economy.figures`` has their equations; a test compares)."""

from __future__ import annotations

from exaplan.domain.term import Term

FINANCE_TERMS: dict[str, Term] = {
    "allocated_share": Term(
        "Allocated", "share", "Hours at work over hours up: the first factor of compute utilization."
    ),
    "book_over_value_at_rent": Term(
        "Book over value at market rent",
        "ratio",
        "Book value of chips at the end over what they would earn at the market's rent, fading, less upkeep.",
    ),
    "book_over_value_in_use": Term(
        "Book over value in use",
        "ratio",
        "Book value of chips at the end over what they are worth to the plan: shadow prices over their remaining life.",
    ),
    "busy_share": Term(
        "Busy",
        "share",
        "Share of capacity at work that is filled: serving keeps room so that queues stay short; other work is busy throughout.",
    ),
    "cash_runway": Term(
        "Runway of opening cash",
        "month",
        "Months until the opening cash reaches its minimum at the mean burn of the first four quarters, before draws; without an end where nothing is burnt.",
    ),
    "committed_not_delivered": Term(
        "Committed, not delivered",
        "H100e",
        "Largest number of H100-equivalents signed and not yet delivered at the end of a quarter.",
    ),
    "committed_usd": Term(
        "Committed dollars",
        "USD",
        "All payments that signatures make unavoidable: rent due used or not over the horizon, and purchases to their last part.",
    ),
    "compute_utilization": Term(
        "Compute utilization",
        "share",
        "Product of the four shares above: how much of what is paid becomes model FLOP.",
    ),
    "cost_per_h100e_hour": Term(
        "Effective cost of an H100-equivalent hour",
        "USD/H100e/h",
        "Compute expensed over the H100-equivalent hours at work, after losses to goodput.",
    ),
    "experiments_per_quarter": Term(
        "Experiments per quarter",
        "1/quarter",
        "Experiments that the chip-hours given to them pay for; one is its cluster for a week (assumed).",
    ),
    "fleet_concentration": Term(
        "Supplier concentration",
        "ratio",
        "Herfindahl-Hirschman index of H100-equivalents up by supplier: 1 is a single supplier, 1/n is n equal ones.",
    ),
    "fleet_mfu": Term(
        "MFU of the fleet",
        "share",
        "Model FLOP over the dense BF16 peak of the chips in their useful time, all workloads.",
    ),
    "floor_price": Term(
        "Price of a point of the floor",
        "USD",
        "Value today that one more percentage point of the development floor costs, from its duals.",
    ),
    "floor_slack": Term(
        "Slack of the development floor",
        "share",
        "Share of capacity at work on development beyond the floor, mean over the horizon.",
    ),
    "goodput_point": Term(
        "One point of goodput",
        "USD",
        "Value today of one more percentage point of goodput in all workloads, likewise.",
    ),
    "goodput_share": Term(
        "Goodput of the fleet",
        "share",
        "Share of busy time that is useful work, after failures and restarts.",
    ),
    "lead_days": Term(
        "Lead over the frontier",
        "day",
        "Days by which effective compute is ahead of the frontier (below zero: behind) at the end of the horizon, at the frontier's own pace.",
    ),
    "lead_time_coverage": Term(
        "Lead-time coverage",
        "month",
        "Months of demand growth already contracted: how long chips signed by the first quarter's end grow at least as fast as expected demand.",
    ),
    "lost_sales": Term(
        "Lost sales", "USD", "Revenue of demand that was not served, at the price of what was."
    ),
    "net_margin": Term("Net margin", "share", "Net income as a share of revenue."),
    "operating_margin": Term(
        "Operating margin", "share", "Income before interest and tax, as a share of revenue."
    ),
    "rd_share": Term(
        "R&D share", "share", "Development and safety work over all work, in H100-equivalent hours."
    ),
    "return_at_the_margin": Term(
        "Return on one more chip-hour by use",
        "ratio",
        "What one more chip-hour in a use is worth to the plan (dual over the cash dual, there and then), over the mean cost of a chip-hour at work.",
    ),
    "return_by_use": Term(
        "Return on compute by use",
        "ratio",
        "What a use brings per dollar of its compute: serving its revenue less costs that move with it, development the value of added capability, internal use the hours it saves; safety is kept, not sold, and has no figure.",
    ),
    "return_on_compute": Term(
        "Return on total compute spend",
        "ratio",
        "Revenue less costs that are not compute, plus the value of added capability and hours saved, per dollar of compute.",
    ),
    "revenue_per_gw_year": Term(
        "Revenue per gigawatt-year",
        "USD/GW/year",
        "Revenue per year over the IT power of the chips that are up.",
    ),
    "revenue_per_h100e_hour": Term(
        "Revenue per H100-equivalent hour",
        "USD/H100e/h",
        "Revenue per H100-equivalent hour that is up, by dense 8-bit peak.",
    ),
    "revenue_per_live_chip_hour": Term(
        "Revenue per chip-hour", "USD/chip/h", "Revenue per hour of a chip that is up, whatever it does."
    ),
    "revenue_recognized": Term(
        "Revenue recognized, last four quarters",
        "USD",
        "Revenue earned in the last four quarters of the horizon.",
    ),
    "revenue_run_rate": Term(
        "Revenue run-rate",
        "USD/year",
        "Revenue of the last quarter times four; it is no revenue of any year.",
    ),
    "served_share": Term(
        "Demand served",
        "share",
        "Tokens served over tokens demanded, all serving workloads; customers already lost do not count as demand.",
    ),
    "statement_gross_margin": Term(
        "Gross margin",
        "share",
        "Revenue less cost of sales by the income statement, as a share of revenue; the switches say what cost of sales holds.",
    ),
    "take_or_pay_coverage": Term(
        "Take-or-pay coverage", "ratio", "Revenue over rent that is due whether chips are used or not."
    ),
    "take_or_pay_per_quarter": Term(
        "Take-or-pay per quarter",
        "USD/quarter",
        "Rent that is due whether chips are used or not, mean over the quarters in which the books are open.",
    ),
    "tier_margin_per_mtok": Term(
        "Gross margin per million tokens",
        "USD/Mtok",
        "Revenue of a workload less its serving compute and its part of the costs that move with revenue, per million tokens served, free users' tokens included.",
    ),
    "utilization_point": Term(
        "One point of serving utilization",
        "USD",
        "Value today of one more percentage point of utilization in all serving, from the duals of technology; it holds for a small change.",
    ),
}
