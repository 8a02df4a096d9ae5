"""Everything that a key figure of the statements may be made of."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from exaplan.domain.lab import Lab
from exaplan.domain.ledger import Ledger, Priced
from exaplan.domain.statements import Statements, total
from exaplan.economy.drawn_up import compute_expense
from exaplan.economy.leases import Rented
from exaplan.economy.plant import Plant

USES = ("serving", "development", "internal", "safety")


@dataclass(frozen=True)
class Facts:
    """Everything that a key figure may be made of; ``workload`` and ``use`` are those that a row is for."""

    lab: Lab
    ledger: Ledger
    statements: Statements
    plant: Plant
    rented: Rented
    priced: Priced
    flop_per_token: dict[str, float]  # serving and internal workloads: model FLOP per token
    workload: str = ""
    use: str = ""
    cost: np.ndarray = field(init=False)  # [path, quarter] compute expensed

    def __post_init__(self) -> None:
        parts = compute_expense(self.ledger, self.statements.switches, self.plant, self.rented)
        object.__setattr__(self, "cost", total(parts) + np.zeros_like(self.ledger.cash))

    def line(self, *names: str) -> np.ndarray:
        """Sum of lines of the income statement over the horizon [path]."""
        found = [amount for name, amount in self.statements.income.items() if name.partition(".")[0] in names]
        return np.asarray(sum(found, np.zeros_like(self.ledger.cash)).sum(axis=1))

    def workloads_of(self, use: str) -> tuple[str, ...]:
        """Names of the workloads of a use."""
        groups = {
            "serving": self.lab.serve, "development": self.lab.develop, "safety": self.lab.oversee,
            "internal": self.lab.internal,
        }  # fmt: skip
        return tuple(workload.id for workload in groups[use])

    def hours(self, *uses: str) -> np.ndarray:
        """H100-equivalent hours at work in some uses [path]."""
        names = [name for use in uses for name in self.workloads_of(use)]
        each = [self.ledger.activity.h100e_hours[name] for name in names]
        return np.asarray(sum(each, np.zeros_like(self.ledger.cash)).sum(axis=1))

    def same(self, value: float) -> np.ndarray:
        """One number on every path."""
        return np.full(self.ledger.paths, value)
