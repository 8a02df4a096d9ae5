"""Rows of deals: money for shares, customers of a partner, must-spend, a share of revenue, exclusivity and priority.

Signing a deal is a lump: ``deal_start`` is a binary at every node of its window, ``deal_begun`` says that it is signed.
Terms of a deal run from its signature: they stand in the rows by age (``plan.options.by_age``).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from exaplan.domain.deals import Channel, MustSpend
from exaplan.domain.quarter import MONTHS_PER_QUARTER
from exaplan.optimize.blocks import Builder, Variable
from exaplan.plan.calendar import TO_THE_END, run_off
from exaplan.plan.columns import Columns
from exaplan.plan.flows import give, pay
from exaplan.plan.inputs import HIGHEST_RATIO, Inputs, highest_priority
from exaplan.plan.layout import TOKENS, USD
from exaplan.plan.money_rows import Term, must_pay, order_payments, revenue
from exaplan.plan.options import by_age, declare_starts, windows_of

ROOM_FOR_REVENUE = 2.0
"""Revenue that a revenue share's switch leaves room for, over all demand at the highest capability ratio."""


def deal_starts(builder: Builder, _columns: Columns, inputs: Inputs) -> None:
    """Sign a deal once or never: begun[n] = begun[p] + start[n]; fee, money received, shares given, customers brought.

    cash + amount and given = (1 + dilution) amount, ``after`` quarters after the start; demand row: + what the channel
    adds while it stays. Money due after the horizon comes in the tail at its present value. A partner that has failed
    signs and pays nothing more.
    """
    signed = inputs.lab.deals
    if not signed:
        return
    start = declare_starts(builder, inputs, "deal", _windows(inputs)).start
    fee = np.array([deal.fee_usd for deal in signed]) / USD
    pay(builder, np.arange(inputs.tree_nodes)[:, None], start.index, -fee, flow="deal_fees")
    for number, deal in enumerate(signed):
        if deal.kind != "equity":
            continue
        longest = max((payment.after_quarters for payment in deal.investment), default=0) + 1
        paid = np.zeros((longest, 1))
        for payment in deal.investment:
            paid[payment.after_quarters] += payment.amount_usd / USD
        node, at, _, amount = by_age(inputs, paid, tail=_present(inputs, paid))
        amount = np.where(inputs.failed([deal.supplier])[node, 0], 0.0, amount)
        pay(builder, node, start.index[at, number], amount, taxed=False, flow="deal_equity")
        give(builder, inputs, node, start.index[at, number], (1 + deal.dilution_cost) * amount)
        for channel in deal.channels:
            _add_customers(builder, inputs, start.index[:, number], channel)


def _windows(inputs: Inputs) -> np.ndarray:
    horizon = inputs.lab.horizon
    first = np.array([(deal.first or horizon.first) - horizon.first for deal in inputs.lab.deals])
    last = np.array([(deal.last or horizon.last) - horizon.first for deal in inputs.lab.deals])
    failed = inputs.failed([deal.supplier for deal in inputs.lab.deals])[: inputs.tree_nodes]
    return np.asarray(windows_of(inputs, first, last) & ~failed)


def _present(inputs: Inputs, profile: np.ndarray) -> np.ndarray:
    """Present value at quarter T of what a profile [age, item] still holds at each age, shape [age, item]."""
    ages = np.arange(inputs.quarters + 1)
    later = np.arange(len(profile))[None, :] - ages[:, None]
    weight = np.where(later >= 0, inputs.tail_discount ** np.maximum(later, 0), 0.0)
    return np.asarray(weight @ profile)


def _add_customers(builder: Builder, inputs: Inputs, start: np.ndarray, channel: Channel) -> None:
    """Add a channel's demand: the demand row's left side less share_b (tokens + share D) while it stays."""
    stage, quarters = inputs.stage, inputs.quarters
    place = [workload.id for workload in inputs.sets.serve].index(channel.workload)
    last = TO_THE_END if channel.quarters is None else channel.after_quarters + channel.quarters
    ages = np.arange(quarters + 1)
    here = ((ages >= channel.after_quarters) & (ages < last)).astype(float)[:, None]
    begin = np.full(len(ages), channel.after_quarters)
    stay = run_off(begin - ages, np.full(len(ages), last) - ages, 0, inputs.tail_quarters, inputs.tail_margin)
    node, at, _, weight = by_age(inputs, here, tail=stay[:, None])
    tokens = channel.tokens_per_month * MONTHS_PER_QUARTER / TOKENS
    amount = weight * (tokens + channel.share * stage.demand[node, place])
    row = builder.declared("demand")
    value = amount[:, None] * stage.demand_share[place]
    builder.add(row, row.position[node, place], start[at, None], -value)


