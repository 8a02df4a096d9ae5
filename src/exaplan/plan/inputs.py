"""A lab, its rates and its tree as the arrays that the rows read.

Nodes are the tree's nodes followed by one tail node per leaf (stage T). LP units as in ``layout``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from exaplan.domain.base import over_quarters
from exaplan.domain.capability import Capability
from exaplan.domain.futures import NEVER, Tree
from exaplan.domain.lab import FixedCost, Lab
from exaplan.domain.own_chips import with_own_chips
from exaplan.domain.quarter import HOURS_PER_QUARTER
from exaplan.domain.rates import RateTable
from exaplan.domain.supply import Purchase
from exaplan.plan import calendar, layout
from exaplan.plan.stage import Stage, stage_of_lab
from exaplan.plan.tangents import knee_of, standing_of

HIGHEST_RATIO = 2.5
"""Capability ratio beyond which more lead brings no more demand: the cap on the value of capability."""


@dataclass(frozen=True)
class Deals:
    """Prices and payments of what can be signed and of what is signed."""

    terms: calendar.Terms
    rent: (
        np.ndarray
    )  # [node, orderable] M$ per thousand chips and quarter, for a reservation signed at the node
    capex: np.ndarray  # [node, orderable] M$ per thousand chips, for a purchase ordered at the node
    max_order: np.ndarray  # [node, orderable] thousand chips, with every priority that could be had
    priority_lift: np.ndarray  # [node, orderable] thousand chips of these that only a deal's priority gives
    holding: (
        np.ndarray
    )  # [node, orderable] M$ per thousand chips and quarter: upkeep and idle power at own sites
    contract_payment: np.ndarray  # [node, contract] M$ must-pay of signed contracts
    contract_owed: np.ndarray  # [node, contract] M$ still owed from this node on, undiscounted
    fixed: np.ndarray  # [node] M$ fixed costs, instalments and holding cost of the owned fleet
    upkeep: np.ndarray  # [node] M$ of ``fixed`` that hold the signed fleet at own sites
    instalments: np.ndarray  # [node] M$ of ``fixed`` that are dated payments of purchases under way


@dataclass(frozen=True)
class Inputs:
    """Everything the rows need."""

    sets: layout.Layout
    stage: Stage
    deals: Deals
    parent: np.ndarray  # [node]
    quarter: np.ndarray  # [node]; T for tail nodes
    probability: np.ndarray  # [node]
    discount: np.ndarray  # [node]
    at_quarter: np.ndarray  # [node, quarter] ancestor at each quarter
    slip: np.ndarray  # [node, quarter, supplier] slips of the node's history
    setback: np.ndarray  # [node, run] share of the quarter's work on a run that is lost
    cohorts: calendar.Cohorts  # arrival and retirement of every order on every node's history
    tree_nodes: int
    leaves: np.ndarray  # [leaf] node numbers of the last quarter; tail nodes follow in the same order
    keep: np.ndarray  # [node] share of the parent's capability ratio that is left
    inflow: np.ndarray  # [node] ratio gained per unit of the parent's progress
    ratio_start: float
    reference_ratio: np.ndarray  # [node] capability ratio around which its logarithm is linear
    reference_output: (
        np.ndarray
    )  # [node, serve] 1e12 tokens by chips at work, on which gains in efficiency are counted
    lost_keep: np.ndarray  # [node, serve] share of the parent's lost demand that is still lost
    lost_new: np.ndarray  # [node, serve] lost demand per unit unserved at the parent
    lab: Lab
    rates: RateTable
    tree: Tree
    quarters: int
    tail_quarters: int
    tail_margin: float  # factor per quarter on the margin after the horizon: discount and fade
    tail_discount: float  # factor per quarter on payments after the horizon

    def around(self, ratio: np.ndarray) -> Inputs:
        """Return the same inputs with the demand effect linear around ``ratio`` [node]."""
        sensitivity = float(self.sets.sensitivity.max(initial=0.0))
        near = np.clip(ratio, knee_of(sensitivity), HIGHEST_RATIO)
        effect = 1 + np.log(near)[:, None] * self.sets.sensitivity
        return replace(self, reference_ratio=near, stage=replace(self.stage, reference_effect=effect))

    def on_output(self, tokens: np.ndarray) -> Inputs:
        """Return the same inputs with gains in serving efficiency counted on ``tokens`` [node, serve], 1e12."""
        return replace(self, reference_output=tokens)

    @property
    def nodes(self) -> int:
        """Number of nodes, tail nodes included."""
        return len(self.parent)

    @property
    def cash_worth(self) -> np.ndarray:
        """What a dollar held at a node adds to value, per unit of probability and discount [node].

        Free cash to equity counts when it is earned, whether paid out or kept: the sum over nodes of discounted
        cash[n] - (1 + r) cash[parent] leaves 1 - beta (1 + r) at a node and 1 at the end.
        """
        kept = 1 - self.tail_discount * (1 + self.lab.finance.cash_rate / 4)
        return np.where(self.quarter == self.quarters, 1.0, kept)

    def failed(self, suppliers: Sequence[str]) -> np.ndarray:
        """Whether each of ``suppliers`` has failed by a node, bool [node, supplier]; who supplies nothing never fails."""
        gone = np.column_stack(
            [calendar.failure_quarter(self.slip) < NEVER, np.zeros(self.nodes, dtype=bool)]
        )
        known = self.lab.suppliers
        return gone[:, [known.index(name) if name in known else -1 for name in suppliers]]

    @property
    def tails(self) -> np.ndarray:
        """Node numbers of the tail stage, in the order of ``leaves``."""
        return np.arange(self.tree_nodes, self.nodes)


def collect(lab: Lab, rates: RateTable, tree: Tree) -> Inputs:
    """Turn a lab, its rates and a scenario tree into the arrays of a plan."""
    lab = with_own_chips(lab)
    sets = layout.lay_out(lab, rates)
    quarters, leaves = tree.quarters, tree.leaves
    parent = np.concatenate([tree.parent, leaves])
    quarter = np.concatenate([tree.stage, np.full(len(leaves), quarters)])
    source = np.concatenate([np.arange(len(tree.parent)), leaves])  # tail nodes see the world of their leaf
    at_quarter = calendar.ancestors(parent, quarter, quarters)
    slip = np.where(at_quarter[:, :, None] >= 0, tree.world.lateness[at_quarter], 0)
    standstill = np.where(at_quarter[:, :, None] >= 0, tree.world.standstill[at_quarter], 0)
    terms = calendar.terms_of(sets.orderable, lab.suppliers)
    beta = (1 + lab.finance.cost_of_equity) ** -0.25
    margin = beta * (1 - lab.ends.fade) ** 0.25
    tail_quarters = lab.ends.quarters
    stage = stage_of_lab(
        lab, rates, sets, tree.world, source=source, quarter=quarter, slip=slip,
        tail=(quarters, tail_quarters, margin), standstill=standstill,
    )  # fmt: skip
    lost_keep, lost_new = _lost_links(sets, tree.world.demand_tokens[source], parent)
    keep, inflow = _capability_links(lab, tree, source, parent, quarter)
    start = lab.capability.start if lab.capability else 1.0
    inputs = Inputs(
        sets=sets,
        stage=stage,
        deals=deals_of(
            lab, rates, sets, terms, index=tree.world.rental_index[source], supply=tree.world.to_be_had[source],
            quarter=quarter, slip=slip, tail=(quarters, calendar.TO_THE_END, beta),
        ),
        parent=parent,
        quarter=quarter,
        probability=np.concatenate([tree.probability, tree.probability[leaves]]),
        discount=beta**quarter,
        at_quarter=at_quarter,
        slip=slip,
        setback=tree.world.setback[source],
        cohorts=calendar.cohorts_of(terms, slip, quarter),
        tree_nodes=len(tree.parent),
        leaves=leaves,
        keep=keep,
        inflow=inflow,
        ratio_start=start,
        reference_ratio=np.full(len(parent), start),
        reference_output=stage.weight[:, None] * stage.demand,
        lost_keep=lost_keep,
        lost_new=lost_new,
        lab=lab,
        rates=rates,
        tree=tree,
        quarters=quarters,
        tail_quarters=tail_quarters,
        tail_margin=margin,
        tail_discount=beta,
    )  # fmt: skip
    return inputs.around(_steady_ratio(inputs))


def _lost_links(sets: layout.Layout, demand: np.ndarray, parent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lost demand: H[n] = keep H[parent] + new unserved[parent], both [node, serve]; ``demand`` is [node, serve]."""
    growth = growth_of(demand[parent], demand)
    growth[0] = 1.0
    recovery = np.array([workload.recovery for workload in sets.serve])
    churn = np.array([workload.churn_when_unserved for workload in sets.serve])
    return (1 - recovery) * growth, churn * growth


