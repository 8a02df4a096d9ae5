"""From a trace of serving load to load blocks: the load-duration curve, cut where the fewest hours are misjudged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from exaplan.domain.lab import Lab

MOST_STEPS = 600
"""A longer trace is cut on this many quantiles of its load-duration curve."""


@dataclass(frozen=True)
class LoadBlocks:
    """Blocks of a quarter, busiest first."""

    names: tuple[str, ...]
    hours_share: np.ndarray  # [block] share of the quarter's hours; sums to 1
    demand_share: np.ndarray  # [serve, block] share of the quarter's demand; sums to 1 over blocks


def load_blocks(lab: Lab) -> LoadBlocks:
    """Cut the quarter into the load blocks of a lab; one block where the lab states none.

    A serving workload whose own trace has as many steps as the lab's is taken to run beside it, hour by hour. Any other
    trace is sorted by itself, so that its peak falls into the lab's peak: the dearest way for them to meet.

    Raises
    ------
    ValueError
        Where blocks are to be cut and there is no shape (the lab file's reader fills in the shipped one).
    """
    load, serve = lab.load, lab.serve
    if load is None:
        return LoadBlocks(("all",), np.ones(1), np.ones((len(serve), 1)))
    if load.parts:
        names = tuple(part.id for part in load.parts)
        hours = np.array([part.hours_share for part in load.parts])
        common = np.array([part.demand_share for part in load.parts])
        block = None
    else:
        if load.shape is None:
            raise ValueError("load.blocks needs load.shape: serving load in equal time steps")
        shape, names = np.asarray(load.shape, dtype=float), block_names(load.blocks or 1)
        block = blocks_of(shape, load.blocks or 1)
        hours = np.bincount(block, minlength=len(names)) / len(block)
        common = _by_block(shape, block, len(names))
    demand = np.empty((len(serve), len(names)))
    for number, workload in enumerate(serve):
        own = None if workload.load_shape is None else np.asarray(workload.load_shape, dtype=float)
        if own is None:
            demand[number] = common
        elif block is not None and len(own) == len(block):
            demand[number] = _by_block(own, block, len(names))
        else:
            demand[number] = shares_of(own, hours)
    return LoadBlocks(names, hours, demand)


def block_names(blocks: int) -> tuple[str, ...]:
    """Name blocks from the busiest to the quietest.

    Examples
    --------
    >>> block_names(3)
    ('peak', 'shoulder', 'trough')
    """
    if blocks == 1:
        return ("all",)
    between = ["shoulder"] if blocks == 3 else [f"shoulder-{n + 1}" for n in range(blocks - 2)]
    return ("peak", *between, "trough")


def blocks_of(shape: np.ndarray, blocks: int) -> np.ndarray:
    """Assign every step of a trace to a block, 0 the busiest, shape [step].

    The load-duration curve (steps sorted from busy to quiet) is cut into consecutive blocks of least squared error
    against their means: Fisher, On grouping for maximum homogeneity, J. Am. Stat. Assoc. 53 (1958) 789.

    Raises
    ------
    ValueError
        For fewer steps than blocks.

    Examples
    --------
    >>> blocks_of(np.array([1.0, 9.0, 10.0, 2.0]), 2).tolist()
    [1, 0, 0, 1]
    """
    steps = len(shape)
    if steps < blocks:
        raise ValueError(f"a trace of {steps} steps cannot be cut into {blocks} blocks")
    order = np.argsort(-shape, kind="stable")
    count = min(steps, MOST_STEPS)
    edges = np.round(np.linspace(0, steps, count + 1)).astype(int)
    one = np.concatenate([[0.0], np.cumsum(shape[order])])[edges]
    two = np.concatenate([[0.0], np.cumsum(shape[order] ** 2)])[edges]
    width = np.maximum(edges[None, :] - edges[:, None], 1)
    error = (
        two[None, :] - two[:, None] - (one[None, :] - one[:, None]) ** 2 / width
    )  # of steps i..j-1 as one block
    error = np.where(edges[None, :] > edges[:, None], error, np.inf)
    best, choice = error[0].copy(), []
    for _ in range(blocks - 1):
        total = best[:, None] + error
        choice.append(total.argmin(axis=0))
        best = total.min(axis=0)
    cuts, at = [count], count
    for came_from in reversed(choice):
        at = int(came_from[at])
        cuts.append(at)
    ends = edges[np.array(cuts[::-1])]
    block = np.empty(steps, dtype=int)
    block[order] = np.searchsorted(ends, np.arange(steps), side="right")
    return block


def shares_of(shape: Sequence[float] | np.ndarray, hours_share: np.ndarray) -> np.ndarray:
    """Share of a trace's load in blocks of given hours, busiest hours first, shape [block].

    Examples
    --------
    >>> shares_of([1.0, 3.0], np.array([0.25, 0.75])).tolist()
    [0.375, 0.625]
    """
    sorted_load = np.sort(np.asarray(shape, dtype=float))[::-1]
    reached = np.concatenate([[0.0], np.cumsum(sorted_load)]) / sorted_load.sum()
    ends = np.concatenate([[0.0], np.cumsum(hours_share)])
    return np.asarray(np.diff(np.interp(np.minimum(ends, 1.0), np.linspace(0, 1, len(reached)), reached)))


def _by_block(shape: np.ndarray, block: np.ndarray, blocks: int) -> np.ndarray:
    return np.asarray(np.bincount(block, weights=shape, minlength=blocks) / shape.sum())
