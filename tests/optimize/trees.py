"""Small random plans over trees: orders with lead times and slips, take-or-pay, cash, a tail of the loss, a start."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.optimize.blocks import Builder
from exaplan.optimize.stages import Staged


@dataclass(frozen=True)
class Kind:
    """What a random plan has."""

    depth: int = 4
    limit: bool = False  # a limit on CVaR: a row that touches all leaves
    starts: int = 0  # binaries at the root, each unlocks an offer
    caps: bool = False  # stock must stay below a cap: an order can be unrecoverable
    floors: bool = False  # stock must reach a floor: too small an order can be unrecoverable
    sense: str = "max"
    late_starts: bool = False  # binaries at every node before the last


def random_tree(rng: np.random.Generator, depth: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Parent, depth and probability of the nodes of a random tree that branches at least once."""
    parent, level, chance = [-1], [0], [1.0]
    last = [0]
    for step in range(1, depth + 1):
        fresh = []
        for node in last:
            children = int(rng.integers(1, 4)) if step > 1 else int(rng.integers(2, 4))
            share = rng.dirichlet(np.full(children, 3.0))
            for part in share:
                fresh.append(len(parent))
                parent.append(node)
                level.append(step)
                chance.append(chance[node] * float(part))
        last = fresh
    return np.array(parent), np.array(level), np.array(chance)


def ancestor(parent: np.ndarray, steps: int) -> np.ndarray:
    """Node so many steps before each node, -1 where there is none."""
    at = np.arange(len(parent))
    for _ in range(steps):
        at = np.where(at >= 0, parent[at], -1)
    return at