def must_spend(builder: Builder, columns: Columns, inputs: Inputs) -> None:
    """Spend with the partner or pay for nothing: sum of spend over a period + short >= amount * (started that long ago).

    ``partner_spend`` is must-pay, use paid by the hour, deposits and prices of the supplier's offers and contracts. In
    the tail, per quarter of signature: what is still to come of both, at present value, with the period under way.
    """
    asked = [(number, deal) for number, deal in enumerate(inputs.lab.deals) if deal.must_spend is not None]
    if not asked:
        return
    spend = _spending(builder, columns, inputs, [deal.supplier for _, deal in asked])
    short = builder.variable("must_spend_short", spend.shape)
    pay(builder, np.arange(inputs.nodes)[:, None], short.index, -1.0, flow="must_spend_short")
    tree = np.arange(inputs.tree_nodes)
    row = builder.rows("must_spend", (inputs.tree_nodes, len(asked)), lower=0.0)
    tail = builder.rows("must_spend_tail", (len(inputs.tails), inputs.quarters, len(asked)), lower=0.0)
    builder.add(row, row.position, short.index[tree], 1.0)
    builder.add(tail, tail.position, short.index[inputs.tails][:, None], 1.0)
    builder.add(tail, tail.position, spend.index[inputs.tails][:, None], 1.0)
    start = builder.column("deal_start").index
    owing = 1.0 - inputs.failed([deal.supplier for _, deal in asked])
    for place, (number, deal) in enumerate(asked):
        clause = deal.must_spend
        assert clause is not None  # noqa: S101 - chosen by it above
        _spend_in_time(
            builder, inputs, (row.position[:, place], spend.index[:, place], start[:, number]), clause,
            owing=owing[:, place],
        )  # fmt: skip
        _spend_later(
            builder, inputs, (tail.position[..., place], spend.index[:, place], start[:, number]), clause,
            owing=owing[:, place],
        )  # fmt: skip


def _spend_in_time(
    builder: Builder, inputs: Inputs, at: tuple[np.ndarray, np.ndarray, np.ndarray], clause: MustSpend, *, owing: np.ndarray
) -> None:  # fmt: skip
    """Add the periods that end inside the horizon to ``must_spend``; ``at`` are positions, spend and start columns.

    ``owing`` [node] is 0 where the partner has failed.
    """
    row, (position, spend, start) = builder.declared("must_spend"), at
    tree = np.arange(inputs.tree_nodes)
    for back in range(clause.every_quarters):
        node = tree[inputs.quarter[tree] >= back]
        before = inputs.at_quarter[node, inputs.quarter[node] - back]
        builder.add(row, position[node], spend[before], 1.0)
    due = np.zeros((inputs.quarters + 1, 1))
    due[clause.every_quarters - 1 : clause.every_quarters * clause.times : clause.every_quarters] = (
        clause.amount_usd / USD
    )
    node, begun, _, amount = by_age(inputs, due)
    builder.add(row, position[node], start[begun], -amount * owing[node])


def _spend_later(
    builder: Builder, inputs: Inputs, at: tuple[np.ndarray, np.ndarray, np.ndarray], clause: MustSpend, *, owing: np.ndarray
) -> None:  # fmt: skip
    """Add the periods that reach beyond the horizon to ``must_spend_tail`` [leaf, quarter of signature]."""
    row, (position, spend, start) = builder.declared("must_spend_tail"), at
    for quarter in range(inputs.quarters):
        done, elapsed = divmod(inputs.quarters - quarter, clause.every_quarters)
        ends = np.arange(done + 1, clause.times + 1) * clause.every_quarters + quarter - 1 - inputs.quarters
        if not len(ends):
            continue
        owed = clause.amount_usd / USD * float((inputs.tail_discount**ends).sum())
        at_start = start[inputs.at_quarter[inputs.tails, quarter]]
        builder.add(row, position[:, quarter], at_start, -owed * owing[inputs.tails])
        for back in range(1, elapsed + 1):
            before = inputs.at_quarter[inputs.tails, inputs.quarters - back]
            builder.add(row, position[:, quarter], spend[before], 1.0)


