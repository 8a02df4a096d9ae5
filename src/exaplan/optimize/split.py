"""Cut a staged program in two: a master before the cut, one block per subtree after it.

The master holds the columns decided before the cut; a block holds the columns of one subtree and the rows that touch
them. A *coupling row* touches several blocks. It stays in the master, where an *allocation* column v[row, block] stands
for what each block uses of it:

    master   sum a x_0 + sum_k v_k within the row's bounds
    block k  sum a x_k <= v_k  (>= where the row has a lower limit only, = where it has both)

so that a block depends on the rest through master columns alone. All arrays are for maximising: a program that
minimises has its costs turned round.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from exaplan.optimize.model import Model
from exaplan.optimize.stages import Staged


class Entries(NamedTuple):
    """Matrix entries as triplets."""

    row: np.ndarray
    column: np.ndarray
    value: np.ndarray

    def take(self, which: np.ndarray) -> Entries:
        """Select and order entries."""
        return Entries(self.row[which], self.column[which], self.value[which])


class Coupling(NamedTuple):
    """Parts of coupling rows: one per (row, block) that meet, in ascending order."""

    row: np.ndarray  # [part] row of the model
    block: np.ndarray  # [part]
    lower: np.ndarray  # [part] least that the block can use of the row, by the bounds of its columns
    upper: np.ndarray  # [part]


@dataclass(frozen=True, eq=False)
class Blocks:
    """All blocks side by side, in block order; block k owns a slice of the columns and of the rows.

    ``index`` counts rows from the first row of the block. Rows are numbered as in the model, parts of coupling rows
    after them. Links are the entries of block rows in master columns.
    """

    columns: np.ndarray  # [block column] number in the model
    column_start: np.ndarray  # [block + 1]
    rows: np.ndarray  # [block row] number in the model, or rows of the model + number of the part
    row_start: np.ndarray  # [block + 1]
    cost: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    row_lower: np.ndarray
    row_upper: np.ndarray
    start: np.ndarray  # [block column + 1]
    index: np.ndarray
    value: np.ndarray
    links: Entries  # block row (position), master column (position), value; in order of rows

    @property
    def count(self) -> int:
        """Number of blocks."""
        return len(self.row_start) - 1

    def model(self, block: int) -> Model:
        """Return one block alone, its links left out."""
        c = slice(self.column_start[block], self.column_start[block + 1])
        r = slice(self.row_start[block], self.row_start[block + 1])
        start = self.start[c.start : c.stop + 1]
        e = slice(start[0], start[-1])
        return Model(
            cost=self.cost[c], lower=self.lower[c], upper=self.upper[c],
            row_lower=self.row_lower[r], row_upper=self.row_upper[r],
            start=(start - start[0]).astype(np.int32), index=self.index[e].astype(np.int32),
            value=self.value[e], sense="max", columns={}, rows={},
        )  # fmt: skip

    def shapes(self) -> list[tuple[int, int]]:
        """Numbers of columns and rows of every block: blocks of one shape may share a basis."""
        return list(zip(np.diff(self.column_start).tolist(), np.diff(self.row_start).tolist(), strict=True))


@dataclass(frozen=True, eq=False)
class Split:
    """A staged program in two parts."""

    staged: Staged
    tau: int
    master: Model  # columns: those of the model before the cut, then allocations; rows: those without a block
    columns: np.ndarray  # [master column without allocations] number in the model
    rows: np.ndarray  # [master row] number in the model
    coupling: Coupling
    blocks: Blocks

    @property
    def sign(self) -> float:
        """1 where the model maximises, -1 where it minimises."""
        return 1.0 if self.staged.model.sense == "max" else -1.0

    def joined_x(self, first: np.ndarray, later: np.ndarray) -> np.ndarray:
        """Put values of master and block columns together in the model's order."""
        x = np.empty(self.staged.model.column_count)
        x[self.columns] = first[: len(self.columns)]
        x[self.blocks.columns] = later
        return x

    def joined_duals(self, first: np.ndarray, later: np.ndarray) -> np.ndarray:
        """Put duals of master and block rows together in the model's order; parts of coupling rows are left out."""
        rows = self.staged.model.row_count
        y = np.empty(rows + len(self.coupling.row))
        y[self.rows] = first
        y[self.blocks.rows] = later
        return y[:rows] * self.sign

    def allocations(self, x: np.ndarray) -> np.ndarray:
        """Work out what each block uses of the coupling rows at a point ``x`` [column] of the model."""
        model, count = self.staged.model, self.blocks.count
        block = self.staged.blocks_at(self.tau)[self.staged.column_node][model.entry_column]
        rank = np.full(model.row_count, -1)
        rank[self.coupling.row] = 0
        used = (block >= 0) & (rank[model.index] >= 0)
        key = model.index[used].astype(np.int64) * count + block[used]
        part = np.searchsorted(self.coupling.row.astype(np.int64) * count + self.coupling.block, key)
        return np.bincount(
            part, model.value[used] * x[model.entry_column[used]], minlength=len(self.coupling.row)
        )


