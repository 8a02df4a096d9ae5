"""Key figures of a plan and of its rent-only alternative, from what was decided and what was simulated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from exaplan.domain.answer import Kpi
from exaplan.domain.outcome import Outcome
from exaplan.domain.plan import Plan
from exaplan.domain.quarter import HOURS_PER_QUARTER
from exaplan.economy import kpis
from exaplan.plan.accounts import by_quarter, contract_value, development_share
from exaplan.plan.inputs import Inputs
from exaplan.plan.layout import CHIPS, USD
from exaplan.plan.money_rows import savings
from exaplan.plan.result import stage_worth, to_plan
from exaplan.plan.solve import Solved
from exaplan.plan.volume_rows import leavable, must_pay_of_cohorts


def key_figures(solved: Solved, outcome: Outcome, other: Solved, other_outcome: Outcome) -> tuple[Kpi, ...]:
    """Each key figure of the plan with that of renting beside it."""
    own, alternative = _figures(solved, outcome), _figures(other, other_outcome)
    return tuple(replace(kpi, rent_only=beside.value) for kpi, beside in zip(own, alternative, strict=True))


def _figures(solved: Solved, outcome: Outcome) -> list[Kpi]:
    inputs, plan = solved.program.inputs, to_plan(solved)
    revenue = float(outcome.revenue_usd.sum(axis=1).mean())
    spend = float((outcome.compute_cost_usd + outcome.capex_usd).sum(axis=1).mean())
    served, wanted = float(outcome.served_tokens.sum()), float(outcome.demand_tokens.sum())
    serving, working, live = _chip_hours(inputs, plan)
    serving_cost = spend * serving / working if working else 0.0
    tokens = served / len(outcome.value_usd)
    must_pay = _must_pay(solved)
    purchases = float((by_quarter(inputs, (plan.ordered * _capex(inputs)).sum(axis=1))).sum())
    burn = (outcome.compute_cost_usd + outcome.capex_usd + outcome.other_cost_usd - outcome.revenue_usd)[
        :, :4
    ]
    finance = inputs.lab.finance
    share = development_share(inputs, plan)
    return [
        kpis.served_share(served_tokens=served, demand_tokens=wanted),
        kpis.gross_margin(revenue_usd=revenue, serving_cost_usd=serving_cost),
        kpis.gross_margin_per_mtok(revenue_usd=revenue, serving_cost_usd=serving_cost, served_tokens=tokens),
        kpis.return_on_compute(
            serving_gross_profit_usd=revenue - serving_cost,
            capability_value_usd=_capability_value(solved),
            hours_saved_usd=_hours_saved(solved),
            compute_spend_usd=spend,
        ),
        kpis.revenue_per_chip_hour(revenue_usd=revenue, serving_chip_hours=serving),
        kpis.cost_per_delivered_chip_hour(compute_spend_usd=spend, delivered_chip_hours=working),
        kpis.utilization(used_chip_hours=working, available_chip_hours=live),
        kpis.development_share(development_flop_per_s=float(share.mean()), energized_flop_per_s=1.0),
        kpis.take_or_pay_per_quarter(take_or_pay_usd=must_pay),
        kpis.committed_usd(
            take_or_pay_usd=float(must_pay.sum()), purchases_owed_usd=purchases, deposits_owed_usd=0.0
        ),
        kpis.supplier_concentration(capacity_by_supplier=_by_supplier(inputs, plan)),
        kpis.runway_months(
            cash_usd=finance.cash_usd,
            cash_minimum_usd=finance.cash_minimum_usd,
            burn_usd_per_quarter=float(burn.mean()),
        ),
    ]


def _chip_hours(inputs: Inputs, plan: Plan) -> tuple[float, float, float]:
    """Return the expected chip-hours at work on serving, at work at all, and live, over the horizon."""
    arcs = by_quarter(inputs, plan.at_work @ inputs.sets.block_share).sum(axis=0)
    serving = np.array([workload < len(inputs.sets.serve) for _, workload in plan.arcs], dtype=bool)
    rented = (plan.rented @ inputs.sets.block_share).sum(axis=1)
    live = plan.stock.sum(axis=1) + rented + _kept(inputs, plan).sum(axis=1) + plan.further.sum(axis=1)
    hours = HOURS_PER_QUARTER
    return (
        float(arcs[serving].sum()) * hours,
        float(arcs.sum()) * hours,
        float(by_quarter(inputs, live).sum()) * hours,
    )


def _must_pay(solved: Solved) -> np.ndarray:
    """Return the expected take-or-pay of every quarter, signed and new, USD [quarter]."""
    inputs = solved.program.inputs
    kept = inputs.deals.contract_payment.copy()
    kept[:, inputs.sets.exits] *= 1 - solved.value(solved.program.columns.left)
    owed = solved.value(solved.program.columns.commit) + kept.sum(axis=1)
    further = solved.model.columns
    if "renewed_commit" in further:
        owed = owed + solved.value(further["renewed_commit"]).sum(axis=1)
    if "order_left" in further:
        saved = must_pay_of_cohorts(inputs)[0][:, :, leavable(inputs)]
        owed = owed - (solved.value(further["order_left"]) * saved).sum(axis=(1, 2))
    return by_quarter(inputs, owed) * USD


def _kept(inputs: Inputs, plan: Plan) -> np.ndarray:
    """Chips of signed contracts that have not been left [node, contract]."""
    chips = inputs.stage.contract_chips * CHIPS
    chips[:, inputs.sets.exits] *= 1 - plan.left
    return chips


def _hours_saved(solved: Solved) -> float:
    """Sum the expected hours and other costs that internal use saves over the horizon, USD."""
    inputs = solved.program.inputs
    saved = solved.value(solved.program.columns.insight) @ savings(inputs.sets)
    return float(by_quarter(inputs, saved).sum()) * USD


def _capex(inputs: Inputs) -> np.ndarray:
    bought = ~inputs.deals.terms.rented
    return np.asarray(contract_value(inputs)[: inputs.tree_nodes] * bought)


def _capability_value(solved: Solved) -> float:
    """Worth of the progress made: progress at every node times its price, dollars of today."""
    worth = stage_worth(solved).by_name["progress"]
    made = solved.value(solved.program.columns.progress)
    return float((worth * made)[: solved.program.inputs.tree_nodes].sum()) * USD


def _by_supplier(inputs: Inputs, plan: Plan) -> dict[str, float]:
    """Live chips by supplier over the horizon."""
    chips = by_quarter(inputs, plan.stock).sum(axis=0)
    signed = by_quarter(inputs, _kept(inputs, plan)).sum(axis=0)
    rented = by_quarter(inputs, plan.rented @ inputs.sets.block_share).sum(axis=0)
    total: dict[str, float] = {}
    sources = ((inputs.sets.orderable, chips), (inputs.sets.contracts, signed), (inputs.sets.hourly, rented))
    for offers, amounts in sources:
        for offer, amount in zip(offers, amounts, strict=True):
            total[offer.supplier] = total.get(offer.supplier, 0.0) + float(amount)
    return {name: total[name] for name in sorted(total)}
