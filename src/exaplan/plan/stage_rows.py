"""Stage rows: one quarter, given its stock. The same functions build the plan and the dispatch of a simulation.

Each function adds one family of constraints; its formula stands in its docstring and, symbol by symbol, in
``docs/model.md``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from exaplan.optimize.blocks import Builder
from exaplan.plan.block_rows import reserve, steady
from exaplan.plan.columns import StageColumns
from exaplan.plan.layout import Layout
from exaplan.plan.pool_rows import one_pool
from exaplan.plan.price_rows import pricing
from exaplan.plan.segment_rows import distilled, routing
from exaplan.plan.stage import Stage
from exaplan.plan.trust_rows import trust

StageRow = Callable[[Builder, StageColumns, Layout, Stage], None]


def use(builder: Builder, columns: StageColumns, sets: Layout, stage: Stage) -> None:
    """Chips at work are chips that are up: sum_w x[g,w,b] <= sum_o availability_o l_o + contracts + rent d.

    A reservation with take-or-pay below 1 enters through its metered use u <= availability l, and what is used
    beyond the take-or-pay share is paid: above >= sum_b share_b u_b - tau availability l.
    """
    nodes, blocks = len(stage.weight), len(stage.block_share)
    signed = np.zeros((nodes, len(sets.groups)))
    np.add.at(signed.T, sets.contract_group, stage.contract_chips.T)
    row = builder.rows("chips", (nodes, len(sets.groups), blocks), upper=signed[:, :, None])
    at = row.position
    builder.add(row, at[:, sets.arc_group], columns.work.index, 1.0)
    metered = np.isin(np.arange(len(sets.orderable)), sets.metered)
    plain = np.flatnonzero(~metered)
    builder.add(
        row,
        at[:, sets.orderable_group[plain]],
        columns.stock.index[:, plain, None],
        -stage.available[plain, None],
    )
    builder.add(row, at[:, sets.orderable_group[sets.metered]], columns.use.index, -1.0)
    builder.add(row, at[:, sets.on_demand_group], columns.rent.index, -stage.rent_available[:, None])
    builder.add(
        row, at[:, sets.contract_group[sets.exits]], columns.left.index[:, :, None],
        stage.contract_chips[:, sets.exits, None],
    )  # fmt: skip
    _leave_flexible(builder, columns, sets, stage)
    up = stage.available[sets.metered]
    stock = columns.stock.index[:, sets.metered]
    meter = builder.rows("meter", columns.use.shape, upper=0.0)
    builder.add(meter, meter.position, columns.use.index, 1.0)
    builder.add(meter, meter.position, stock[:, :, None], -up[:, None])
    take = np.array([offer.take_or_pay for offer in np.array(sets.orderable, dtype=object)[sets.metered]])
    beyond = builder.rows("beyond", columns.above.shape, lower=0.0)
    builder.add(beyond, beyond.position, columns.above.index, 1.0)
    builder.add(beyond, beyond.position[:, :, None], columns.use.index, -stage.block_share)
    builder.add(beyond, beyond.position, stock, take * up)


def _leave_flexible(builder: Builder, columns: StageColumns, sets: Layout, stage: Stage) -> None:
    """Volume by use of a contract that has been left is gone: rent + most left <= most."""
    both = [number for number in sets.flexible if number in sets.exits]
    if not both:
        return
    hourly = len(sets.on_demand) + np.array([list(sets.flexible).index(number) for number in both])
    exit_ = np.array([list(sets.exits).index(number) for number in both])
    most = stage.rent_max[:, hourly]
    row = builder.rows("flexible", (*most.shape, len(stage.block_share)), upper=most[:, :, None])
    builder.add(row, row.position, columns.rent.index[:, hourly], 1.0)
    builder.add(row, row.position, columns.left.index[:, exit_, None], most[:, :, None])


def technology(builder: Builder, columns: StageColumns, sets: Layout, stage: Stage) -> None:
    """Output needs chips: q[w,b] <= sum_g rate[g,w] share_b x[g,w,b]; an equality for training.

    Of preemptible work with a restart loss, chips that come and go count 1 - loss: rate share_b ((1 - loss) x + loss
    through). Chips on training train: were their output free to be less, a floor could be filled with chips that do nothing and
    the mix would bind what is counted instead of what is done. An equality also where several models serve a segment, so
    that the mix of work is the mix of tokens.
    """
    least = np.full(columns.output.shape, -np.inf)
    first = len(sets.serve)
    least[:, first : first + len(sets.train)] = 0.0
    least[:, sets.service_workload] = 0.0
    row = builder.rows("technology", columns.output.shape, lower=least, upper=0.0)
    builder.add(row, row.position, columns.output.index, 1.0)
    rate = stage.rate[:, :, None] * stage.block_share
    if len(sets.swinging):
        lost = sets.restart_loss[:, None] * rate[:, sets.swinging]
        rate[:, sets.swinging] -= lost
        at = row.position[:, sets.arc_workload[sets.swinging]]
        builder.add(row, at, columns.through.index[:, :, None], -lost)
    builder.add(row, row.position[:, sets.arc_workload], columns.work.index, -rate)


def demand(builder: Builder, columns: StageColumns, sets: Layout, stage: Stage) -> None:
    """Demand is served or not: q[s,b] + unserved[s,b] + share_b H_s - forgiven = share_b D_s (1 + s_s standing).

    Where the effect of capability leaves less demand than was lost, the rest is written off: forgiven <= share_b H_s.
    In a tail node demand and what is lost of it weigh as the annuity of a quarter.
    """
    serve = len(sets.serve)
    wanted = stage.weight[:, None] * stage.demand
    share = stage.demand_share[None]
    fixed = wanted[:, :, None] * share
    row = builder.rows("demand", columns.unserved.shape, lower=fixed, upper=fixed)
    at = row.position
    builder.add(row, at, columns.output.index[:, :serve], 1.0)
    builder.add(row, at, columns.unserved.index, 1.0)
    builder.add(row, at, columns.forgiven.index, -1.0)
    builder.add(row, at, columns.lost.index[:, :, None], share * stage.weight[:, None, None])
    builder.add(row, at, columns.standing.index[:, None, None], -sets.sensitivity[:, None] * fixed)
    limit = builder.rows("written_off", columns.forgiven.shape, upper=0.0)
    builder.add(limit, limit.position, columns.forgiven.index, 1.0)
    builder.add(limit, limit.position, columns.lost.index[:, :, None], -share * stage.weight[:, None, None])


def floors(builder: Builder, columns: StageColumns, sets: Layout, stage: Stage) -> None:
    """Protected capacity: sum omega x[protected] + short >= share * omega (live chips) + level, in every block.

    Chips count by their own rate on the protected work: a chip that cannot run it counts nothing on either side, and
    chips left idle count on the right. A level (in delivered FLOP/s) counts by hours.
    """
    level = stage.floor_level[:, :, None] * np.ones(len(stage.block_share))
    signed = _signed_capacity(sets, stage)  # [node, floor]
    need = level + (stage.floor_share * signed)[:, :, None]
    row = builder.rows("floor", columns.short.shape, lower=need)
    at = row.position
    builder.add(row, at, columns.short.index, 1.0)
    for number, (_, floor) in enumerate(sets.floors):
        names = np.array(sets.workloads)[sets.arc_workload]
        arcs = np.flatnonzero(np.isin(names, floor.workloads))
        weight = stage.floor_weight[:, number]
        builder.add(row, at[:, [number]], columns.work.index[:, arcs], weight[:, sets.arc_group[arcs], None])
        share = stage.floor_share[number]
        builder.add(
            row, at[:, [number]], columns.stock.index[:, :, None],
            -share * (weight[:, sets.orderable_group] * stage.available)[:, :, None],
        )  # fmt: skip
        builder.add(
            row, at[:, [number]], columns.rent.index,
            -share * (weight[:, sets.on_demand_group] * stage.rent_available)[:, :, None],
        )  # fmt: skip
        left = weight[:, sets.contract_group[sets.exits]] * stage.contract_chips[:, sets.exits]
        builder.add(row, at[:, [number]], columns.left.index[:, :, None], share * left[:, :, None])


def oversight(builder: Builder, columns: StageColumns, sets: Layout, stage: Stage) -> None:
    """Oversight keeps pace: sum omega x[safety] + unwatched >= ratio * sum omega x[serve and train]."""
    if stage.oversight <= 0 or not sets.safety:
        return
    row = builder.rows("oversight", columns.unwatched.shape, lower=0.0)
    first = len(sets.serve) + len(sets.train)
    sign = np.where(sets.arc_workload >= first, 1.0, -stage.oversight)
    sign = np.where(
        sets.arc_workload >= sets.first_internal, 0.0, sign
    )  # own use is not watched, and watches nothing
    weight = stage.oversight_weight[:, sets.arc_group, None] * sign[:, None]
    builder.add(row, row.position[:, None, :], columns.work.index, weight)
    builder.add(row, row.position, columns.unwatched.index, 1.0)


def mix(builder: Builder, columns: StageColumns, sets: Layout, _stage: Stage) -> None:
    """Development is a mix: least_w sum q <= q_w <= most_w sum q over the training workloads."""
    if len(sets.train) < 2:
        return
    first = len(sets.serve)
    output = columns.output.index[:, first : first + len(sets.train)]
    nodes, train, blocks = output.shape
    least = np.array([workload.share_min for workload in sets.train])
    most = np.array([workload.share_max for workload in sets.train])
    for name, bound, sign in (("mix_least", least, 1.0), ("mix_most", most, -1.0)):
        row = builder.rows(name, (nodes, train), lower=0.0)
        own = np.eye(train)[None, :, :, None]
        value = sign * (own - bound[None, :, None, None]) * np.ones((nodes, 1, 1, blocks))
        builder.add(row, row.position[:, :, None, None], output[:, None], value)


def power(builder: Builder, columns: StageColumns, sets: Layout, stage: Stage) -> None:
    """Feed what a site can: sum power_c x[c,b] <= MW_site(t), on chips at work, so recourse is complete."""
    blocks = len(stage.block_share)
    row = builder.rows("power", (*stage.site_power.shape, blocks), upper=stage.site_power[:, :, None])
    arcs = np.flatnonzero(sets.group_site[sets.arc_group] >= 0)
    group = sets.arc_group[arcs]
    at = row.position[:, sets.group_site[group]]
    builder.add(row, at, columns.work.index[:, arcs], stage.power[group][:, None])


def progress(builder: Builder, columns: StageColumns, sets: Layout, stage: Stage) -> None:
    """Development compute brings progress with diminishing returns: p <= a_i + b_i flop / parity, tangents of r^g.

    Where experiments and final runs need each other, what counts is effort <= sum_w slope_kw q_w, tangent planes of a
    Cobb-Douglas mix: neither side alone gets far.

    In a tail node nothing follows, so progress is free of rows there (it has no use).
    """
    if stage.progress is None:
        return
    lines = len(stage.progress.slope)
    row = builder.rows("progress_curve", (len(stage.weight), lines), upper=stage.progress.intercept)
    builder.add(row, row.position, columns.progress.index[:, None], 1.0)
    first = len(sets.serve)
    output = columns.output.index[:, None, first : first + len(sets.train)]
    slope = stage.progress.slope / stage.parity
    if not len(stage.mix_planes):
        builder.add(row, row.position[:, :, None, None], output, -slope[:, None, None])
        return
    builder.add(row, row.position, columns.effort.index[:, None], -slope)
    planes = builder.rows("effort_plane", (len(stage.weight), len(stage.mix_planes)), upper=0.0)
    builder.add(planes, planes.position, columns.effort.index[:, None], 1.0)
    builder.add(planes, planes.position[:, :, None, None], output, -stage.mix_planes[:, :, None])


def insight(builder: Builder, columns: StageColumns, sets: Layout, stage: Stage) -> None:
    """Bring insight by internal use, with diminishing returns: s <= omega a_i + b_i q / reference, tangents of r^g."""
    if not sets.internal:
        return
    lines = max(len(curve.slope) for curve in stage.insight)
    intercept, slope = (
        np.array([np.resize(getattr(curve, name), lines) for curve in stage.insight])
        for name in ("intercept", "slope")
    )
    limit = stage.weight[:, None, None] * intercept
    row = builder.rows("insight_curve", limit.shape, upper=limit)
    builder.add(row, row.position, columns.insight.index[:, :, None], 1.0)
    output = columns.output.index[:, sets.first_internal :]
    rate = (slope / stage.insight_reference[:, None])[:, :, None]
    builder.add(row, row.position[..., None], output[:, :, None, :], -rate)


STAGE_ROWS: tuple[StageRow, ...] = (
    use,
    technology,
    demand,
    floors,
    oversight,
    mix,
    power,
    progress,
    insight,
    steady,
    reserve,
    one_pool,
    routing,
    distilled,
    pricing,
    trust,
)


def _signed_capacity(sets: Layout, stage: Stage) -> np.ndarray:
    """Capacity of the signed contracts by the floors' weights, shape [node, floor]."""
    weight = stage.floor_weight[:, :, sets.contract_group]
    return np.asarray((weight * stage.contract_chips[:, None, :]).sum(axis=2))