def _spending(builder: Builder, columns: Columns, inputs: Inputs, partners: list[str]) -> Variable:
    """Declare ``partner_spend`` [node, deal] and the rows that hold it at what is paid to the supplier."""
    sets, stage, deals = inputs.sets, inputs.stage, inputs.deals
    shape, nodes = (inputs.nodes, len(partners)), np.arange(inputs.nodes)
    spend, commit = (
        builder.variable("partner_spend", shape),
        builder.variable("partner_commit", shape, lower=-np.inf),
    )
    bound = builder.rows("partner_commitments", shape, lower=0.0, upper=0.0)
    builder.add(bound, bound.position, commit.index, 1.0)
    inside = np.arange(1, inputs.tree_nodes)
    builder.add(bound, bound.position[inside], commit.index[inputs.parent[inside]], -1.0)
    theirs = {
        name: np.array(
            [[source.supplier == partner for source in sources] for partner in partners], dtype=bool
        ).reshape(len(partners), len(sources))
        for name, sources in (
            ("order", sets.orderable),
            ("hourly", sets.hourly),
            ("contract", sets.contracts),
        )
    }
    signed = deals.contract_payment @ theirs["contract"].T
    row = builder.rows("partner_spending", shape, lower=signed, upper=signed)
    builder.add(row, row.position, spend.index, 1.0)
    builder.add(row, row.position, commit.index, -1.0)
    for place in range(len(partners)):
        at, offers = row.position[:, place], theirs["order"][place]
        must_pay(builder, bound, bound.position[:, place], columns, inputs, offers.astype(float))
        hours = stage.rent_price * theirs["hourly"][place]
        builder.add(row, at[:, None, None], columns.rent.index, -hours[:, :, None] * stage.block_share)
        beyond = deals.rent[:, sets.metered] * offers[sets.metered]
        builder.add(row, at[:, None], columns.above.index, -beyond)
        left = deals.contract_payment[:, sets.exits] * theirs["contract"][place][sets.exits]
        builder.add(row, at[nodes, None], columns.left.index, left)
        for node, column, value in _paid_to(columns, inputs, offers):
            builder.add(row, at[node], column, value)
    return spend


def _paid_to(columns: Columns, inputs: Inputs, offers: np.ndarray) -> Iterator[Term]:
    """Payments that hang on orders of the marked offers [orderable], without what comes back at the end of life."""
    for node, column, value in order_payments(columns, inputs):
        flat = [part.reshape(-1) for part in np.broadcast_arrays(node, column, value)]
        offer = (flat[1] - columns.order.start) % len(offers)
        kept = offers[offer] & (flat[2] < 0)
        yield flat[0][kept], flat[1][kept], flat[2][kept]


def revenue_share(builder: Builder, columns: Columns, inputs: Inputs) -> None:
    """Pay a part of revenue while it is due: paid >= share * revenue - M (1 - in force), M = share * largest_revenue.

    In the tail, per quarter of signature: the share of its revenue that falls into the quarters still to come.
    """
    asked = [deal for deal in inputs.lab.equity if deal.revenue_share is not None]
    if not asked:
        return
    paid = builder.variable("revenue_paid", (inputs.nodes, len(asked)))
    pay(builder, np.arange(inputs.nodes)[:, None], paid.index, -1.0, flow="revenue_shared")
    start, names = builder.column("deal_start").index, [deal.id for deal in inputs.lab.deals]
    most, earned = largest_revenue(inputs), tuple(revenue(columns, inputs))
    tree, tails = np.arange(inputs.tree_nodes), inputs.tails
    shares = np.array([deal.revenue_share.share for deal in asked if deal.revenue_share])
    low = -shares * most[tree, None]
    row = builder.rows("revenue_share", (len(tree), len(asked)), lower=low)
    builder.add(row, row.position, paid.index[tree], 1.0)
    due = np.stack([still_due(inputs, deal.revenue_share.quarters) for deal in asked if deal.revenue_share])
    later = shares[None, None, :] * due.T[None] * np.ones((len(tails), 1, 1))
    tail = builder.rows("revenue_share_tail", later.shape, lower=-later * most[tails, None, None])
    builder.add(tail, tail.position, paid.index[tails][:, None], 1.0)
    at_start = inputs.at_quarter[tails]
    for place, deal in enumerate(asked):
        own = start[:, names.index(deal.id)]
        clause = deal.revenue_share
        assert clause is not None  # noqa: S101 - chosen by it above
        for _, column, value in earned:
            builder.add(row, row.position[:, place, None, None], column[tree], -clause.share * value[tree])
        node, begun, _, _ = by_age(inputs, np.ones((clause.quarters, 1)))
        builder.add(row, row.position[node, place], own[begun], -clause.share * most[node])
        part = later[..., place]
        for _, column, value in earned:
            taken = part[:, :, None, None] * value[tails][:, None]
            builder.add(tail, tail.position[..., place][:, :, None, None], column[tails][:, None], -taken)
        builder.add(tail, tail.position[..., place], own[at_start], -part * most[tails, None])


