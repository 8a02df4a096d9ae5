"""Coefficients fitted to published measurements: what was fitted, on what, when, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Effect:
    """Deviation of one coefficient for one member of a level: a vendor, a class of chips, a chip, an engine.

    Attributes
    ----------
    knob, level, member : str
        Coefficient, level (``all``, ``vendor``, ``class``, ``chip``, ``engine``, ...), and who it applies to.
    value : float
        Added to the coefficient's logit between its bounds.
    """

    knob: str
    level: str
    member: str
    value: float


@dataclass(frozen=True)
class Spread:
    """Log standard deviation of measured over modelled values that the effects do not explain.

    Attributes
    ----------
    task, family : str
        Kind of measurement and ``dense`` or ``moe``.
    level, member : str
        ``chip`` where the chip has enough groups of its own, else ``class`` or ``all``.
    log_sd : float
        Standard deviation.
    groups : int
        Groups of near-duplicates behind it.
    unseen : str
        What the fits behind it had not seen of the rows they predicted: their ``group`` alone, or their whole
        ``source`` or ``model``.
    """

    task: str
    family: str
    level: str
    member: str
    log_sd: float
    groups: int
    unseen: str = "source"


@dataclass(frozen=True)
class Calibration:
    """One fit: its date, its data, its effects with their covariance, and the spread that remains.

    Attributes
    ----------
    date : str
        Day of the fit, ISO.
    data : str
        What was fitted: tables, rows, groups, and a digest of the rows.
    effects : tuple of Effect
        Axis ``effect``; an effect that is not listed is zero with its prior's spread.
    covariance : array [effect, effect]
        Of the values.
    spreads : tuple of Spread
        Residual spreads.
    known : tuple of str
        Sources and models that the fit saw, as ``source:NAME`` and ``model:SHAPE``.
    """

    date: str
    data: str
    effects: tuple[Effect, ...]
    covariance: NDArray[np.float64]
    spreads: tuple[Spread, ...] = ()
    known: tuple[str, ...] = ()
    index: dict[tuple[str, str, str], int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        known = {(effect.knob, effect.level, effect.member): i for i, effect in enumerate(self.effects)}
        object.__setattr__(self, "index", known)
