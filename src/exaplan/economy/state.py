"""What of a future can be seen in a quarter, and how far apart two futures are.

Clustering paths into a tree and finding the nearest node off the tree use the same states and the same scale.
"""

from __future__ import annotations

import numpy as np

from exaplan.domain.futures import World
from exaplan.domain.lab import Lab
from exaplan.domain.supply import OnDemand


def state_names(lab: Lab) -> tuple[str, ...]:
    """Name the states of :func:`states` in their order."""
    ids = [workload.id for workload in lab.serve]
    futures = lab.futures
    extra = {
        "supply": bool(futures.supply),
        "default": bool(futures.defaults),
        "standstill": bool(futures.site_delays),
    }
    law = lab.capability
    extra |= {
        "spot": futures.rental.spot is not None,
        "algorithm": law is not None and not law.algorithmic_progress.is_certain,
        "rate": bool(futures.model_shifts),
        "jump": bool(futures.renewals),
        "refusal": bool(futures.renewals),
        "window": bool(futures.capital_window and lab.finance.rounds),
    }
    named = (name for name, stated in extra.items() if stated)
    return (*(f"demand.{i}" for i in ids), *(f"price.{i}" for i in ids), "rental", "frontier", "slip", *named)


def states(world: World) -> np.ndarray:
    """Return the observable states [..., state] of paths ([path, quarter]) or of nodes ([node]).

    Natural logarithms of demand and price per workload, rental index and frontier; then the longest slip of any
    supplier in quarters. Where the world has them: the mean logarithm of the suppliers' supply, how many suppliers
    have failed, how many sites stand still; the logarithms of the price by the hour and of what recipes gained; the mean
    logarithms of rates on new models and of prices of renewals, how many suppliers refuse to renew, how many rounds are
    open. Named futures and errors of the performance model cannot be seen. Zero demand or price counts as the smallest positive number.
    """
    tiny = np.finfo(float).tiny
    slip = world.slip.max(axis=-1, initial=0).astype(float)
    return np.concatenate(
        [
            np.log(np.maximum(world.demand_tokens, tiny)),
            np.log(np.maximum(world.price_usd_per_token, tiny)),
            np.log(world.rental_index)[..., None],
            np.log(world.frontier)[..., None],
            slip[..., None],
            *([np.log(world.supply).mean(axis=-1, keepdims=True)] if world.supply.shape[-1] else []),
            *(
                hit.sum(axis=-1, keepdims=True, dtype=float)
                for hit in (world.gone, world.standstill)
                if hit.shape[-1]
            ),
            *(np.log(moved) for moved in (world.spot, world.algorithm) if moved.shape[-1]),
            *(
                np.log(moved).mean(axis=-1, keepdims=True)
                for moved in (world.rate, world.jump)
                if moved.shape[-1]
            ),
            *(
                hit.sum(axis=-1, keepdims=True, dtype=float)
                for hit in (world.refused, world.open_round)
                if hit.shape[-1]
            ),
        ],
        axis=-1,
    )


def money_scale(lab: Lab, world: World) -> np.ndarray:
    """Return how far each state must move to move the money still to come by a factor e, [quarter, state].

    inf where a state moves no money. Distance in states over this scale is distance in log money, so that the tree
    spends its few branches on what matters. Dividing by standard deviations instead would give a workload of 1 % of
    revenue the say of one of 90 %, and a price that soon reverts the say of a growth that lasts. The scale is one
    over elasticity times :func:`persistence`, with elasticities from means over ``world`` [path, quarter]:

    demand and price of a workload: its share of revenue; rental: the mean market exposure of the offers (a dollar of
    revenue buys about a dollar of compute, spread over them); frontier: sensitivity to capability weighted by
    revenue; a quarter of slip, a site's lost quarter and a factor e of supply: a quarter's growth of demand weighted by
    revenue; a failed supplier, or one that refuses to renew: its share if all suppliers were alike; price by the hour: as
    rental, over the offers of chips by the hour; recipes: as the frontier; rates on new models: all of revenue; a round
    that is open: a quarter's growth of demand. Rules of thumb, assumed.
    """
    demand = world.demand_tokens.mean(axis=0)
    revenue = (world.demand_tokens * world.price_usd_per_token).mean(axis=0)
    total = revenue.sum(axis=-1, keepdims=True)
    share = np.divide(revenue, total, out=np.zeros_like(revenue), where=total > 0)
    sensitivity = np.array([workload.sensitivity for workload in lab.serve])
    exposure = float(np.mean([offer.market_exposure for offer in lab.offers])) if lab.offers else 0.0
    before = np.concatenate([demand[:1], demand[:-1]])
    ratio = np.divide(demand, before, out=np.ones_like(demand), where=(before > 0) & (demand > 0))
    growth = np.abs((share * np.log(ratio)).sum(axis=-1))
    frontier = share @ sensitivity if lab.capability is not None else np.zeros(len(share))
    failed = np.full(len(share), 1 / max(1, len(lab.suppliers)))
    further = [
        elasticity
        for elasticity, hit in (
            (growth, world.supply),
            (failed, world.gone),
            (growth, world.standstill),
            (np.full(len(share), _hourly_exposure(lab)), world.spot),
            (frontier, world.algorithm),
            (np.ones(len(share)), world.rate),
            (np.full(len(share), 1.0), world.jump),
            (failed, world.refused),
            (growth, world.open_round),
        )
        if hit.shape[-1]
    ]
    elasticity = np.column_stack([share, share, np.full(len(share), exposure), frontier, growth, *further])
    weight = elasticity * persistence(states(world))
    scale = np.full(weight.shape, np.inf)
    np.divide(1.0, weight, out=scale, where=weight > 1e-12)
    return scale


def _hourly_exposure(lab: Lab) -> float:
    """Mean market exposure of the offers, those that do not follow the price by the hour at zero."""
    hourly = [o.market_exposure for o in lab.offers if isinstance(o, OnDemand) and o.market == "spot"]
    return sum(hourly) / len(lab.offers) if lab.offers else 0.0


def persistence(seen: np.ndarray) -> np.ndarray:
    """Return how much of a move of each state is there, on average, in the quarters from then on, [quarter, state].

    The slope of the mean state over the quarters t .. end on the state at t, over paths ``seen``
    [path, quarter, state]: 1 for a random walk, above 1 for a trend that shows itself, below 1 for what reverts, 1
    where nothing spreads. Only its size counts.
    """
    left = np.arange(seen.shape[1], 0, -1)[:, None]
    ahead = np.cumsum(seen[:, ::-1], axis=1)[:, ::-1] / left
    moved = seen - seen.mean(axis=0)
    variance = (moved**2).mean(axis=0)
    covariance = (moved * (ahead - ahead.mean(axis=0))).mean(axis=0)
    slope = np.divide(covariance, variance, out=np.ones_like(variance), where=variance > 1e-18)
    return np.asarray(np.abs(slope))
