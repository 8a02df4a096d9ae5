"""Sampled futures and the scenario tree cut from them: the same data, by path or by node."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class World:
    """The uncertain data, with leading axes ``...`` = [path, quarter] for paths and [node] for a tree."""

    demand_tokens: np.ndarray  # [..., serve workload] token/quarter at z = 1, nothing lost
    price_usd_per_token: np.ndarray  # [..., serve workload] what reaches us per token
    rental_index: np.ndarray  # [...] rental market against the start
    frontier: np.ndarray  # [...] effective compute of the frontier against the start
    slip: np.ndarray  # [..., supplier] int: quarters by which what is due now is late


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
