"""Rows of what only some labs have: each function declares its own variables and adds to the rows of every lab.

A function here does nothing for a lab without its subject, so that a simple lab builds a simple program. It adds its
chips to ``chips``, its demand to ``demand``, its megawatts to ``power``, and its money through ``plan.flows.pay``. What
it decides is decided at a node: a simulated future follows the node it resembles (``plan.decided.decided_of``).
"""

from __future__ import annotations

from exaplan.plan.capital_rows import covenant, supplier_loans
from exaplan.plan.deal_rows import deal_starts, exclusivity, must_spend, revenue_share
from exaplan.plan.efficiency_rows import efficiency
from exaplan.plan.launch_rows import launches
from exaplan.plan.link_rows import LinkRow
from exaplan.plan.pool_rows import homes
from exaplan.plan.price_rows import price_mix
from exaplan.plan.renewal_rows import renewals
from exaplan.plan.run_rows import flop_once, runs
from exaplan.plan.segment_rows import distillation
from exaplan.plan.silicon_rows import silicon
from exaplan.plan.site_steps import site_steps
from exaplan.plan.supply_rows import lots, supplier_order, supplier_share, unlocked
from exaplan.plan.volume_rows import flex_up, order_exits

FURTHER_ROWS: tuple[LinkRow, ...] = (
    site_steps,
    homes,
    deal_starts,
    must_spend,
    revenue_share,
    exclusivity,
    unlocked,
    renewals,
    order_exits,
    flex_up,
    supplier_share,
    supplier_order,
    lots,
    covenant,
    supplier_loans,
    efficiency,
    runs,
    distillation,
    price_mix,
    silicon,
    launches,
    flop_once,
)
