"""The lab: everything that one plan is made from."""

from __future__ import annotations

from pydantic import Field, model_validator

from exaplan.domain.base import Record, Series, quantity, text
from exaplan.domain.capability import Capability
from exaplan.domain.deals import Deal, Equity, Exclusive
from exaplan.domain.futures_input import Branch as Branch  # noqa: PLC0414 - also imported from here
from exaplan.domain.futures_input import Correlation as Correlation  # noqa: PLC0414
from exaplan.domain.futures_input import Futures, Slip
from exaplan.domain.launch import Launch
from exaplan.domain.load import Load
from exaplan.domain.quarter import Quarter
from exaplan.domain.rental import RentalMarket as RentalMarket  # noqa: PLC0414
from exaplan.domain.runs import FlopRule, Run
from exaplan.domain.silicon import Leverage, Silicon
from exaplan.domain.supply import Contract, Offer, Site
from exaplan.domain.supply_risk import SupplierOrder, SupplierShare
from exaplan.domain.technology import Chip, Model
from exaplan.domain.workload import Internal, Safety, Serve, Software, Train, Workload


class Horizon(Record):
    """First and last quarter of a plan, both included; ``2026-Q3 .. 2030-Q2`` in the lab file."""

    first: Quarter = text("first quarter")
    last: Quarter = text("last quarter")

    @model_validator(mode="after")
    def _forward(self) -> Horizon:
        if self.last < self.first:
            raise ValueError(f"the horizon is turned round: {self.first} .. {self.last}")
        return self

    @property
    def quarters(self) -> int:
        """Number of quarters."""
        return self.last - self.first + 1


class Floor(Record):
    """Development capacity that nobody may raid; as a share of all capacity or as an absolute level."""

    workloads: tuple[str, ...] = text("workloads it protects", refers_to="workloads")
    share: float = quantity(
        "share",
        "least share of energised capacity, weighted by each chip's own rate",
        default=0.0,
        ge=0,
        le=1,
    )
    level_flop_per_s: float = quantity(
        "FLOP/s", "least capacity in delivered FLOP/s", key="level", default=0.0, ge=0
    )


class RuinLimit(Record):
    """The highest probability of running out of cash that the owner accepts."""

    probability: float = quantity("share", "highest P(ruin)", gt=0, lt=1)
    within_quarters: int = quantity("quarter", "counted over this long", key="within", gt=0)


class Risk(Record):
    """How much the tail weighs."""

    weight: float = quantity(
        "share", "weight of CVaR of the loss in the objective; 0 is risk neutral", default=0.0, ge=0, lt=1
    )
    level: float = quantity("share", "CVaR looks at the worst 1 - level of futures", default=0.9, ge=0, lt=1)
    limit_usd: float | None = quantity("USD", "highest CVaR of the loss", key="limit", default=None)


class Policy(Record):
    """Limits that the owner sets; they are kept, not sold."""

    floor: Floor | None = text("floor for model development", default=None)
    safety: Floor | None = text("floor for safety work", default=None)
    oversight: float = quantity(
        "ratio",
        "safety capacity per unit of capacity at work on training and serving",
        default=0.0,
        ge=0,
        le=1,
    )
    supplier_share: tuple[SupplierShare, ...] = text("largest parts of the fleet by supplier", default=())
    supplier_order: tuple[SupplierOrder, ...] = text("most signed in a quarter by supplier", default=())
    ruin: RuinLimit | None = text("limit on P(ruin)", default=None)
    risk: Risk = text("weight of the tail", default=Risk())
    cover_quarters: float = quantity(
        "quarter",
        "quarters of committed outlay held in cash or undrawn credit; the search for a limit on P(ruin) raises it",
        key="cover",
        default=0.0,
        ge=0,
    )
    rescue_price: float = quantity(
        "ratio",
        "price of a rescue dollar in dollars of value; must exceed every other value of cash",
        default=20.0,
        gt=1,
    )


