"""Three statements of a plan on many futures, the conventions they are drawn up by, and the key figures beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from exaplan.domain.quarter import Quarter

LeaseTreatment = Literal["service", "lease"]
ResaleTreatment = Literal["gross", "net"]
FreeUsers = Literal["cost-of-sales", "marketing"]
Impairment = Literal["off", "use", "rent"]
Statement = Literal["income", "cash flow", "balance"]
Kind = Literal["line", "total", "check"]


@dataclass(frozen=True)
class Switches:
    """Conventions of the statements; each is shown beside the margins it moves.

    ``life_years`` is the straight-line life of chips with their servers and network; ``lease`` says whether reservations
    are a service, expensed as they run, or leases on the balance sheet at ``borrowing_rate`` a year; ``resale`` whether
    what resellers keep is revenue and cost (gross, principal) or neither (net, agent); ``free_users`` where the compute
    of users who do not pay is booked; ``impairment`` whether book is written down to economic value, and to which one.
    """

    life_years: int = 5
    lease: LeaseTreatment = "service"
    resale: ResaleTreatment = "net"
    free_users: FreeUsers = "cost-of-sales"
    impairment: Impairment = "off"
    borrowing_rate: float = 0.1

    @property
    def words(self) -> tuple[str, ...]:
        """The switches in words, in order."""
        impaired = {
            "off": "no impairment test",
            "use": "impaired to value in use",
            "rent": "impaired to value at market rent",
        }
        return (
            f"depreciation over {self.life_years} years",
            f"reservations as {'leases' if self.lease == 'lease' else 'services'}",
            f"resale {'gross (principal)' if self.resale == 'gross' else 'net (agent)'}",
            f"free users in {'cost of sales' if self.free_users == 'cost-of-sales' else 'marketing'}",
            impaired[self.impairment],
        )  # fmt: skip

    @property
    def short(self) -> str:
        """The switches in one line, to stand beside a margin."""
        tested = "no impairment" if self.impairment == "off" else f"impaired to {self.impairment}"
        return (
            f"{self.life_years} years, {self.lease}, {self.resale}, free users in {self.free_users}, {tested}"
        )


@dataclass(frozen=True)
class Statements:
    """Lines by name, USD by [path, quarter]; income and cash received positive, cost and payment negative.

    ``assets``, ``liabilities`` and ``equity`` are balances at the end of the quarter; ``opening`` holds the same names
    at the start. Nothing here is the difference of anything else here: :attr:`difference` is a check.
    """

    first: Quarter
    switches: Switches
    weight: np.ndarray  # [path]
    alive: np.ndarray  # [path, quarter] bool: the books are open at the end of the quarter
    operating: dict[str, np.ndarray]
    investing: dict[str, np.ndarray]
    financing: dict[str, np.ndarray]
    income: dict[str, np.ndarray]  # lines of the income statement, in order
    assets: dict[str, np.ndarray]
    liabilities: dict[str, np.ndarray]
    equity: dict[str, np.ndarray]
    opening: dict[str, np.ndarray]  # [path]

    @property
    def net_cash(self) -> np.ndarray:
        """Change of cash by the cash flow statement [path, quarter]."""
        return np.asarray(total(self.operating) + total(self.investing) + total(self.financing))

    @property
    def net_income(self) -> np.ndarray:
        """Net income [path, quarter]."""
        return total(self.income)

    @property
    def cash_difference(self) -> np.ndarray:
        """Cash by the cash flow statement less cash in the books [path, quarter]."""
        return np.asarray(self.opening["cash"][:, None] + self.net_cash.cumsum(axis=1) - self.assets["cash"])

    @property
    def balance_difference(self) -> np.ndarray:
        """Assets less liabilities less equity [path, quarter]."""
        return np.asarray(total(self.assets) - total(self.liabilities) - total(self.equity))

    @property
    def difference(self) -> np.ndarray:
        """The balance check: the larger of both differences, absolute [path, quarter]."""
        return np.asarray(np.maximum(np.abs(self.cash_difference), np.abs(self.balance_difference)))


def total(lines: dict[str, np.ndarray]) -> np.ndarray:
    """Sum the lines of one part of a statement [path, quarter]."""
    return np.asarray(sum(lines.values(), np.zeros(())))


@dataclass(frozen=True)
class StatementRow:
    """One line of a statement over the quarters: expected value and quantiles over the paths, USD."""

    statement: Statement
    section: str
    key: str
    label: str
    kind: Kind
    mean: tuple[float, ...]
    p05: tuple[float, ...]
    p50: tuple[float, ...]
    p95: tuple[float, ...]
    made_of: tuple[str, ...] = ()  # flows of the ledger that it sums


@dataclass(frozen=True)
class FigureRow:
    """One key figure: the value of expected operands with its interval, and quantiles over the paths.

    nan where it does not exist; the interval is None where paths are no sample.
    """

    key: str
    item: str  # workload or use that the row is for, or empty
    label: str
    unit: str
    formula: str
    definition: str
    value: float
    interval: tuple[float, float] | None
    p05: float
    p50: float
    p95: float
    operands: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class PlantRow:
    """Chips delivered in one quarter that retire in one, on paths that end in one: expected cost, USD."""

    arrival: int
    retirement: int
    ended: int
    cost_usd: float


@dataclass(frozen=True)
class FinanceReport:
    """Everything that the statements of one plan show."""

    lab: str
    lab_file: str
    quarters: tuple[str, ...]
    paths: int
    seed: int
    source: str  # "simulated" or "tree"
    switches: Switches
    rows: tuple[StatementRow, ...]
    figures: tuple[FigureRow, ...]
    flows: tuple[StatementRow, ...]  # the ledger by name, as means
    parts: tuple[StatementRow, ...]  # what compute expensed is made of
    shares: tuple[StatementRow, ...]  # of compute expensed by line
    plant: tuple[PlantRow, ...]
    economic_value: tuple[StatementRow, ...]
    worst_difference_usd: float  # the balance check, on every path and quarter
    p_ruin: float  # within the quarters of the lab's limit, as everywhere; over the horizon where it has none
    p_ruin_interval: tuple[float, float] | None  # 95 %; None on the tree's own futures
    ruin_within: int | None  # quarters of the lab's limit
    p_ruin_horizon: float  # by the end of the horizon: where the books close early
    losses_carried_usd: tuple[float, ...]  # a note: tax losses are no asset here
    command: str = ""