def _steady_ratio(inputs: Inputs) -> np.ndarray:
    """Capability ratio if development keeps up with the money at stake [node]: a reference from the futures alone.

    Progress grows with revenue potential to the power of the law's returns: half by the node's own, half by the mean. A
    lab that can sign nothing stays as it is.
    """
    if inputs.lab.capability is None:
        return np.ones(inputs.nodes)
    stake = (inputs.stage.demand * inputs.stage.price).sum(axis=1)
    mean = np.zeros(inputs.quarters + 1)
    np.add.at(mean, inputs.quarter, inputs.probability * stake)
    ratio = np.full(inputs.nodes, inputs.ratio_start)
    for t in range(1, inputs.quarters + 1):
        at = np.flatnonzero(inputs.quarter == t)
        before = inputs.parent[at]
        grown = np.sqrt(stake[before] * mean[t - 1]) / stake[0] if stake[0] > 0 else np.ones(len(at))
        made = grown**inputs.lab.capability.returns if inputs.sets.orderable else 1.0
        ratio[at] = inputs.keep[at] * ratio[before] + inputs.inflow[at] * made
    return ratio


def demand_effect(inputs: Inputs, ratio: np.ndarray) -> np.ndarray:
    """Demand over demand at parity for a capability ratio, shape [..., serve]: 1 + s * standing, the true curve."""
    sensitivity = inputs.sets.sensitivity
    if not sensitivity.any():
        return np.ones((*np.shape(ratio), len(sensitivity)))
    standing = standing_of(ratio, float(sensitivity.max()), HIGHEST_RATIO)
    return np.asarray(1 + standing[..., None] * sensitivity)


