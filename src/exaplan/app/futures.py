"""The futures of a lab made visible: the copula with its sources, each process beside its closed form, the tree's fit."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from exaplan.domain.futures import Tree, World
from exaplan.domain.futures_shown import (
    Correlated,
    Distance,
    Fan,
    FuturesShown,
    Moment,
    NamedFuture,
    PublishedRent,
)
from exaplan.domain.lab import Lab
from exaplan.domain.quarter import Quarter
from exaplan.economy.copula import BY_DEFAULT, BY_DEMAND, Copula, join
from exaplan.economy.published_rents import published_against
from exaplan.economy.ruin import mean_interval
from exaplan.economy.sampling import sample_world
from exaplan.economy.theory import theory_of
from exaplan.economy.tree import grow_tree

DATES = (1, 4, 8, 12)
"""Quarters from the start whose moments are shown, beside the last one."""
WIDE = 1.959963984540054
FEWEST = 2


def futures_of(
    lab: Lab, *, paths: int, seed: int, lab_file: str | Path = "", version: str = ""
) -> FuturesShown:
    """Sample a lab's futures, set them beside their closed forms, and grow its tree.

    Raises
    ------
    InputError
        What :func:`exaplan.economy.sampling.sample_world` and :func:`exaplan.economy.tree.grow_tree` refuse.
    """
    copula = join(lab)
    world = sample_world(lab, paths=paths, seed=seed)
    tree = grow_tree(lab)
    first, quarters = lab.horizon.first, lab.horizon.quarters
    nodes = np.bincount(tree.stage, minlength=quarters)
    return FuturesShown(
        lab=lab.lab,
        lab_file=Path(lab_file).name,
        version=version,
        first_quarter=str(first),
        quarters=quarters,
        paths=paths,
        seed=seed,
        factors=copula.names,
        matrix=tuple(tuple(float(each) for each in row) for row in copula.matrix),
        correlations=tuple(_correlated(lab, copula)),
        moments=tuple(_moments(lab, world)),
        fans=tuple(_fans(lab, world, tree)),
        named=tuple(_named(lab, world)),
        rents=tuple(_rents(lab, seed)),
        tree_nodes=len(tree.parent),
        tree_leaves=len(tree.leaves),
        tree_samples=tree.samples,
        fit=tree.fit,
        distances=tuple(
            Distance(str(first + t), float(tree.distance[t]), int(nodes[t])) for t in range(quarters)
        ),
        remarks=(*copula.remarks, *_idle_pins(lab)),
    )


def quantities(lab: Lab, world: World) -> Iterator[tuple[str, np.ndarray]]:
    """Name every quantity of a world, with its values [path, quarter] or [node]."""
    for place, workload in enumerate(lab.serve):
        yield f"demand.{workload.id}", world.demand_tokens[..., place]
        yield f"price.{workload.id}", world.price_usd_per_token[..., place]
    yield "rental", world.rental_index
    if world.spot.shape[-1]:
        yield "spot", world.spot_index
    if lab.capability is not None:
        yield "frontier", world.frontier
    if world.algorithm.shape[-1]:
        yield "algorithm", world.algorithm[..., 0]
    slipping = {slip.supplier for slip in lab.slips}
    names = {
        "slip": (world.slip, lab.suppliers, slipping),
        "supply": (world.supply, lab.suppliers, {each.supplier for each in lab.futures.supply}),
        "default": (world.gone, lab.suppliers, {each.supplier for each in lab.futures.defaults}),
        "standstill": (
            world.standstill,
            [s.id for s in lab.sites],
            {each.site for each in lab.futures.site_delays},
        ),
        "renewal": (world.jump, lab.suppliers, {each.supplier for each in lab.futures.renewals}),
        "refusal": (world.refused, lab.suppliers, {each.supplier for each in lab.futures.renewals}),
        "window": (world.open_round, [each.id for each in lab.finance.rounds], None),
        "rate": (world.rate, list(lab.chips), {c for each in lab.futures.model_shifts for c in each.chips}),
    }
    for name, (values, known, stated) in names.items():
        for place in range(values.shape[-1]):
            if stated is None or known[place] in stated:
                yield f"{name}.{known[place]}", values[..., place]


def _correlated(lab: Lab, copula: Copula) -> Iterator[Correlated]:
    """Tell each pair that is not zero, with the line that states it."""
    assert copula.statement is not None  # noqa: S101 - join always tells
    for row, column in zip(*np.triu_indices(len(copula.names), 1), strict=True):
        stated, used = float(copula.stated[row, column]), float(copula.matrix[row, column])
        if stated or abs(used) > 1e-9:
            statement = int(copula.statement[row, column])
            yield Correlated(copula.names[row], copula.names[column], stated, used, _source(lab, statement))


def _source(lab: Lab, statement: int) -> str:
    if statement == BY_DEFAULT:
        return "not stated: moved by the repair of contradictory numbers"
    if statement == BY_DEMAND:
        return _told(lab, "futures.demand_correlation", "futures.demand_correlation")
    pair = lab.futures.correlations[statement]
    return _told(lab, f"futures.correlations.{statement}.rho", f"{pair.between[0]} with {pair.between[1]}")


def _told(lab: Lab, key: str, what: str) -> str:
    origin = lab.origins.get(key)
    if origin is None:
        return what
    place = f"{what} ({Path(origin.file).name}:{origin.line})"
    return f"{place}: {origin.note}" if origin.note else place


def _moments(lab: Lab, world: World) -> Iterator[Moment]:
    first, quarters = lab.horizon.first, lab.horizon.quarters
    dates = sorted({t for t in (*DATES, quarters - 1) if 0 < t < quarters})
    theory = {t: theory_of(lab, t) for t in dates}
    for name, values in quantities(lab, world):
        for t in dates:
            yield _moment(name, first + t, values[:, t].astype(float), theory[t].get(name))


def _moment(name: str, quarter: Quarter, values: np.ndarray, exact: object) -> Moment:
    mean, low, high = mean_interval(values, antithetic=True)
    ordered = np.sort(values)
    points = [_quantile(ordered, level) for level in (0.05, 0.5, 0.95)]
    quantiles = getattr(exact, "quantiles", None) or (None, None, None)
    return Moment(
        quantity=name, quarter=str(quarter), mean=mean, mean_error=(high - low) / 2 if math.isfinite(high) else 0.0,
        p05=points[0][0], p05_error=points[0][1], p50=points[1][0], p50_error=points[1][1],
        p95=points[2][0], p95_error=points[2][1],
        theory_mean=getattr(exact, "mean", None), theory_p05=quantiles[0], theory_p50=quantiles[1], theory_p95=quantiles[2],
    )  # fmt: skip


def _quantile(ordered: np.ndarray, level: float) -> tuple[float, float]:
    """Quantile of sorted values with half the width of its 95 % interval, by the ranks that bound it."""
    count = len(ordered)
    spread = WIDE * math.sqrt(count * level * (1 - level))
    low, high = (round(min(max(level * count + s * spread, 0), count - 1)) for s in (-1, 1))
    return float(np.quantile(ordered, level)), float(ordered[high] - ordered[low]) / 2


def _fans(lab: Lab, world: World, tree: Tree) -> Iterator[Fan]:
    """Tell the quantiles of every quantity that spreads, each quarter, with the range of the tree's nodes."""
    first = lab.horizon.first
    on_tree = dict(quantities(lab, tree.world))
    counted = ("slip", "default", "standstill", "refusal", "window")
    for name, values in quantities(lab, world):
        if name.partition(".")[0] in counted or np.ptp(values, axis=0).max() <= 0:
            continue
        points = np.quantile(values, (0.05, 0.25, 0.5, 0.75, 0.95), axis=0)
        for t in range(values.shape[1]):
            here = on_tree[name][tree.stage == t]
            p = [float(each) for each in points[:, t]]
            yield Fan(
                name, str(first + t), p[0], p[1], p[2], p[3], p[4], float(here.min()), float(here.max())
            )


