"""What a plan decided about demand, by quarter."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RoutedShare:
    """What one model serves of a segment in one quarter, expected over the tree."""

    quarter: str
    workload: str
    model: str
    share: float  # of the segment's tokens
    tokens: float  # token/quarter, in tokens of the segment's reference model
    ready: float  # share of its distillation that is done; 1 where it needs none


@dataclass(frozen=True)
class OfferedPrice:
    """One price of a workload in one quarter, expected over the tree."""

    quarter: str
    workload: str
    price_factor: float  # over the stated price
    share: float  # of the quarter or of the customers
    asked_tokens: float  # token/quarter asked for at it
    sold_tokens: float  # token/quarter served at it


@dataclass(frozen=True)
class TrustEarned:
    """What safety work earned with the customers of one workload in one quarter, expected over the tree."""

    quarter: str
    workload: str
    premium_usd: float
    premium_share: float  # of revenue at the stated price
    leaving_tokens: float  # token/quarter of customers who leave
