"""Cuts from duals by our own arithmetic: what the solver says of its objective is not needed for a valid bound.

For any duals y of block k, weak duality bounds its value at every master point x (see ``certificate``):

    V_k(x) <= q_k + g_k x,  q_k = sum_i y_i b_i + sum_j d_j l_j,  d = c_k - A_k' y,  g_k = -T_k' y

with T_k the links, b and l the bounds towards which the duals push. Without costs (c = 0) the same line must not fall
below zero where the block is feasible: a feasibility cut.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.optimize.certificate import dual_terms
from exaplan.optimize.split import Blocks


@dataclass(frozen=True, eq=False)
class Cuts:
    """Lines over master points, one per group; group g owns entries ``start[g]:start[g+1]`` of column and slope."""

    intercept: np.ndarray  # [group]
    start: np.ndarray  # [group + 1]
    column: np.ndarray
    slope: np.ndarray

    def at(self, point: np.ndarray) -> np.ndarray:
        """Value of every line at a master point [group]."""
        owner = np.repeat(np.arange(len(self.intercept)), np.diff(self.start))
        return self.intercept + np.bincount(
            owner, self.slope * point[self.column], minlength=len(self.intercept)
        )


class CutMaker:
    """Turns duals of all blocks into cuts, whole arrays at a time; blocks are grouped in consecutive runs."""

    def __init__(self, blocks: Blocks, groups: int) -> None:
        self._blocks = blocks
        self.group = np.arange(blocks.count) * groups // blocks.count  # [block]
        self.groups = groups
        column_block = np.repeat(np.arange(blocks.count), np.diff(blocks.column_start))
        self._column_block = column_block
        self._row_block = np.repeat(np.arange(blocks.count), np.diff(blocks.row_start))
        entry_column = np.repeat(np.arange(len(blocks.columns)), np.diff(blocks.start))
        self._entry_column = entry_column
        self._entry_row = blocks.index + blocks.row_start[column_block[entry_column]]
        self._pattern = self._slots(self.group, groups)
        self._single = self._slots(np.arange(blocks.count), blocks.count)

    def optimality(self, dual: np.ndarray, feasible: np.ndarray) -> tuple[np.ndarray, Cuts, np.ndarray]:
        """Cuts on the value of every group; the groups with an infeasible block have none.

        Returns cleaned duals [block row], the cuts, and which groups have one.
        """
        clean, term = self._intercepts(dual, self._blocks.cost * feasible[self._column_block])
        cut = self._lines(clean, term, self._pattern, self.group)
        whole = np.bincount(self.group, ~feasible, minlength=self.groups) == 0
        return clean, cut, whole

    def feasibility(self, dual: np.ndarray, feasible: np.ndarray) -> Cuts:
        """Lines that must not fall below zero, one per block; meaningful where the block is infeasible."""
        clean, term = self._intercepts(dual, self._blocks.cost * feasible[self._column_block])
        return self._lines(clean, term, self._single, np.arange(self._blocks.count))

    def _intercepts(self, dual: np.ndarray, cost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Clean duals that push where no bound is, and value rows and columns at their bounds [block]."""
        blocks = self._blocks
        lost = ((dual > 0) & np.isinf(blocks.row_upper)) | ((dual < 0) & np.isinf(blocks.row_lower))
        clean = np.where(lost, 0.0, dual)
        pulled = np.bincount(
            self._entry_column, blocks.value * clean[self._entry_row], minlength=len(blocks.columns)
        )
        rows, _ = dual_terms(clean, blocks.row_lower, blocks.row_upper)
        columns, _ = dual_terms(cost - pulled, blocks.lower, blocks.upper)
        term = np.bincount(self._row_block, rows, minlength=blocks.count)
        term += np.bincount(self._column_block, columns, minlength=blocks.count)
        return clean, term

    def _slots(self, group: np.ndarray, groups: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Pattern of the slopes: start [group + 1], master column, and the slot of every link."""
        links = self._blocks.links
        width = int(links.column.max(initial=0)) + 1
        key = group[self._row_block[links.row]] * width + links.column
        distinct, slot = np.unique(key, return_inverse=True)
        return np.searchsorted(distinct, np.arange(groups + 1) * width), distinct % width, slot

    def _lines(
        self,
        dual: np.ndarray,
        term: np.ndarray,
        pattern: tuple[np.ndarray, np.ndarray, np.ndarray],
        group: np.ndarray,
    ) -> Cuts:
        start, column, slot = pattern
        links = self._blocks.links
        slope = -np.bincount(slot, links.value * dual[links.row], minlength=len(column))
        return Cuts(np.bincount(group, term, minlength=len(start) - 1), start, column, slope)
