"""The variables of a plan, declared once; dispatch declares the stage part alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.optimize.blocks import Builder, Variable
from exaplan.plan.inputs import Inputs
from exaplan.plan.layout import USD, Layout
from exaplan.plan.stage import Stage

FORGIVEN_PRICE = 2.0
"""Price of lost demand that is written off, in token prices at a dollar's dearest: above any use, so recourse only."""


COVER_PRICE = 2.0
"""Price of a dollar of liquidity missing from the cover: dearer than raising equity, far cheaper than rescue."""


@dataclass(frozen=True)
class StageColumns:
    """Variables of one quarter. The first seven are its state: decided by the linking rows, given in a dispatch."""

    stock: Variable  # [node, orderable] thousand chips live
    left: Variable  # [node, exit] share of a contract that has been left
    lost: Variable  # [node, serve] 1e12 tokens of demand that stays away
    standing: Variable  # [node] log of the capability ratio, by tangents
    ready: Variable  # [node, run] share of a distillation run that is done
    finished: Variable  # [node, run] 1 once the model that it makes may serve
    offered: Variable  # [node, point] share of the quarter or of the customers at a price
    use: Variable  # [node, metered, block] thousand chips used of a reservation with take-or-pay below 1
    above: Variable  # [node, metered] thousand chips paid beyond take-or-pay
    rent: Variable  # [node, hourly, block] thousand chips paid by use
    work: Variable  # [node, arc, block] thousand chips at work
    output: Variable  # [node, workload, block] 1e12 tokens or 1e24 FLOP
    sold: Variable  # [node, point, block] 1e12 tokens served at a price
    premium: Variable  # [node, premium workload] 1e12 tokens at the stated price that trust earns on top
    leaving: Variable  # [node, churn workload] 1e12 tokens of customers who leave after the quarter
    unserved: Variable  # [node, serve, block] 1e12 tokens turned away
    forgiven: Variable  # [node, serve, block] 1e12 tokens written off so that demand never turns negative
    progress: Variable  # [node] progress in parity units
    effort: Variable  # [node] 1e24 FLOP of development that count, where experiments and final runs need each other
    insight: Variable  # [node, internal] what internal use brings, in units of its reference volume
    distil: Variable  # [node, run] 1e24 FLOP of development that go to a distillation run
    short: Variable  # [node, floor, block] capacity by which a floor is missed
    unwatched: Variable  # [node, block] capacity by which oversight is missed
    through: Variable  # [node, swinging arc] thousand chips that work through every block
    on_call: Variable  # [node, ready arc, block] thousand chips held ready for a serving workload
    standby: Variable  # [node, group, block] thousand chips idle and powered, held ready


@dataclass(frozen=True)
class Columns(StageColumns):
    """All variables of a plan."""

    order: Variable  # [tree node, orderable] thousand chips signed
    ratio: Variable  # [node] capability ratio z
    commit: Variable  # [node] M$ a quarter that new reservations must be paid
    write_down: Variable  # [node] M$ a quarter of depreciation on new purchases
    profit: Variable  # [node] M$ taxable profit
    loss: Variable  # [node] M$ taxable loss
    relief: Variable  # [node] M$ of carried losses used
    carried: Variable  # [node] M$ of tax losses carried
    cash: Variable  # [node] M$
    debt: Variable  # [node] M$
    raised: Variable  # [node, round] M$ raised at the node
    raised_total: Variable  # [node, round] M$ raised up to the node
    rescue: Variable  # [node] M$ rescue equity
    uncovered: Variable  # [node] M$ by which liquidity falls short of the cover, at COVER_PRICE
    value_at_risk: Variable  # [] M$ eta of Rockafellar and Uryasev
    excess: Variable  # [leaf] M$ loss beyond eta
    risk_excess: Variable  # [] M$ by which the CVaR limit is missed


