"""The ledger of a plan on many futures: every flow of money by name, and what was ordered, delivered and owed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.domain.quarter import Quarter


@dataclass(frozen=True)
class Purchases:
    """What is bought: paid on dates, delivered, worked until it retires. A cohort is one order, tranche or step."""

    name: tuple[str, ...]  # [cohort] offer, contract or site step
    hall: np.ndarray  # [cohort] bool: a hall, not chips
    life: np.ndarray  # [cohort] quarters, own useful life
    chips: np.ndarray  # [path, cohort]
    cost_usd: np.ndarray  # [path, cohort] price, all parts
    arrival: np.ndarray  # [path, cohort] quarter; below zero: before the start; NEVER: not delivered
    retirement: np.ndarray  # [path, cohort] quarter
    lost: np.ndarray  # [path, cohort] quarter in which the supplier's failure ends it, else NEVER
    due: tuple[tuple[np.ndarray, np.ndarray], ...]  # (quarter, USD) [path, cohort]; quarter -1: paid before


@dataclass(frozen=True)
class Reservations:
    """What is rented for a term. Rent is paid each quarter from delivery on, less the deposit's credit."""

    name: tuple[str, ...]  # [cohort]
    term: np.ndarray  # [cohort] quarters
    chips: np.ndarray  # [path, cohort]
    signed: np.ndarray  # [cohort] quarter of signature; -1: before the start
    rent_usd: np.ndarray  # [path, cohort] a quarter, before steps
    deposit_usd: np.ndarray  # [path, cohort] paid at signature, credited in equal parts over the term
    steps: tuple[tuple[int, np.ndarray], ...]  # quarters after arrival, USD a quarter more from then on
    arrival: np.ndarray  # [path, cohort]
    retirement: np.ndarray  # [path, cohort]
    lost: np.ndarray  # [path, cohort]


@dataclass(frozen=True)
class Opening:
    """What the lab file tells of the day before the first quarter, USD."""

    cash_usd: float
    receivable_usd: float
    debt_usd: float
    losses_carried_usd: float


@dataclass(frozen=True)
class Activity:
    """What the chips did, for the figures per token, per hour and per watt. Arrays are [path, quarter]."""

    h100e_hours: dict[str, np.ndarray]  # workload -> H100-equivalent hours at work
    chip_hours: dict[str, np.ndarray]  # workload -> chip-hours at work
    live_h100e_hours: np.ndarray  # H100-equivalent hours that were there and paid
    live_chip_hours: np.ndarray
    live_w: np.ndarray  # IT power of what was live, at work
    peak_flop: dict[
        str, np.ndarray
    ]  # workload -> dense BF16 FLOP that its chips could have done in that time
    output: dict[str, np.ndarray]  # workload -> tokens served or generated, or model FLOP trained
    wanted: dict[str, np.ndarray]  # serving workload -> tokens demanded, customers already lost not counted
    h100e_by_supplier: dict[str, np.ndarray]  # live H100-equivalents
    ratio: np.ndarray  # capability ratio at the start of the quarter


@dataclass(frozen=True)
class Priced:
    """What the plan's duals say for the statements, dollars of today unless said otherwise."""

    capability_value_usd: float  # progress made times its price, over the horizon
    utilization_point_usd: float  # one more percentage point in all serving
    goodput_point_usd: float  # one more percentage point in all workloads
    floor_share: float  # the development floor; nan where there is none
    floor_capacity_share: float  # mean share of capacity at work on what the floor protects
    floor_point_usd: float  # cost of one more percentage point of it
    use_price_usd_per_chip_h: dict[str, float]  # use -> worth of one more chip-hour there and then


@dataclass(frozen=True)
class Ledger:
    """Money and stocks of every path, USD by [path, quarter] unless said otherwise.

    ``flows`` are cash, received positive; their sum is the change of cash. Stocks are those at the end of the quarter,
    in the quarter of ruin those before the books are closed.
    """

    first: Quarter
    weight: np.ndarray  # [path] probability
    opening: Opening
    flows: dict[str, np.ndarray]
    revenues: dict[str, np.ndarray]  # by serving workload, as earned; the reseller's part is not in it
    cash: np.ndarray
    debt: np.ndarray
    receivable: np.ndarray
    losses_carried: np.ndarray
    supplier_loans: np.ndarray  # principal owed to suppliers
    prepaid_renewals: np.ndarray  # paid on renewal for quarters to come
    used_renewals: np.ndarray  # of payments on renewal, what this quarter used up
    ended: np.ndarray  # [path] quarter in which ruin closed the books, NEVER where it did not
    purchases: Purchases
    reservations: Reservations
    activity: Activity
    economic_value: dict[str, np.ndarray]  # chips owned, valued by "use" and at market "rent"

    @property
    def paths(self) -> int:
        """Number of paths."""
        return len(self.weight)

    @property
    def quarters(self) -> int:
        """Number of quarters."""
        return int(self.cash.shape[1])

    @property
    def alive(self) -> np.ndarray:
        """Whether the books are still open at the end of the quarter, bool [path, quarter]."""
        return np.asarray(np.arange(self.quarters) < self.ended[:, None])
