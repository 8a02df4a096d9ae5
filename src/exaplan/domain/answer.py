"""The answer to a plan question as plain rows: what the terminal, the page, the JSON and the tables show."""

from __future__ import annotations

from dataclasses import dataclass, field

from exaplan.domain.conduct import Conduct
from exaplan.domain.derivation import Derivation

NO_CONDUCT = Conduct()


@dataclass(frozen=True)
class Certificate:
    """Proof of optimality by our own arithmetic; all three are relative."""

    primal_residual: float
    dual_residual: float
    gap: float


@dataclass(frozen=True)
class Decision:
    """One signature. ``now`` marks those of the first quarter; later ones depend on the future."""

    offer: str
    chip: str
    supplier: str
    kind: str
    quarter: str
    sign_by: str
    delivery: str
    chips: float
    committed_usd: float
    due_now_usd: float
    probability: float
    now: bool
    cost_of_waiting_usd: float | None = None


@dataclass(frozen=True)
class Capacity:
    """Chips live in a quarter from one source (offer or contract): mean and 90 % interval over the tree."""

    quarter: str
    source: str
    kind: str
    chip: str
    chips: float
    chips_p05: float
    chips_p95: float
    used: float


@dataclass(frozen=True)
class Allocation:
    """Chips at work on one workload in one quarter, mean over the tree."""

    quarter: str
    workload: str
    kind: str
    chip: str
    pool: str
    chips: float
    capacity_share: float


@dataclass(frozen=True)
class Service:
    """Demand and service of one workload in one quarter, means over the tree, tokens."""

    quarter: str
    workload: str
    demand_tokens: float
    served_tokens: float
    unserved_tokens: float
    lost_tokens: float
    revenue_usd: float


@dataclass(frozen=True)
class Development:
    """Development in one quarter, mean over the tree."""

    quarter: str
    flop: float
    capability_ratio: float
    floor_share: float


@dataclass(frozen=True)
class CashBand:
    """Cash at the end of a quarter over the simulated futures."""

    quarter: str
    p05_usd: float
    p25_usd: float
    p50_usd: float
    p75_usd: float
    p95_usd: float
    tree_mean_usd: float


@dataclass(frozen=True)
class Price:
    """What one more unit is worth. ``there_and_then`` is in dollars of that quarter, ``today`` discounted to now."""

    quarter: str
    kind: str
    name: str
    unit: str
    there_and_then: float
    there_and_then_p05: float
    there_and_then_p95: float
    today: float


@dataclass(frozen=True)
class Limit:
    """A limit that the owner typed: ``binds``, ``slack`` or ``relaxed``; ``worth`` in dollars of today per ``unit``.

    ``relaxed_by`` is the share of what a floor asks for that is missed; elsewhere it is in ``unit``.
    """

    name: str
    state: str
    worth: float
    unit: str
    relaxed_by: float = 0.0
    quarters_binding: int = 0


@dataclass(frozen=True)
class DecidingInput:
    """One input ranked by how far it moves the value; ``flips_at`` is where the first signature changes."""

    name: str
    value: str
    low: str
    high: str
    value_at_low_usd: float
    value_at_high_usd: float
    flips_at: str | None
    source: str


@dataclass(frozen=True)
class Kpi:
    """One key figure of the plan beside the same figure when only renting; low and high are its 95 % interval."""

    name: str
    label: str
    value: float
    rent_only: float | None
    unit: str
    definition: str
    derivation: Derivation | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Story:
    """One bad future in words."""

    path: int
    value_usd: float
    ruined_in: str | None
    text: str


@dataclass(frozen=True)
class Assumption:
    """One input as used, with the place it was read and what the file or catalogue says about its source."""

    key: str
    value: str
    origin: str
    source: str


@dataclass(frozen=True)
class Replay:
    """A plan replayed on futures it has not seen."""

    value: float
    value_ci: tuple[float, float]
    p_ruin: float
    p_ruin_ci: tuple[float, float]
    paths: int
    seed: int
    served_share: float
    months_of_delay_survived: float | None = None


@dataclass(frozen=True)
class Benchmark:
    """The alternative on the same futures."""

    name: str
    value: float
    value_ci: tuple[float, float]
    p_ruin: float
    advantage_ci: tuple[float, float]


@dataclass(frozen=True)
class Flip:
    """One input at which the verdict was solved again."""

    name: str
    tried: str
    sign: bool
    advantage_usd: float


@dataclass(frozen=True)
class Verdict:
    """One signature examined to the end."""

    offer: str
    sign: bool
    quarter: str
    chips: float
    advantage_usd: float
    cost_of_waiting_usd: float
    replay_advantage_ci: tuple[float, float]
    flips: tuple[Flip, ...]
    worst: tuple[Story, ...]


@dataclass(frozen=True)
class Answer:
    """Everything one run of ``exaplan plan`` found."""

    lab: str
    lab_file: str
    first_quarter: str
    quarters: int
    nodes: int
    leaves: int
    status: str
    route: str
    objective: float
    bound: float
    gap: float
    certificate: Certificate
    tree_value: float
    tree_p_rescue: float
    rescue_price: float
    largest_cash_price: float
    replay: Replay
    benchmark: Benchmark
    decisions: tuple[Decision, ...]
    allocation: tuple[Allocation, ...]
    capacity: tuple[Capacity, ...]
    service: tuple[Service, ...]
    development: tuple[Development, ...]
    cash: tuple[CashBand, ...]
    prices: tuple[Price, ...]
    limits: tuple[Limit, ...]
    deciding_inputs: tuple[DecidingInput, ...]
    kpis: tuple[Kpi, ...]
    stories: tuple[Story, ...]
    assumptions: tuple[Assumption, ...]
    remarks: tuple[str, ...] = ()
    verdict: Verdict | None = None
    conduct: Conduct = NO_CONDUCT
    seed: int = 1
    version: str = ""
    timings: dict[str, float] = field(default_factory=dict)