class Round(Record):
    """One permitted raise of equity."""

    id: str = text("name of the round")
    first: Quarter = text("first quarter of the window")
    last: Quarter = text("last quarter of the window")
    max_usd: float = quantity("USD", "most that can be raised in the window", key="max", gt=0)
    dilution_cost: float = quantity(
        "share", "value given away per dollar raised, beyond the dollar", default=0.0, ge=0
    )


class Debt(Record):
    """One revolving credit line."""

    limit_usd: float = quantity("USD", "largest balance", key="limit", ge=0)
    rate: float = quantity("1/year", "interest", ge=0)
    outstanding_usd: float = quantity("USD", "balance at the start", key="outstanding", default=0.0, ge=0)
    revenue_multiple: float | None = quantity(
        "ratio",
        "covenant: largest balance in yearly revenue at the quarter's pace; absent means no covenant",
        default=None,
        gt=0,
    )


class SupplierFinance(Record):
    """A supplier lends part of what it is paid for purchases and deposits; repaid in equal instalments."""

    supplier: str = text("supplier that lends")
    share: float = quantity("share", "largest share of a quarter's payments that is lent", gt=0, le=1)
    rate: float = quantity("1/year", "interest", ge=0)
    term_quarters: int = quantity("quarter", "number of quarterly instalments", key="term", gt=0)
    limit_usd: float = quantity("USD", "most that is lent in a quarter", key="limit", gt=0)


class FixedCost(Record):
    """A cost that no plan avoids; it counts in ruin."""

    id: str = text("payroll, data, sales …")
    amount_usd_per_quarter: Series = quantity(
        "USD/quarter", "amount at the start, or per quarter", key="amount", literal="series", ge=0
    )
    growth: float = quantity("1/year", "yearly growth", default=0.0, gt=-1)


class Finance(Record):
    """Money: what there is, what it costs, what is owed. Value is free cash to equity at the cost of equity."""

    cash_usd: float = quantity("USD", "cash at the start", key="cash", ge=0)
    cash_minimum_usd: float = quantity(
        "USD", "cash below which the lab is ruined", key="cash_minimum", default=0.0, ge=0
    )
    cash_rate: float = quantity("1/year", "interest on cash", ge=0)
    cost_of_equity: float = quantity("1/year", "discount rate", gt=0)
    tax_rate: float = quantity("share", "tax on profit", ge=0, lt=1)
    losses_carried_usd: float = quantity(
        "USD", "tax losses brought forward", key="losses_carried", default=0.0, ge=0
    )
    revenue_cost: float = quantity(
        "share", "cost that moves with revenue: payment, support, hosting partners", default=0.0, ge=0, lt=1
    )
    collection_lag_quarters: int = quantity(
        "quarter", "revenue to cash: 0 or 1", key="collection_lag", default=0, ge=0, le=1
    )
    receivables_usd: float = quantity(
        "USD",
        "revenue of the quarter before the horizon still to collect",
        key="receivables",
        default=0.0,
        ge=0,
    )
    fixed_costs: tuple[FixedCost, ...] = text("costs that no plan avoids", default=())
    rounds: tuple[Round, ...] = text("permitted raises", default=())
    debt: Debt | None = text("credit line", default=None)
    supplier_finance: tuple[SupplierFinance, ...] = text(
        "loans of suppliers on what they are paid", default=()
    )

    @model_validator(mode="after")
    def _rates_in_order(self) -> Finance:
        if self.cash_rate > self.cost_of_equity:
            raise ValueError("interest on cash above the cost of equity would make hoarding a business")
        if self.debt is not None and self.debt.rate < self.cash_rate:
            raise ValueError("debt cheaper than the interest on cash would make borrowing a business")
        return self


class Ends(Record):
    """What happens after the last quarter: the fleet runs off in one tail stage."""

    fade: float = quantity(
        "1/year",
        "yearly decline of the margin that surviving chips earn after the horizon",
        default=0.3,
        ge=0,
        lt=1,
    )
    quarters: int = quantity(
        "quarter",
        "how long after the horizon chips still earn; what is owed is owed to the end",
        default=12,
        gt=0,
        le=40,
    )


class Origin(Record):
    """Where a value of the lab came from: a place in a file, or a row of the catalogue."""

    file: str
    line: int = 0
    column: int = 0
    note: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