def growth_of(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Growth factor of demand, 1 where there was none (nothing can have been lost then)."""
    return np.asarray(np.divide(after, before, out=np.ones_like(after, dtype=float), where=before > 0))


def _capability_links(
    lab: Lab, tree: Tree, source: np.ndarray, parent: np.ndarray, quarter: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Capability: z[n] <= keep[n] z[parent] + inflow[n] progress[parent] (docs/model.md, row 9)."""
    if lab.capability is None:
        return np.ones(len(parent)), np.zeros(len(parent))
    law = lab.capability
    pace = (1 + law.frontier_growth.median) ** 0.25
    frontier = tree.world.frontier[source]
    before = frontier[parent]
    frontier = np.where(quarter == tree.quarters, before * pace, frontier)
    keep = (1 - law.decay) * before / frontier
    recipe = recipe_of(law, tree.world.algorithm[source][parent], quarter - 1)
    inflow = (pace - (1 - law.decay)) * recipe / frontier
    keep[0] = inflow[0] = 0.0
    return keep, inflow


def recipe_of(law: Capability, gained: np.ndarray, quarter: np.ndarray | int) -> np.ndarray:
    """Effective compute per FLOP in ``quarter`` against the start [node]: as drawn (``gained`` [node, 0 or 1]), or as stated."""
    if gained.shape[-1]:
        return np.asarray(gained[..., 0])
    return np.asarray((1 + law.algorithmic_progress.median) ** (quarter / 4))


def deals_of(  # noqa: PLR0913 - everything a payment stands on
    lab: Lab,
    rates: RateTable,
    sets: layout.Layout,
    terms: calendar.Terms,
    *,
    index: np.ndarray,
    supply: np.ndarray,
    quarter: np.ndarray,
    slip: np.ndarray,
    tail: tuple[int, int, float],
) -> Deals:
    """Prices and payments at every node, or at every simulated path.

    ``index`` [node] is the rental market, ``supply`` [node, supplier] the factor on what can be signed, ``quarter``
    [node], ``slip`` [node, quarter, supplier] the history; ``tail`` is (horizon, quarters of the tail stage, discount
    per quarter).
    """
    quarters = tail[0]
    t = np.minimum(quarter, quarters - 1)
    price = np.zeros((len(quarter), len(sets.orderable)))
    limit, lift = np.zeros_like(price), np.zeros_like(price)
    for number, offer in enumerate(sets.orderable):
        series = offer.price_usd_per_chip if isinstance(offer, Purchase) else offer.price_usd_per_chip_h
        unit = 1.0 if isinstance(offer, Purchase) else HOURS_PER_QUARTER
        moved = 1 + offer.market_exposure * (index - 1)
        price[:, number] = over_quarters(series, quarters)[t] * moved * unit * layout.CHIPS / layout.USD
        first = (offer.first or lab.horizon.first) - lab.horizon.first
        last = (offer.last or lab.horizon.last) - lab.horizon.first
        open_ = (quarter >= first) & (quarter <= last) & (quarter < quarters)
        limit[:, number] = np.where(open_, over_quarters(offer.max_order, quarters)[t], 0.0) / layout.CHIPS
        factor = supply[:, terms.supplier[number]]
        missing = np.where(factor > 0, np.maximum(1 - factor, 0.0), 0.0)
        lift[:, number] = limit[:, number] * missing * highest_priority(lab, offer.supplier)
        limit[:, number] = limit[:, number] * factor + lift[:, number]
    holding = np.array([holding_of(lab, rates, sets, int(g)) for g in sets.orderable_group], dtype=float)
    payment, owed, upkeep, dated = _signed(lab, rates, sets, slip, quarter, tail)
    return Deals(
        terms=terms,
        rent=np.where(terms.rented, price, 0.0),
        capex=np.where(terms.rented, 0.0, price),
        max_order=limit,
        priority_lift=lift,
        holding=np.broadcast_to(holding, price.shape),
        contract_payment=payment,
        contract_owed=owed,
        fixed=upkeep + dated + _fixed_costs(lab, quarter, quarters),
        upkeep=upkeep,
        instalments=dated,
    )


def highest_priority(lab: Lab, supplier: str) -> float:
    """Largest share of a shortfall of a supplier that some deal would make good."""
    return max((deal.priority for deal in lab.exclusives if deal.supplier == supplier), default=0.0)


def holding_of(lab: Lab, rates: RateTable, sets: layout.Layout, group: int) -> float:
    """M$ per thousand chips and quarter that a chip costs at an own site before it works."""
    if sets.group_site[group] < 0:
        return 0.0
    site = lab.sites[sets.group_site[group]]
    chip = sets.group_chip[group]
    peak = max(float(rates.power_w[chip].max()), float(rates.idle_power_w[chip]))
    idle = float(rates.idle_power_w[chip]) * site.pue * site.electricity_usd_per_j * 3600 * HOURS_PER_QUARTER
    return float((peak * site.upkeep_usd_per_w_quarter + idle) * layout.CHIPS / layout.USD)


def _signed(
    lab: Lab,
    rates: RateTable,
    sets: layout.Layout,
    slip: np.ndarray,
    quarter: np.ndarray,
    tail: tuple[int, int, float],
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Must-pay [node, contract], what is still owed [node, contract], holding costs and dated payments [node], in M$."""
    quarters, length, beta = tail
    tranches = calendar.tranches_of(lab.contracts, lab.horizon.first, lab.suppliers)
    count = len(lab.contracts)
    hourly = np.array([c.price_usd_per_chip_h * c.take_or_pay for c in lab.contracts]) * HOURS_PER_QUARTER
    in_tail = quarter == quarters
    live = calendar.live_chips(tranches, count, slip, quarter)
    annuity = calendar.run_off_chips(tranches, count, slip, first=quarters, quarters=length, factor=beta)
    chips = np.where(in_tail[:, None], annuity, live)
    arrival, retirement = tranches.lives(slip)
    left = np.clip(retirement - np.maximum(arrival, quarter[:, None]), 0, None) * tranches.chips
    owed = np.zeros((len(quarter), count))
    np.add.at(owed.T, tranches.contract, left.T)
    holding = np.array([holding_of(lab, rates, sets, int(g)) for g in sets.contract_group])
    dated = np.zeros(len(quarter))
    delivered = calendar.delivered_share(tranches, count, slip)
    for number, contract in enumerate(lab.contracts):
        for instalment in contract.instalments:
            due = instalment.date - lab.horizon.first
            weight = beta ** (due - quarters) if due >= quarters else 1.0
            amount = instalment.amount_usd * weight / layout.USD * delivered[:, number]
            dated += np.where(quarter == min(due, quarters), amount, 0.0)
    upkeep = chips @ holding / layout.CHIPS
    return chips * hourly / layout.USD, owed * hourly / layout.USD, upkeep, dated


def _fixed_costs(lab: Lab, quarter: np.ndarray, quarters: int) -> np.ndarray:
    total = np.zeros(len(quarter))
    t = np.minimum(quarter, quarters - 1)
    for cost in lab.finance.fixed_costs:
        total += np.array([fixed_cost_usd(cost, each) for each in range(quarters)])[t] / layout.USD
    return np.where(quarter == quarters, 0.0, total)


def fixed_cost_usd(cost: FixedCost, quarter: int) -> float:
    """Amount of a fixed cost in a quarter inside the horizon, USD."""
    amounts = cost.amount_usd_per_quarter
    return float(amounts[min(quarter, len(amounts) - 1)] * (1 + cost.growth) ** (quarter / 4))