def _named(lab: Lab, world: World) -> Iterator[NamedFuture]:
    demand, price = world.demand_tokens.sum(axis=2), world.price_usd_per_token
    for number, pinned in enumerate(lab.futures.pinned):
        own = world.future == number
        if not own.any():
            continue
        holds = ", ".join(f"{name} at {100 * quantile:g} %" for name, quantile in pinned.quantiles.items())
        last = price[own, -1] / price[own, 0] if price.shape[2] else np.full((1, 1), math.nan)
        moved = float((demand[own, -1] / demand[own, 0]).mean()) if demand[own, 0].all() else math.nan
        rental = float(world.rental_index[own, -1].mean())
        yield NamedFuture(
            pinned.id, pinned.probability, int(own.sum()), holds, moved, float(last.mean()), rental
        )


def _rents(lab: Lab, seed: int) -> Iterator[PublishedRent]:
    if lab.futures.rental.volatility > 0:
        for row in published_against(lab.futures.rental, seed=seed):
            yield PublishedRent(
                str(row.quarter), row.usd_per_chip_h, row.low_usd, row.middle_usd, row.high_usd, row.quantile
            )


def _idle_pins(lab: Lab) -> Iterator[str]:
    """Say which held sources have neither an uncertain level nor an uncertain trend, so that holding them does nothing."""
    law = lab.capability
    certain = {
        "demand": all(w.growth.is_certain and w.level.is_certain for w in lab.serve),
        "price": all(w.price_change.is_certain for w in lab.serve),
        "rental": lab.futures.rental.drift.is_certain,
        "frontier": law is None or law.frontier_growth.is_certain,
        "supply": all(each.level.is_certain for each in lab.futures.supply),
    }
    for pinned in lab.futures.pinned:
        idle = [name for name in pinned.quantiles if certain.get(name)]
        if idle:
            yield f"{pinned.id} holds {', '.join(idle)}, whose level and trend are certain: that does nothing"