def still_due(inputs: Inputs, quarters: int) -> np.ndarray:
    """Share of the tail's revenue that is earned while a deal of each quarter of signature still runs [quarter]."""
    end = np.arange(inputs.quarters) + quarters
    begin = np.full(inputs.quarters, inputs.quarters)
    left = run_off(begin, end, inputs.quarters, inputs.tail_quarters, inputs.tail_margin)
    whole = run_off(
        begin, begin + inputs.tail_quarters, inputs.quarters, inputs.tail_quarters, inputs.tail_margin
    )
    return np.asarray(left / whole)


def largest_revenue(inputs: Inputs) -> np.ndarray:
    """Revenue that no plan exceeds, M$ [node], with room to spare.

    All demand at the highest ratio and at the prices that earn most, all that channels, launches and runs bring, and the
    highest premium. ``plan.deal_result.deals_of`` checks it on the solution.
    """
    stage, sets = inputs.stage, inputs.sets
    own = stage.demand * (1 + sets.sensitivity * np.log(HIGHEST_RATIO))
    brought = stage.demand * sets.brought_share + sets.brought_tokens
    earning, dearest = np.ones(len(sets.serve)), np.ones(len(sets.serve))
    np.maximum.at(earning, sets.point_serve, sets.point_price * sets.point_demand)
    np.maximum.at(dearest, sets.point_serve, sets.point_price)
    premium = [max((p.premium for p in w.trust.premium), default=0.0) if w.trust else 0.0 for w in sets.serve]
    paid = (own * earning + brought * dearest) * (1 + np.array(premium)) * stage.price
    return np.asarray(ROOM_FOR_REVENUE * stage.weight * paid.sum(axis=1))


def exclusivity(builder: Builder, columns: Columns, inputs: Inputs) -> None:
    """Hold exclusive deals: y[n, o] + max_order * in force <= max_order for the offers of excluded suppliers.

    And priority: y[n, o] <= max_order - lift + lift * in force, lift = what the deal makes good of a shortfall of supply.
    """
    deals, sets, tree = inputs.lab.exclusives, inputs.sets, inputs.tree_nodes
    pairs = [
        (deal, offer, name in deal.excludes)
        for deal in deals
        for offer, name in enumerate(each.supplier for each in sets.orderable)
        if name in deal.excludes or (name == deal.supplier and deal.priority > 0)
    ]
    most, lift = inputs.deals.max_order[:tree], inputs.deals.priority_lift[:tree]
    shut = [(deal, offer) for deal, offer, excluded in pairs if excluded]
    if shut:
        offers = np.array([offer for _, offer in shut])
        row = builder.rows("exclusive", (tree, len(shut)), upper=most[:, offers])
        builder.add(row, row.position, columns.order.index[:, offers], 1.0)
        for place, (deal, offer) in enumerate(shut):
            node, column, _ = _in_force(builder, inputs, deal.id)
            builder.add(row, row.position[node, place], column, most[node, offer])
    lifted = sorted({offer for _, offer, excluded in pairs if not excluded})
    if lifted:
        row = builder.rows("priority", (tree, len(lifted)), upper=(most - lift)[:, lifted])
        builder.add(row, row.position, columns.order.index[:, lifted], 1.0)
        for deal, offer, excluded in pairs:
            if not excluded:
                node, column, _ = _in_force(builder, inputs, deal.id)
                part = deal.priority / highest_priority(inputs.lab, deal.supplier)
                builder.add(row, row.position[node, lifted.index(offer)], column, -part * lift[node, offer])


def _in_force(builder: Builder, inputs: Inputs, deal: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tree nodes, start columns and ones: an exclusive deal is in force where one of these starts is 1."""
    number = [each.id for each in inputs.lab.deals].index(deal)
    node, at, value = in_force(inputs, deal)
    return node, builder.column("deal_start").index[at, number], value


def in_force(inputs: Inputs, deal: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tree node, node of signature and 1 of every quarter in which an exclusive deal of some signature binds.

    It ends where its partner fails.
    """
    clause = next(each for each in inputs.lab.exclusives if each.id == deal)
    length = inputs.quarters if clause.term_quarters is None else clause.term_quarters
    node, at, _, value = by_age(inputs, np.ones((length, 1)))
    binds = ~inputs.failed([clause.supplier])[node, 0]
    return node[binds], at[binds], value[binds]