def split_at(staged: Staged, tau: int) -> Split:
    """Cut a staged program before depth ``tau``.

    Raises
    ------
    ValueError
        If no node has that depth, the cut leaves nothing before it, or an integer column lies in a block.
    """
    model = staged.model
    if not 1 <= tau <= int(staged.depth.max()):
        raise ValueError(f"split: depth {tau} is outside 1..{int(staged.depth.max())}")
    column_block = staged.blocks_at(tau)[staged.column_node]
    refuse_integers(model, column_block)
    blocks = int(staged.nodes_at[tau])
    entries = Entries(model.index.astype(np.int64), model.entry_column, model.value)
    row_block, coupled = blocks_of_rows(entries, column_block, model.row_count)
    entries, coupling = divided(staged, entries, column_block, coupled)
    parts = len(coupling.row)
    column_block = np.append(column_block, np.full(parts, -1))
    row_block = np.append(row_block, coupling.block)
    columns, rows = np.flatnonzero(column_block < 0), np.flatnonzero(row_block < 0)
    place = np.full(len(column_block), -1)
    place[columns] = np.arange(len(columns))
    sign = 1.0 if model.sense == "max" else -1.0
    in_master = entries.take(np.flatnonzero(row_block[entries.row] < 0))
    own = columns[: len(columns) - parts]
    start, index, value = by_column(in_master, place, rank_of(rows, len(row_block)), len(columns))
    master = Model(
        cost=np.append(sign * model.cost[own], np.zeros(parts)),
        lower=np.append(model.lower[own], coupling.lower), upper=np.append(model.upper[own], coupling.upper),
        row_lower=model.row_lower[rows], row_upper=model.row_upper[rows],
        start=start, index=index, value=value, sense="max", columns={}, rows={},
        integer=None if model.integer is None else np.append(model.integer[own], np.zeros(parts, bool)),
        offset=sign * model.offset,
    )  # fmt: skip
    later = make_blocks(model, entries, (column_block, row_block, place), coupling, blocks)
    return Split(staged, tau, master, own, rows, coupling, later)


def refuse_integers(model: Model, column_block: np.ndarray) -> None:
    """Refuse integer columns after the cut."""
    if model.integer is None:
        return
    late = model.integer & (column_block >= 0)
    if late.any():
        at = int(np.argmax(late))
        name = next(v.label(at) for v in model.columns.values() if v.start <= at < v.stop)
        raise ValueError(
            f"split: {int(late.sum())} integer columns lie after the cut, {name} first; "
            "cut later or solve the extensive form"
        )


