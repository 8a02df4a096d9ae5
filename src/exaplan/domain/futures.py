"""Sampled futures and the scenario tree cut from them: the same data, by path or by node."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

NEVER = 10_000
"""A quarter that does not come; as a slip, what is never delivered."""


def _nothing() -> np.ndarray:
    return np.zeros(0)


@dataclass(frozen=True)
class World:
    """The uncertain data, with leading axes ``...`` = [path, quarter] for paths and [node] for a tree.

    The last three have no columns where the lab says nothing of them.
    """

    demand_tokens: np.ndarray  # [..., serve workload] token/quarter at z = 1, nothing lost
    price_usd_per_token: np.ndarray  # [..., serve workload] what reaches us per token
    rental_index: np.ndarray  # [...] rental market against the start
    frontier: np.ndarray  # [...] effective compute of the frontier against the start
    slip: np.ndarray  # [..., supplier] int: quarters by which what is due now is late
    setback: np.ndarray = field(
        default_factory=_nothing
    )  # [..., run] 1 where this quarter's work on a run is lost
    supply: np.ndarray = field(default_factory=_nothing)  # [..., supplier] factor on what can be signed
    gone: np.ndarray = field(
        default_factory=_nothing
    )  # [..., supplier] int: 1 from the quarter of its default on
    standstill: np.ndarray = field(
        default_factory=_nothing
    )  # [..., site] int: 1 where building loses the quarter

    def __post_init__(self) -> None:
        for name in ("setback", "supply", "gone", "standstill"):
            values = getattr(self, name)
            if values.shape == (0,):
                shape = (*self.slip.shape[:-1], 0)
                object.__setattr__(
                    self, name, np.zeros(shape, dtype=float if name in ("supply", "setback") else np.int64)
                )

    @property
    def lateness(self) -> np.ndarray:
        """Quarters by which what is due now is late, NEVER where the supplier has failed [..., supplier]."""
        return np.where(self.gone > 0, NEVER, self.slip) if self.gone.shape[-1] else self.slip

    @property
    def to_be_had(self) -> np.ndarray:
        """Factor on the most that can be signed, zero once the supplier has failed [..., supplier]."""
        factor = self.supply if self.supply.shape[-1] else np.ones(self.slip.shape)
        return np.where(self.gone > 0, 0.0, factor) if self.gone.shape[-1] else factor


@dataclass(frozen=True)
class Fit:
    """How well a tree matches its samples in one quarter: errors of mean and standard deviation of a log state."""

    quarter: int
    state: str
    mean_error: float
    sd_ratio: float


@dataclass(frozen=True)
class Tree:
    """A scenario tree: nodes sorted by stage, parents before children; every leaf is in the last quarter."""

    parent: np.ndarray  # [node] int, -1 for the root
    stage: np.ndarray  # [node] int, quarter from the start
    probability: np.ndarray  # [node] unconditional
    world: World
    scale: (
        np.ndarray
    )  # [quarter, state] what counts as distance one, for nearest-node search; inf: does not matter
    fit: tuple[Fit, ...] = ()
    samples: int = 0  # sample paths it was cut from

    @property
    def leaves(self) -> np.ndarray:
        """Node numbers of the last quarter."""
        return np.flatnonzero(self.stage == self.stage.max())

    @property
    def quarters(self) -> int:
        """Number of quarters."""
        return int(self.stage.max()) + 1