def random_plan(seed: int, kind: Kind = Kind()) -> Staged:
    """Build a random staged plan; it is always feasible."""
    rng = np.random.default_rng(seed)
    parent, level, chance = random_tree(rng, kind.depth)
    nodes, offers = len(parent), 2
    leaves = np.flatnonzero(level == kind.depth)
    demand = 4.0 * np.exp(np.cumsum(0.0 * level) + 0.5 * rng.normal(size=nodes) + 0.15 * level)
    price, worth = rng.uniform(2, 4, nodes), 0.97**level
    b = Builder()
    most = rng.uniform(3, 6, offers)
    sign = 1.0 if kind.sense == "max" else -1.0
    mean = chance * worth * sign
    order = b.variable("order", (nodes, offers), upper=np.where((level < kind.depth)[:, None], most, 0.0))
    stock = b.variable("stock", (nodes, offers))
    served = b.variable("served", (nodes,), upper=demand)
    extra = b.variable("extra", (nodes,), upper=2.0)
    paid = b.variable("paid", (nodes,))
    cash = b.variable("cash", (nodes,), cost=0.02 * mean + np.where(level == kind.depth, mean, 0.0))
    rescue = b.variable("rescue", (nodes,), cost=-2.5 * mean)
    eta = b.variable("eta", (), lower=-np.inf, cost=-0.2 * sign)
    excess = b.variable("excess", (len(leaves),), cost=-0.2 * sign * chance[leaves] / 0.4)
    slack = b.variable("slack", (), cost=-30.0 * sign)
    # stock, with a lead of 1 and of 1 + the slip of the node of arrival
    lead = np.array([1, min(2, kind.depth - 1)])
    balance = b.rows("balance", stock.shape, lower=0.0, upper=0.0)
    b.add(balance, balance.position, stock.index, 1.0)
    later = np.arange(1, nodes)
    b.add(balance, balance.position[later], stock.index[parent[later]], -0.9)
    slips = rng.random(nodes) < 0.2
    for offer in range(offers):
        for late in (0, 1):
            from_ = ancestor(parent, int(lead[offer]) + late)
            at = np.flatnonzero((from_ >= 0) & (slips[from_] == bool(late)))
            b.add(balance, balance.position[at, offer], order.index[from_[at], offer], -1.0)
    use = b.rows("use", (nodes,), upper=1.0)
    b.add(use, use.position, served.index, 1.0)
    b.add(use, use.position[:, None], stock.index, -1.0)
    b.add(use, use.position, extra.index, -1.0)
    pay = b.rows(
        "take_or_pay", (nodes,), lower=0.0
    )  # what is used is paid, and three quarters of the stock at least
    b.add(pay, pay.position, paid.index, 1.0)
    b.add(pay, pay.position[:, None], stock.index, -0.75)
    used = b.rows("used", (nodes,), lower=-1.0)
    b.add(used, used.position, paid.index, 1.0)
    b.add(used, used.position, served.index, -1.0)
    b.add(used, used.position, extra.index, 1.0)
    due = np.where(level == 0, 3.0, -1.0 - 0.3 * rng.random(nodes))
    money = b.rows("money", (nodes,), lower=due, upper=due)
    b.add(money, money.position, cash.index, 1.0)
    b.add(money, money.position[later], cash.index[parent[later]], -1.01)
    b.add(money, money.position, served.index, -price)
    b.add(money, money.position, extra.index, 3.0)
    b.add(money, money.position, paid.index, 1.0)
    b.add(money, money.position[:, None], order.index, np.array([0.4, 0.2]))
    b.add(money, money.position, rescue.index, -1.0)
    tail = b.rows("tail", (len(leaves),), lower=0.0)
    b.add(tail, tail.position, excess.index, 1.0)
    b.add(tail, tail.position, eta.index, 1.0)
    b.add(tail, tail.position, cash.index[leaves], 1.0)
    for steps in range(kind.depth + 1):
        b.add(tail, tail.position, rescue.index[ancestor(parent, steps)[leaves]], -2.5)
    if kind.limit:
        limit = b.rows("limit", (), upper=float(rng.uniform(-12, -2)))
        b.add(limit, 0, eta.index, 1.0)
        b.add(limit, 0, excess.index, chance[leaves] / 0.4)
        b.add(limit, 0, slack.index, -1.0)
    if kind.caps:
        cap = b.rows("cap", (nodes,), upper=np.where(level == 0, np.inf, rng.uniform(0.5, 12, nodes)))
        b.add(cap, cap.position[:, None], stock.index, 1.0)
    if kind.floors:
        floor = b.rows("floor", (nodes,), lower=np.where(level >= 3, rng.uniform(0, 3, nodes), -np.inf))
        b.add(floor, floor.position[:, None], stock.index, 1.0)
    node = {"order": nodes, "stock": nodes}
    homes = {name: np.arange(nodes) for name in (*node, "served", "extra", "paid", "cash", "rescue")}
    homes |= {"excess": leaves, "eta": np.zeros(1, int), "slack": np.zeros(1, int)}
    if kind.starts:
        start = b.variable(
            "start", (kind.starts,), upper=1.0, cost=-rng.uniform(0.5, 4, kind.starts) * sign, integer=True
        )
        unlock = b.rows("unlock", (nodes, kind.starts), upper=0.3)
        b.add(unlock, unlock.position, order.index[:, : kind.starts], 1.0)
        b.add(unlock, unlock.position, start.index, -most[: kind.starts])
        homes["start"] = np.zeros(kind.starts, int)
    if kind.late_starts:
        early = np.flatnonzero(level < kind.depth)
        begin = b.variable("begin", (len(early),), upper=1.0, cost=-0.8 * mean[early], integer=True)
        gate = b.rows("gate", (len(early),), upper=0.3)
        b.add(gate, gate.position, order.index[early, 1], 1.0)
        b.add(gate, gate.position, begin.index, -most[1])
        homes["begin"] = early
    model = b.build("max" if kind.sense == "max" else "min", offset=1.5)
    column_node = np.concatenate(
        [np.repeat(homes[name], v.size // len(homes[name])) for name, v in model.columns.items()]
    )
    return Staged(model, parent, column_node, chance)
