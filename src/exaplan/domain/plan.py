"""The plan: what is decided at every node of the tree, in chips, tokens, FLOP and dollars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.domain.answer import Certificate


@dataclass(frozen=True)
class Plan:
    """Decisions by node. Nodes are the tree's, followed by one tail node per leaf (quarter T).

    Chips, tokens and FLOP of a tail node are annuities of the quarters after the horizon.
    """

    status: str
    objective_usd: float
    bound_usd: float
    gap: float
    certificate: Certificate
    offers: tuple[str, ...]  # orderable offers
    on_demand: tuple[str, ...]
    groups: tuple[tuple[str, str], ...]  # (chip, pool)
    arcs: tuple[tuple[int, int], ...]  # (group, workload) numbers
    workloads: tuple[str, ...]
    parent: np.ndarray  # [node]
    quarter: np.ndarray  # [node]
    probability: np.ndarray  # [node]
    discount: np.ndarray  # [node]
    ordered: np.ndarray  # [tree node, offer] chips signed
    stock: np.ndarray  # [node, offer] chips live
    left: np.ndarray  # [node, exit] share of a contract that has been left
    rented: np.ndarray  # [node, on-demand, block] chips
    further: np.ndarray  # [node, group] chips up that other decisions bring (renewals) or take away (exits)
    brought: np.ndarray  # [node, serve workload] tokens of demand that deals bring beside one's own
    at_work: np.ndarray  # [node, arc, block] chips
    output: np.ndarray  # [node, workload, block] tokens or FLOP
    premium: np.ndarray  # [node, premium workload] tokens at the stated price that trust earns on top
    unserved: np.ndarray  # [node, serve workload, block] tokens
    lost: np.ndarray  # [node, serve workload] tokens of demand that stays away
    forgiven: np.ndarray  # [node, serve workload, block] tokens written off (recourse only)
    ratio: np.ndarray  # [node] capability against the frontier
    effect: np.ndarray  # [node, serve workload] demand over demand at parity and the stated price
    sold: (
        np.ndarray
    )  # [node, price point, block] tokens served at each price, of the workloads that have several
    cash_usd: np.ndarray  # [node]
    debt_usd: np.ndarray  # [node]
    raised_usd: np.ndarray  # [node, round]
    rescue_usd: np.ndarray  # [node]
    short: np.ndarray  # [node, floor, block] FLOP a quarter (or tokens) by which a floor is missed
    relaxed: dict[str, float]  # expected shortfall of each limit that had to give, in its own unit
    value_usd: float  # expected value without the price of rescue and without the tail's weight
    leaf_value_usd: np.ndarray  # [leaf] present value of each future, rescue at its price
    rescue_price: float
    largest_cash_price: float  # largest value of a dollar at a node that needs no rescue
