"""What a plan decided beside signatures: what is started, which model serves at what price, in which hours, own use."""

from __future__ import annotations

from dataclasses import dataclass

from exaplan.domain.demand import OfferedPrice, RoutedShare, TrustEarned

NEVER = "never"
"""Quarter of what may be started and is started in no future."""


@dataclass(frozen=True)
class Lump:
    """One thing that is started once or not at all: a step of a site, a deal, a chip program, a launch, a run.

    One row for each quarter in which it may be started.
    """

    kind: str  # site step, deal, chip program, launch, run, distillation
    name: str
    quarter: str  # "never" where it is started in no future
    probability: float  # that it is started in this quarter
    text: str
    cash_usd: float  # what it brings (takes, if negative) by its own terms where it is started, undiscounted


@dataclass(frozen=True)
class BlockUse:
    """One load block of one quarter, means over the tree."""

    quarter: str
    block: str
    hours_share: float
    serving_chips: float
    development_chips: float  # training and safety
    preemptible_chips: float  # of these, on preemptible work
    ready_chips: float  # held ready for serving, idle or on preemptible work
    served_tokens: float
    unserved_tokens: float


@dataclass(frozen=True)
class InternalUse:
    """Own use of own models in one quarter, means over the tree."""

    quarter: str
    workload: str
    tokens: float  # token/quarter
    saving_usd: float
    efficiency_share: float  # serving output gained by what was learned before


@dataclass(frozen=True)
class MarginalChip:
    """What one more chip earns in one use in the first quarter, over the hours in which it works there.

    ``earns_usd`` is ``own_usd`` and ``limits_usd`` together; where chips work it equals ``worth_usd``.
    """

    use: str  # serve, train, safety, internal
    chip: str
    pool: str
    chips: float  # at work
    own_usd: float  # by the work itself
    limits_usd: float  # added or taken by floors, oversight, mixes, power and the like
    earns_usd: float
    worth_usd: float  # of one more chip, whatever its use


@dataclass(frozen=True)
class Conduct:
    """Everything of it; each tuple is empty where the lab has no such choice."""

    started: tuple[Lump, ...] = ()
    routing: tuple[RoutedShare, ...] = ()
    price_points: tuple[OfferedPrice, ...] = ()
    trust: tuple[TrustEarned, ...] = ()
    blocks: tuple[BlockUse, ...] = ()
    internal_use: tuple[InternalUse, ...] = ()
    margins: tuple[MarginalChip, ...] = ()