def blocks_of_rows(entries: Entries, column_block: np.ndarray, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Block of every row, -1 for the master's, and whether it touches more than one: two arrays [row]."""
    block = column_block[entries.column]
    late = block >= 0
    low, high = np.full(rows, len(column_block)), np.full(rows, -1)
    np.minimum.at(low, entries.row[late], block[late])
    np.maximum.at(high, entries.row[late], block[late])
    coupled = (high >= 0) & (low < high)
    return np.where(coupled, -1, high), coupled


def divided(
    staged: Staged, entries: Entries, column_block: np.ndarray, coupled: np.ndarray
) -> tuple[Entries, Coupling]:
    """Divide coupling rows among the blocks that they touch."""
    model, count = staged.model, int(column_block.max()) + 1
    block = column_block[entries.column]
    used = np.flatnonzero((block >= 0) & coupled[entries.row])
    key, part = np.unique(entries.row[used] * count + block[used], return_inverse=True)
    row, parts = key // count, len(key)
    value, column = entries.value[used], entries.column[used]
    ends = value * model.lower[column], value * model.upper[column]
    least = np.bincount(part, np.minimum(*ends), minlength=parts)
    most = np.bincount(part, np.maximum(*ends), minlength=parts)
    new_row = entries.row.copy()
    new_row[used] = model.row_count + part
    fresh = np.arange(parts)
    joined = Entries(
        np.concatenate([new_row, row, model.row_count + fresh]),
        np.concatenate([entries.column, model.column_count + fresh, model.column_count + fresh]),
        np.concatenate([entries.value, np.ones(parts), -np.ones(parts)]),
    )
    return joined, Coupling(row, key % count, least, most)


def rank_of(numbers: np.ndarray, size: int) -> np.ndarray:
    """Return the inverse of a selection: position of every number in ``numbers``, -1 where it is not there."""
    rank = np.full(size, -1)
    rank[numbers] = np.arange(len(numbers))
    return rank


def by_column(
    entries: Entries, column_rank: np.ndarray, row_rank: np.ndarray, columns: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compress triplets by column: start, index, value."""
    column, row = column_rank[entries.column], row_rank[entries.row]
    order = np.lexsort((row, column))
    start = np.zeros(columns + 1, np.int64)
    np.cumsum(np.bincount(column, minlength=columns), out=start[1:])
    return start.astype(np.int32), row[order].astype(np.int32), entries.value[order]


def make_blocks(
    model: Model,
    entries: Entries,
    homes: tuple[np.ndarray, np.ndarray, np.ndarray],
    coupling: Coupling,
    count: int,
) -> Blocks:
    """Gather the blocks; ``homes`` are block of column, block of row and place of a column in the master."""
    column_block, row_block, place = homes
    columns, column_start = in_block_order(column_block, count)
    rows, row_start = in_block_order(row_block, count)
    row_rank = rank_of(rows, len(row_block))
    late = np.flatnonzero(row_block[entries.row] >= 0)
    is_link = place[entries.column[late]] >= 0
    inner, link = entries.take(late[~is_link]), entries.take(late[is_link])
    column_rank = rank_of(columns, len(column_block))
    start, index, value = by_column(inner, column_rank, row_rank, len(columns))
    first_row = row_start[row_block[rows]]
    order = np.lexsort((place[link.column], row_rank[link.row]))
    links = Entries(row_rank[link.row][order], place[link.column][order], link.value[order])
    has_lower, has_upper = (
        np.isfinite(model.row_lower[coupling.row]),
        np.isfinite(model.row_upper[coupling.row]),
    )
    row_lower = np.append(model.row_lower, np.where(has_lower, 0.0, -np.inf))
    row_upper = np.append(model.row_upper, np.where(has_upper, 0.0, np.inf))
    sign = 1.0 if model.sense == "max" else -1.0
    return Blocks(
        columns=columns, column_start=column_start, rows=rows, row_start=row_start,
        cost=sign * model.cost[columns], lower=model.lower[columns], upper=model.upper[columns],
        row_lower=row_lower[rows], row_upper=row_upper[rows],
        start=start, index=(index - first_row[index]).astype(np.int32), value=value, links=links,
    )  # fmt: skip


def in_block_order(block: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Sort what belongs to blocks by block, and say where each block begins: numbers, start [block + 1]."""
    order = np.argsort(block, kind="stable")
    order = order[np.searchsorted(block[order], 0) :]
    start = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(block[order], minlength=count), out=start[1:])
    return order, start
