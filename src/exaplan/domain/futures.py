"""Sampled futures and the scenario tree cut from them: the same data, by path or by node."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

NEVER = 10_000
"""A quarter that does not come; as a slip, what is never delivered."""


OPTIONAL = (
    "setback", "supply", "gone", "standstill", "spot", "algorithm", "rate", "rate_error", "jump", "refused",
    "open_round", "pinned",
)  # fmt: skip
"""Fields without columns where the lab says nothing of them."""


def _nothing() -> np.ndarray:
    return np.zeros(0)


@dataclass(frozen=True)
class World:
    """The uncertain data, with leading axes ``...`` = [path, quarter] for paths and [node] for a tree.

    From ``supply`` on there are no columns where the lab says nothing of them. On a tree they are means; ``rate_error`` is
    known on paths alone.
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
    spot: np.ndarray = field(default_factory=_nothing)  # [..., 0 or 1] price by the hour against the start
    algorithm: np.ndarray = field(
        default_factory=_nothing
    )  # [..., 0 or 1] what recipes gained since the start
    rate: np.ndarray = field(default_factory=_nothing)  # [..., chip] rate on new models over today's
    rate_error: np.ndarray = field(
        default_factory=_nothing
    )  # [..., chip] error of the performance model, standard normal
    jump: np.ndarray = field(default_factory=_nothing)  # [..., supplier] factor on what is renewed now
    refused: np.ndarray = field(
        default_factory=_nothing
    )  # [..., supplier] share of what ends now that is not renewed
    open_round: np.ndarray = field(default_factory=_nothing)  # [..., round] share of the round that is open
    pinned: np.ndarray = field(default_factory=_nothing)  # [..., named future] 1 where a path belongs to it

    def __post_init__(self) -> None:
        for name in OPTIONAL:
            if getattr(self, name).shape == (0,):
                whole = name in ("gone", "standstill")
                shape = (*self.slip.shape[:-1], 0)
                object.__setattr__(self, name, np.zeros(shape, dtype=np.int64 if whole else float))

    @property
    def spot_index(self) -> np.ndarray:
        """Rental index of chips by the hour: that of contracts where the lab does not tell them apart [...]."""
        return self.spot[..., 0] if self.spot.shape[-1] else self.rental_index

    @property
    def future(self) -> np.ndarray:
        """Number of the named future that each path belongs to, -1 for none, int [path]."""
        first = self.pinned[:, 0]
        if not first.shape[-1]:
            return np.full(len(first), -1, dtype=np.int64)
        return np.where(first.any(axis=-1), first.argmax(axis=-1), -1).astype(np.int64)

    @property
    def lateness(self) -> np.ndarray:
        """Quarters by which what is due now is late, NEVER where the supplier has failed [..., supplier]."""
        return np.where(self.gone > 0, NEVER, self.slip) if self.gone.shape[-1] else self.slip

    @property
    def to_be_had(self) -> np.ndarray:
        """Factor on the most that can be signed, zero once the supplier has failed [..., supplier]."""
        factor = self.supply if self.supply.shape[-1] else np.ones(self.slip.shape)
        return np.where(self.gone > 0, 0.0, factor) if self.gone.shape[-1] else factor

    def first(self, paths: int) -> World:
        """Take the first paths only."""
        return World(*(values[:paths] for values in vars(self).values()))


@dataclass(frozen=True)
class Fit:
    """How well a tree matches its samples in one quarter: errors of mean and standard deviation of a log state."""

    quarter: int
    state: str
    mean_error: float
    sd_ratio: float
    distance: float = 0.0  # Wasserstein distance of the state (its logarithm, or the count) from its samples


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
    distance: np.ndarray = field(
        default_factory=_nothing
    )  # [quarter] root mean square distance of these paths from their nodes, in units of ``scale``

    @property
    def leaves(self) -> np.ndarray:
        """Node numbers of the last quarter."""
        return np.flatnonzero(self.stage == self.stage.max())

    @property
    def quarters(self) -> int:
        """Number of quarters."""
        return int(self.stage.max()) + 1
