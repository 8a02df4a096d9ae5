"""Elementary effects: which inputs of a function matter, and which only together with others.

Morris (1991), Factorial sampling plans for preliminary computational experiments, Technometrics 33:161-174, doi
10.1080/00401706.1991.10484804; the mean of sizes mu*: Campolongo, Cariboni and Saltelli (2007), An effective screening
design for sensitivity analysis of large models, Environmental Modelling & Software 22:1509-1518, doi
10.1016/j.envsoft.2006.10.004.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LEVELS = 4
"""Levels of each input, as in Morris's own examples; a step is two thirds of the range."""

RESAMPLES = 1000
"""Bootstrap resamples of the trajectories."""


@dataclass(frozen=True)
class Ranking:
    """Moments of the elementary effects by input; every array is [input]."""

    mu_star: np.ndarray  # mean size
    mu: np.ndarray  # mean
    sigma: np.ndarray  # standard deviation over trajectories; 0 for one trajectory
    low: np.ndarray  # 5th percentile of mu* over resampled trajectories
    high: np.ndarray  # 95th percentile


def trajectories(inputs: int, count: int, *, seed: int) -> np.ndarray:
    """Draw Morris trajectories through the unit cube: each step moves one input by two thirds, each input once.

    Returns
    -------
    numpy.ndarray
        [trajectory, inputs + 1, input], values on the grid 0, 1/3, 2/3, 1.

    Raises
    ------
    ValueError
        For no inputs or no trajectories.
    """
    if inputs < 1 or count < 1:
        raise ValueError(f"trajectories: {inputs} inputs and {count} trajectories; at least one of each")
    rng = np.random.default_rng(seed)
    grid = np.arange(LEVELS // 2) / (LEVELS - 1)
    step = LEVELS / (2 * (LEVELS - 1))
    low = rng.choice(grid, size=(count, inputs))
    upwards = rng.random((count, inputs)) < 0.5
    turn = rng.permuted(np.tile(np.arange(inputs), (count, 1)), axis=1)  # when each input moves
    moved = np.arange(inputs + 1)[None, :, None] > turn[:, None, :]
    return np.asarray(low[:, None] + step * np.where(upwards[:, None], moved, ~moved))


def elementary_effects(points: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Divide the change of the function by the change of the one input that moved [trajectory, input].

    ``points`` are those of :func:`trajectories`, ``values`` [trajectory, inputs + 1] the function there.
    """
    steps = np.diff(points, axis=1)  # [trajectory, step, input], one entry per step is not 0
    which = np.abs(steps).argmax(axis=2)
    size = np.take_along_axis(steps, which[:, :, None], axis=2)[:, :, 0]
    effects = np.empty((points.shape[0], points.shape[2]))
    np.put_along_axis(effects, which, np.diff(values, axis=1) / size, axis=1)
    return effects


def ranking(effects: np.ndarray, *, seed: int) -> Ranking:
    """Take the moments of elementary effects [trajectory, input], mu* with its 90 % bootstrap interval."""
    count = len(effects)
    size = np.abs(effects)
    rng = np.random.default_rng(seed)
    drawn = size[rng.integers(count, size=(RESAMPLES, count))].mean(axis=1)
    low, high = np.percentile(drawn, (5, 95), axis=0)
    return Ranking(
        mu_star=size.mean(axis=0),
        mu=effects.mean(axis=0),
        sigma=effects.std(axis=0, ddof=1) if count > 1 else np.zeros(effects.shape[1]),
        low=low,
        high=high,
    )
