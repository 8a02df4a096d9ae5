"""What a plan decided about demand: models that serve a segment, prices, trust."""

from __future__ import annotations

import numpy as np

from exaplan.domain.demand import OfferedPrice, RoutedShare, TrustEarned
from exaplan.plan.accounts import by_quarter
from exaplan.plan.layout import TOKENS, USD
from exaplan.plan.solve import Solved


def routing_of(solved: Solved) -> tuple[RoutedShare, ...]:
    """Shares of each segment's tokens by model and quarter, expected over the tree; nothing for one model alone."""
    inputs, columns = solved.program.inputs, solved.program.columns
    sets, first = inputs.sets, inputs.lab.horizon.first
    if not sets.services:
        return ()
    arcs = np.flatnonzero(sets.arc_service >= 0)
    work = (solved.value(columns.work) * inputs.stage.block_share).sum(axis=2)[:, arcs]
    tokens = np.zeros((inputs.nodes, len(sets.services)))
    np.add.at(tokens.T, sets.arc_service[arcs], (work * inputs.stage.rate[:, arcs]).T)
    ready = np.ones((inputs.nodes, len(sets.services)))
    made = sets.service_run >= 0
    ready[:, made] = solved.value(columns.ready)[:, sets.service_run[made]]
    mean, done = by_quarter(inputs, tokens), by_quarter(inputs, ready)
    total = np.zeros((inputs.quarters, len(sets.serve)))
    np.add.at(total.T, sets.service_workload, mean.T)
    whole = total[:, sets.service_workload]
    share = np.divide(mean, whole, out=np.zeros_like(mean), where=whole > 0)
    return tuple(
        RoutedShare(
            quarter=str(first + t),
            workload=each.workload.id,
            model=each.model,
            share=float(share[t, v]),
            tokens=float(mean[t, v]) * TOKENS,
            ready=float(done[t, v]),
        )
        for t in range(inputs.quarters)
        for v, each in enumerate(sets.services)
    )


def price_points_of(solved: Solved) -> tuple[OfferedPrice, ...]:
    """Share of each price point by quarter, with what is asked for and sold at it, expected over the tree."""
    inputs, columns = solved.program.inputs, solved.program.columns
    sets, stage, first = inputs.sets, inputs.stage, inputs.lab.horizon.first
    if not len(sets.priced):
        return ()
    offered = solved.value(columns.offered)
    wanted = (stage.demand * stage.reference_effect)[:, sets.point_serve] * sets.point_demand * offered
    share, asked = by_quarter(inputs, offered), by_quarter(inputs, wanted)
    sold = by_quarter(inputs, solved.value(columns.sold).sum(axis=2))
    return tuple(
        OfferedPrice(
            quarter=str(first + t),
            workload=sets.serve[sets.point_serve[k]].id,
            price_factor=float(sets.point_price[k]),
            share=float(share[t, k]),
            asked_tokens=float(asked[t, k]) * TOKENS,
            sold_tokens=float(sold[t, k]) * TOKENS,
        )
        for t in range(inputs.quarters)
        for k in range(len(sets.point_serve))
    )


def trust_of(solved: Solved) -> tuple[TrustEarned, ...]:
    """Premium and churn by quarter of each workload whose customers care for safety work, expected over the tree."""
    inputs, columns = solved.program.inputs, solved.program.columns
    sets, price = inputs.sets, inputs.stage.price
    premium, leaving = np.zeros_like(price), np.zeros_like(price)
    premium[:, sets.premium_serve] = solved.value(columns.premium) * price[:, sets.premium_serve]
    leaving[:, sets.churn_serve] = solved.value(columns.leaving)
    served = solved.value(columns.output)[:, : len(sets.serve)].sum(axis=2)
    earned, gone, base = (by_quarter(inputs, each) for each in (premium, leaving, served * price))
    return tuple(
        TrustEarned(
            quarter=str(inputs.lab.horizon.first + t),
            workload=sets.serve[s].id,
            premium_usd=float(earned[t, s]) * USD,
            premium_share=float(earned[t, s] / base[t, s]) if base[t, s] > 0 else 0.0,
            leaving_tokens=float(gone[t, s]) * TOKENS,
        )
        for t in range(inputs.quarters)
        for s in np.union1d(sets.premium_serve, sets.churn_serve)
    )