class Lab(Record):
    """Everything that one plan is made from."""

    lab: str = text("name of the lab")
    horizon: Horizon = text("first .. last quarter")
    chips: dict[str, Chip] = text("chips by the name used in this lab")
    models: dict[str, Model] = text("models by the name used in this lab", default={})
    sites: tuple[Site, ...] = text("own sites", default=())
    offers: tuple[Offer, ...] = text("what can be signed", default=())
    contracts: tuple[Contract, ...] = text("what is signed already", default=())
    deals: tuple[Deal, ...] = text("what may be signed once: equity for compute, exclusivity", default=())
    silicon: tuple[Silicon, ...] = text("chips of one's own design that can be started", default=())
    leverage: Leverage | None = text("against whom a second source is played out", default=None)
    workloads: tuple[Workload, ...] = text("what the chips do")
    launches: tuple[Launch, ...] = text("steps of demand that may be taken or left", default=())
    software: tuple[Software, ...] = text("porting dates and maturity", default=())
    policy: Policy = text("limits set by the owner", default=Policy())
    finance: Finance = text("money")
    capability: Capability | None = text("how development compute becomes demand", default=None)
    runs: tuple[Run, ...] = text("training runs that are planned by name", default=())
    rules: tuple[FlopRule, ...] = text("rules that bind runs above a threshold of compute", default=())
    futures: Futures = text("uncertainty", default=Futures())
    ends: Ends = text("what happens after the last quarter", default=Ends())
    load: Load | None = text("how demand spreads over the hours of a quarter; absent: evenly", default=None)
    decision: str | None = text(
        "offer whose signature is examined to the end", default=None, refers_to="offers"
    )
    origins: dict[str, Origin] = Field(
        default_factory=dict, exclude=True, repr=False, json_schema_extra={"internal": True}
    )

    @property
    def serve(self) -> tuple[Serve, ...]:
        """Workloads that earn."""
        return tuple(workload for workload in self.workloads if isinstance(workload, Serve))

    @property
    def develop(self) -> tuple[Train, ...]:
        """Workloads that make capability."""
        return tuple(workload for workload in self.workloads if isinstance(workload, Train))

    @property
    def oversee(self) -> tuple[Safety, ...]:
        """Workloads of the safety kind."""
        return tuple(workload for workload in self.workloads if isinstance(workload, Safety))

    @property
    def internal(self) -> tuple[Internal, ...]:
        """Own use of own models."""
        return tuple(workload for workload in self.workloads if isinstance(workload, Internal))

    @property
    def equity(self) -> tuple[Equity, ...]:
        """Deals that bring money for compute."""
        return tuple(deal for deal in self.deals if isinstance(deal, Equity))

    @property
    def exclusives(self) -> tuple[Exclusive, ...]:
        """Deals that exclude other suppliers or give priority."""
        return tuple(deal for deal in self.deals if isinstance(deal, Exclusive))

    @property
    def options(self) -> tuple[str, ...]:
        """Names of everything whose start can unlock an offer."""
        return tuple(item.id for item in (*self.deals, *self.silicon))

    @property
    def suppliers(self) -> tuple[str, ...]:
        """Everybody who can be late, sorted: suppliers, foundries, and the programs whose release can slip."""
        foundries = {foundry.delivered_by for program in self.silicon for foundry in program.foundries}
        signed = {offer.supplier for offer in self.offers} | {
            contract.supplier for contract in self.contracts
        }
        return tuple(sorted(signed | foundries | {slip.supplier for slip in self._releases}))

    @property
    def slips(self) -> tuple[Slip, ...]:
        """All sources of delay: the suppliers' and those of the programs."""
        return (*self.futures.slips, *self._releases)

    @property
    def _releases(self) -> tuple[Slip, ...]:
        late = [(program.id, program.slip) for program in self.silicon]
        late += [(p.respin_name, p.respin.probability) for p in self.silicon if p.respin is not None]
        return tuple(Slip(supplier=name, probability=chance) for name, chance in late if chance > 0)