def declare_stage(builder: Builder, sets: Layout, stage: Stage, worth: np.ndarray) -> StageColumns:
    """Declare the variables of the stage rows; ``worth`` [node] is the most that a dollar can be worth there."""
    nodes, blocks = len(stage.weight), len(stage.block_share)
    serve, arcs = len(sets.serve), len(sets.arc_group)
    write_off = FORGIVEN_PRICE * worth[:, None, None] * np.maximum(stage.price, 1e-6)[:, :, None]
    reach = np.inf if sets.sensitivity.any() else 0.0
    can_work = (stage.rate > 0)[:, :, None]
    return StageColumns(
        stock=builder.variable("stock", (nodes, len(sets.orderable))),
        left=builder.variable("left", (nodes, len(sets.exits)), upper=1.0),
        lost=builder.variable("lost", (nodes, serve)),
        standing=builder.variable("standing", (nodes,), lower=-reach, upper=reach),
        ready=builder.variable("ready", stage.distil_max.shape, upper=1.0),
        finished=builder.variable("finished", stage.distil_max.shape, upper=1.0),
        offered=builder.variable("offered", (nodes, len(sets.point_serve)), upper=1.0),
        use=builder.variable("use", (nodes, len(sets.metered), blocks)),
        above=builder.variable("above", (nodes, len(sets.metered))),
        rent=builder.variable("rent", (nodes, len(sets.hourly), blocks), upper=stage.rent_max[:, :, None]),
        work=builder.variable("work", (nodes, arcs, blocks), upper=np.where(can_work, np.inf, 0.0)),
        output=builder.variable("output", (nodes, len(sets.workloads), blocks)),
        sold=builder.variable("sold", (nodes, len(sets.point_serve), blocks)),
        premium=builder.variable("premium", (nodes, len(sets.premium_serve))),
        leaving=builder.variable("leaving", (nodes, len(sets.churn_serve))),
        unserved=builder.variable("unserved", (nodes, serve, blocks)),
        forgiven=builder.variable("forgiven", (nodes, serve, blocks), cost=-write_off),
        progress=builder.variable("progress", (nodes,), upper=np.inf if stage.progress else 0.0),
        effort=builder.variable("effort", (nodes,), upper=np.inf if len(stage.mix_planes) else 0.0),
        insight=builder.variable("insight", (nodes, len(sets.internal))),
        distil=builder.variable("distil", stage.distil_max.shape, upper=stage.distil_max),
        short=builder.variable("short", (nodes, len(sets.floors), blocks), upper=0.0),
        unwatched=builder.variable("unwatched", (nodes, blocks), upper=0.0),
        through=builder.variable("through", (nodes, len(sets.swinging))),
        on_call=builder.variable("on_call", (nodes, len(sets.ready_arc), blocks)),
        standby=builder.variable("standby", (nodes, len(sets.groups) if len(sets.reserving) else 0, blocks)),
    )


def declare(builder: Builder, inputs: Inputs) -> Columns:
    """Declare every variable of a plan with its bounds and its place in the objective (docs/model.md, objective)."""
    lab, risk = inputs.lab, inputs.lab.policy.risk
    nodes, tree = inputs.nodes, inputs.tree_nodes
    worth = inputs.probability * inputs.discount
    mean = 1 - risk.weight
    dearest = worth * lab.policy.rescue_price * (mean + risk.weight / (1 - risk.level))
    state = declare_stage(builder, inputs.sets, inputs.stage, dearest)
    tail = np.arange(nodes) >= tree
    finance = lab.finance
    window, dilution = _rounds(inputs)
    debt_limit = finance.debt.limit_usd / USD if finance.debt else 0.0
    taxed = np.inf if finance.tax_rate > 0 else 0.0
    cash_floor = np.where(tail, 0.0, finance.cash_minimum_usd / USD)
    return Columns(
        **vars(state),
        order=builder.variable(
            "order", (tree, len(inputs.sets.orderable)), upper=inputs.deals.max_order[:tree]
        ),
        ratio=builder.variable("ratio", (nodes,)),
        commit=builder.variable("commit", (nodes,), lower=-np.inf),
        write_down=builder.variable("write_down", (nodes,), lower=-np.inf, upper=np.inf),
        profit=builder.variable("profit", (nodes,), upper=taxed),
        loss=builder.variable("loss", (nodes,), upper=taxed),
        relief=builder.variable("relief", (nodes,), upper=taxed),
        carried=builder.variable("carried", (nodes,), upper=taxed),
        cash=builder.variable("cash", (nodes,), lower=cash_floor, cost=mean * worth * inputs.cash_worth),
        debt=builder.variable("debt", (nodes,), upper=np.where(tail, 0.0, debt_limit)),
        raised=builder.variable(
            "raised", window.shape, upper=window, cost=-mean * worth[:, None] * (1 + dilution)
        ),
        raised_total=builder.variable("raised_total", window.shape, upper=_round_limits(inputs)),
        rescue=builder.variable("rescue", (nodes,), cost=-mean * worth * lab.policy.rescue_price),
        uncovered=builder.variable("uncovered", (nodes,), cost=-mean * worth * COVER_PRICE),
        value_at_risk=builder.variable("value_at_risk", (), lower=-np.inf, cost=-risk.weight),
        excess=builder.variable(
            "excess",
            (len(inputs.leaves),),
            cost=-risk.weight * inputs.probability[inputs.leaves] / (1 - risk.level),
        ),
        risk_excess=builder.variable("risk_excess", (), upper=0.0),
    )


def _rounds(inputs: Inputs) -> tuple[np.ndarray, np.ndarray]:
    """Most that each round can bring at each node [node, round], and its dilution cost [round]."""
    rounds, first = inputs.lab.finance.rounds, inputs.lab.horizon.first
    limit = np.zeros((inputs.nodes, len(rounds)))
    for number, chance in enumerate(rounds):
        inside = (inputs.quarter >= chance.first - first) & (inputs.quarter <= chance.last - first)
        inside &= inputs.quarter < inputs.quarters
        limit[:, number] = np.where(inside, chance.max_usd / USD, 0.0)
    able = inputs.tree.world.open_round
    if able.shape[-1]:  # tail nodes raise nothing
        limit[: inputs.tree_nodes] *= able
    return limit, np.array([chance.dilution_cost for chance in rounds], dtype=float)


def _round_limits(inputs: Inputs) -> np.ndarray:
    return np.array([chance.max_usd / USD for chance in inputs.lab.finance.rounds], dtype=float)
