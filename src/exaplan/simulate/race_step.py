"""One quarter of a race, for all paths and labs at once: deliveries, capability, demand, money, orders.

Arrays are [path, lab] unless said otherwise; chips are H100-equivalents, money USD, power W.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.domain.quarter import HOURS_PER_QUARTER
from exaplan.domain.race import RaceFile
from exaplan.domain.race_result import CAUSES
from exaplan.simulate.race_draws import QUARTERS_PER_YEAR, RaceDraws, cooled_years


@dataclass(frozen=True)
class Terms:
    """What a race file says of each lab, as rows [lab] and numbers."""

    fleet: np.ndarray
    revenue: np.ndarray
    cash: np.ndarray
    capability: np.ndarray
    on_order: np.ndarray
    lead: np.ndarray  # int
    commit: np.ndarray
    counted_on: np.ndarray  # [quarter, lab] growth of income over the lead that it counts on
    serve: np.ndarray
    overhead: np.ndarray
    draw: np.ndarray
    reserve: np.ndarray
    relaxed: np.ndarray  # [cause, lab] 0, or infinite where a cause is taken away


@dataclass
class State:
    """Where all labs stand; changed from quarter to quarter."""

    stock: np.ndarray  # chips delivered and not retired
    prepaid: np.ndarray  # of which bought outright
    watts: np.ndarray  # what the stock draws when at work
    coming: np.ndarray  # [quarter, path, lab] chips due
    coming_watts: np.ndarray  # [quarter, path, lab]
    coming_prepaid: np.ndarray  # [quarter, path, lab] of the chips due, bought outright
    live: np.ndarray  # chips at work
    effort: np.ndarray  # development compute so far, H100-equivalent quarters
    recipe: np.ndarray  # log of a lab's recipes over those that all share
    level: np.ndarray  # effective compute
    pull: np.ndarray  # log of the demand that capability brings, as far as customers have moved
    revenue: np.ndarray
    income: np.ndarray  # revenue and funding
    cash: np.ndarray
    ruined: np.ndarray  # bool
    delivered: np.ndarray  # chips so far
    retired: np.ndarray
    returned: np.ndarray  # given back in ruin


def demand_effect(ratio: np.ndarray, sensitivity: float) -> np.ndarray:
    """Demand over that at parity: 1 + s ln z, and below exp(1 - 1/s) the line through the origin (docs/model.md, 9).

    Examples
    --------
    >>> demand_effect(np.array([1.0, 0.0]), 0.5).tolist()
    [1.0, 0.0]
    """
    if sensitivity == 0:
        return np.ones_like(ratio)
    knee = np.exp(1 - 1 / sensitivity)
    above = 1 + sensitivity * np.log(np.maximum(ratio, knee))
    return np.asarray(np.where(ratio >= knee, above, sensitivity * ratio / knee))


def terms_of(file: RaceFile, relaxed: np.ndarray | None) -> Terms:
    """Put the labs of a file in rows."""

    def row(values: list[float]) -> np.ndarray:
        return np.array(values, dtype=float)

    labs, quarters = file.labs, file.horizon.quarters
    lead = np.array([lab.chips.lead for lab in labs])
    known = cooled_years(file.market.cooling, np.arange(quarters + int(lead.max()) + 1))
    now = np.arange(quarters)[:, None]
    ahead = known[now + lead] - known[now]
    return Terms(
        fleet=row([lab.fleet for lab in labs]),
        revenue=row([lab.revenue for lab in labs]),
        cash=row([lab.cash for lab in labs]),
        capability=row([lab.capability for lab in labs]),
        on_order=row([lab.chips.on_order for lab in labs]),
        lead=lead,
        commit=row([lab.policy.commit for lab in labs]),
        counted_on=(1 + row([lab.policy.expects for lab in labs])) ** ahead,
        serve=row([lab.policy.serve for lab in labs]),
        overhead=row([lab.policy.overhead for lab in labs]),
        draw=row([lab.policy.draw for lab in labs]),
        reserve=row([lab.policy.reserve for lab in labs]),
        relaxed=np.zeros((len(CAUSES), len(labs))) if relaxed is None else relaxed,
    )


def opening(file: RaceFile, terms: Terms, draws: RaceDraws) -> State:
    """Give the known first quarter, the same on all paths."""
    paths, quarters, labs = draws.demand.shape[1], file.horizon.quarters, len(file.labs)

    def spread(row: np.ndarray) -> np.ndarray:
        return np.tile(row, (paths, 1)).astype(float)

    beyond = int(terms.lead.max()) + 1
    coming, coming_watts = (np.zeros((quarters + beyond, paths, labs)) for _ in range(2))
    for place, lead in enumerate(terms.lead):
        coming[1 : max(lead, 2), :, place] = terms.on_order[place] / max(lead - 1, 1)
    coming_watts[:] = coming / file.market.density
    # A fleet that grew at a constant rate has done its last quarter's work times 1 / (1 - 1/growth).
    reach = 1 / (1 - (1 + file.market.past_growth) ** (-1 / QUARTERS_PER_YEAR))
    effort = (1 - terms.serve) * terms.fleet * reach
    recipe = np.log(terms.capability) - np.log(np.maximum(effort, 1e-12))
    watts = np.minimum(terms.fleet / file.market.density, [lab.power.now for lab in file.labs])
    funding = np.array([lab.funding for lab in file.labs])
    zero = np.zeros((paths, labs))
    return State(
        stock=spread(terms.fleet), prepaid=zero.copy(), watts=spread(watts), coming=coming,
        coming_watts=coming_watts, coming_prepaid=np.zeros_like(coming), live=spread(terms.fleet), effort=spread(effort), recipe=spread(recipe),
        level=spread(terms.capability), pull=zero.copy(), revenue=spread(terms.revenue),
        income=spread(terms.revenue + funding), cash=spread(terms.cash), ruined=np.zeros((paths, labs), dtype=bool),
        delivered=zero.copy(), retired=zero.copy(), returned=zero.copy(),
    )  # fmt: skip


def deliver(state: State, quarter: int, file: RaceFile, draws: RaceDraws) -> None:
    """Retire, take in what is due, and energise what power allows."""
    gone = file.market.retirement
    state.retired += gone * state.stock
    state.delivered += state.coming[quarter]
    state.stock = (1 - gone) * state.stock + state.coming[quarter]
    state.watts = (1 - gone) * state.watts + state.coming_watts[quarter]
    state.prepaid = (1 - gone) * state.prepaid + state.coming_prepaid[quarter]
    state.live = state.stock * np.minimum(1.0, draws.power[quarter] / state.watts)


def learn(
    state: State, quarter: int, file: RaceFile, draws: RaceDraws, seen: list[np.ndarray], terms: Terms
) -> None:
    """Turn development into effective compute; recipes wander, leap and spread. ``seen`` are the recipes so far."""
    market = file.market
    state.effort = state.effort + (1 - terms.serve) * state.live
    spread_from = seen[quarter - 1 - market.diffusion_lag] if quarter > market.diffusion_lag else None
    state.recipe = state.recipe + draws.recipe_news[quarter] + draws.leap[quarter]
    if spread_from is not None:
        best = spread_from.max(axis=1, keepdims=True)
        state.recipe += market.diffusion * np.maximum(best - state.recipe, 0.0)
    best_now = state.recipe.max(axis=1, keepdims=True)
    taught = np.isinf(terms.relaxed[CAUSES.index("recipes")])
    state.recipe = np.where(taught, best_now, state.recipe)
    state.level = state.effort * np.exp(draws.progress[quarter, :, None] + state.recipe)


def prices(quarter: int, file: RaceFile, draws: RaceDraws) -> tuple[np.ndarray, np.ndarray]:
    """Price per token and what a chip at serving can earn, both over their start, [path].

    Cost per token falls with the cost of chips and with tokens per chip; the share ``pass_through`` of its logarithm
    reaches the price: price = (cost / tokens)^pass_through, times what a price war leaves.
    """
    cost = draws.cost[quarter] / draws.cost[0]
    price = (cost / draws.tokens[quarter]) ** file.market.pass_through * draws.price_cut[quarter]
    return price, price * draws.tokens[quarter]


def earn(state: State, quarter: int, file: RaceFile, draws: RaceDraws, terms: Terms) -> np.ndarray:
    """Sell: revenue = min(demand, serving chips x what a chip earns). Returns demand in USD per quarter.

    Each lab's own demand grows with the market and its own news; capability moves customers from lab to lab, none appear
    or vanish by it.
    """
    market = file.market
    price, earning = prices(quarter, file, draws)
    ratio = state.level / state.level.max(axis=1, keepdims=True)
    # In logs, floored so that a lab without any effective compute has no customers rather than no number.
    wanted = np.log(np.maximum(demand_effect(ratio, market.sensitivity), 1e-6))
    wanted -= np.log(np.maximum(demand_effect(terms.capability, market.sensitivity), 1e-6))
    state.pull = state.pull + market.switching * (wanted - state.pull)
    own = terms.revenue * np.exp(draws.demand_news[quarter])
    weight = own * np.exp(state.pull)
    total = own.sum(axis=1) * draws.demand[quarter] * price ** (1 - market.elasticity)
    demand = weight * (total / np.maximum(weight.sum(axis=1), 1e-300))[:, None]
    capacity = terms.serve * state.live * market.earning * HOURS_PER_QUARTER * earning[:, None]
    state.revenue = np.minimum(demand, capacity)
    state.income = state.revenue + draws.funding[quarter] * np.exp(market.access * wanted)
    return np.asarray(demand)


def settle(state: State, quarter: int, draws: RaceDraws, terms: Terms) -> None:
    """Pay; a lab whose cash falls below zero is ruined: what is on order lapses and the fleet is cut to its income."""
    cost = draws.cost[quarter, :, None]
    bill = cost * np.maximum(state.stock - state.prepaid, 0.0)
    state.cash = state.cash + (1 - terms.overhead) * state.income - bill
    broke = state.cash < 0
    if broke.any():
        state.ruined |= broke
        for lapses in (state.coming, state.coming_watts, state.coming_prepaid):
            lapses[quarter + 1 :] = np.where(broke, 0.0, lapses[quarter + 1 :])
        kept = np.where(broke, np.minimum(1.0, terms.commit * state.income / (cost * state.stock)), 1.0)
        state.returned += (1 - kept) * state.stock
        state.stock, state.watts, state.live = kept * state.stock, kept * state.watts, kept * state.live
        state.prepaid = np.minimum(state.prepaid, state.stock)
        state.cash = np.maximum(state.cash, 0.0)


def order(state: State, quarter: int, file: RaceFile, draws: RaceDraws, terms: Terms) -> np.ndarray:
    """Order for the quarter at the end of the lead; says what binds each lab, int [path, lab] into ``CAUSES``.

    Money: what the income counted on carries at the cost of the day of delivery, and what cash above the reserve buys
    outright. Chips: the share of that day's shipments that can be had. Power: what is in place and announced by then, less what stock and orders draw.
    """
    market, then = file.market, quarter + terms.lead
    cost = draws.cost[then].T
    left = terms.lead - np.arange(1, int(terms.lead.max()) + 1)[:, None]
    still = np.where(
        left >= 0, (1 - market.retirement) ** np.maximum(left, 0), 0.0
    )  # of what is due, at the end

    def due(coming: np.ndarray) -> np.ndarray:
        return np.asarray(np.einsum("tpl,tl->pl", coming[quarter + 1 : quarter + 1 + len(still)], still))

    kept = (1 - market.retirement) ** terms.lead
    carried = terms.commit * terms.counted_on[quarter] * state.income / cost
    spare = terms.draw * np.maximum(state.cash - terms.reserve, 0.0)
    outright = spare / (cost * market.term)
    rented = due(state.coming) - due(state.coming_prepaid) + kept * (state.stock - state.prepaid)
    money = np.maximum(carried - rented, 0.0) + outright
    chips = draws.obtainable[quarter] * draws.shipments[then].T
    labs = np.arange(len(terms.lead))
    announced = draws.announced[then, :, labs].T - draws.announced[quarter]
    room = draws.power[quarter] + announced - due(state.coming_watts) - kept * state.watts
    power = np.maximum(room, 0.0) * draws.density[quarter, :, None]
    limits = np.stack([chips, power, money]) + terms.relaxed[: len(CAUSES) - 1, None, :]
    placed = limits.min(axis=0)
    bought = np.minimum(outright, placed)
    state.cash = state.cash - bought * cost * market.term
    state.coming_prepaid[then, :, labs] += bought.T
    state.coming[then, :, labs] += placed.T
    state.coming_watts[then, :, labs] += (placed / draws.density[quarter, :, None]).T
    return np.asarray(limits.argmin(axis=0), dtype=np.int8)
