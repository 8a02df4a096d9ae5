"""The outcome of a plan on simulated futures, path by path."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from exaplan.domain.ledger import Ledger


@dataclass(frozen=True)
class Outcome:
    """One plan on many futures. Values in USD, tokens, FLOP, chips; ``ruined_in`` is -1 where the lab survives."""

    seed: int
    value_usd: np.ndarray  # [path] present value of equity
    ruined_in: np.ndarray  # [path] quarter of ruin
    node: np.ndarray  # [path, quarter] node of the tree that the path resembled
    ordered: np.ndarray  # [path, quarter, offer] chips signed
    cash_usd: np.ndarray  # [path, quarter]
    revenue_usd: np.ndarray  # [path, quarter]
    compute_cost_usd: np.ndarray  # [path, quarter]
    capex_usd: np.ndarray  # [path, quarter]
    other_cost_usd: np.ndarray  # [path, quarter]
    demand_tokens: np.ndarray  # [path, quarter, serve workload] demand at the lab's capability, nothing lost
    served_tokens: np.ndarray  # [path, quarter, serve workload]
    lost_tokens: np.ndarray  # [path, quarter, serve workload]
    flop: np.ndarray  # [path, quarter] development FLOP
    ratio: np.ndarray  # [path, quarter] capability against the frontier
    short: np.ndarray  # [path, quarter] share of the development floor missed
    at_work: np.ndarray  # [path, quarter] chips at work
    rental_index: np.ndarray  # [path, quarter]
    late: np.ndarray  # [path, quarter] longest slip of what was due
    future: np.ndarray = field(
        default_factory=lambda: np.zeros(0, np.int64)
    )  # [path] number of the named future, -1 for none
    ledger: Ledger | None = None  # every flow by name, where it was asked for
