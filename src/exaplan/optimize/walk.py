"""Walk many linear programs at once from the optimum of one to their own: the parametric self-dual simplex, in batch.

At mu = 1 stands a program of which the start basis is optimal, at mu = 0 the program asked for; in between bounds and
costs are mixed. As mu falls, either a basic variable reaches a bound and leaves (a dual pivot) or a nonbasic one
begins to pay and enters (a primal pivot, or a jump to its other bound). Every program takes its own pivots, all
programs take them in the same array operations. Method: Dantzig (1963), Linear Programming and Extensions, section
11-3; Vanderbei, Linear Programming, chapter 7, doi 10.1007/978-1-4614-7630-6.

Columns of a tableau are signed: entry (i, j) is by how much basic variable i falls when nonbasic variable j moves one unit
off its bound. The tableau of a path is that of its start less one outer product for each pivot (:class:`Trail`).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

LEAST_PIVOT = 1e-6
"""A smaller pivot is not taken: the program is left to the solver."""

NO_ENTRY = 1e-9
"""Entries of a tableau below this count as zero."""

AGREE = 1e-8
"""How far the two readings of a pivot, from its row and from its column, may be apart, relative."""

REPACK = 0.75
"""Share of programs still on the way below which the arrays are packed anew."""

TOO_FEW = 6
"""When no more programs are on the way, they are left to the solver: array operations pay for many."""

PAIRS = ("value", "low", "high", "width", "loss")
LOW, HIGH, LOSS = 0, 1, 2


@dataclass
class Walkers:
    """Programs on the way. Pairs [2, path, ...] hold the program asked for (mu = 0) and the start's (mu = 1)."""

    number: np.ndarray  # [path] which program of the caller
    start: np.ndarray  # [path] which tableau it began at
    basic: np.ndarray  # [path, row] variable
    nonbasic: np.ndarray  # [path, column] variable
    side: np.ndarray  # [path, column] +1 at the lower bound, -1 at the upper
    free: np.ndarray  # [path, column] nonbasic without any bound
    able: np.ndarray  # [path, column] nonbasic that may enter for a gain: neither fixed nor free
    value: np.ndarray  # pair [row] basic variable, counted from anywhere its bounds are too
    low: np.ndarray  # pair [row] its lower bound, counted from there
    high: np.ndarray  # pair [row] its upper bound, counted from there
    floor: np.ndarray  # [path, row] lower bound asked for, less what may be missed
    ceiling: np.ndarray  # [path, row] upper bound asked for, and what may be missed
    width: np.ndarray  # pair [column] between the bounds of a nonbasic variable
    loss: (
        np.ndarray
    )  # pair [column] of the objective per unit by which a nonbasic variable moves off its bound
    slack: np.ndarray  # [path] by how much a basic variable may miss a bound
    tied: np.ndarray  # [path] by how much a loss may be a gain

    def held(self, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
        """Values of all variables [path, variable], given the bounds asked for [path, variable]."""
        made = np.empty_like(lower)
        low, high = (np.take_along_axis(each, self.nonbasic, axis=1) for each in (lower, upper))
        np.put_along_axis(made, self.nonbasic, at_bound(self.side, low, high), axis=1)
        low, high = (np.take_along_axis(each, self.basic, axis=1) for each in (lower, upper))
        with np.errstate(invalid="ignore"):
            below = np.where(np.isfinite(high), high - self.high[0], 0.0)
            shift = np.where(np.isfinite(low), low - self.low[0], below)
        np.put_along_axis(made, self.basic, self.value[0] + shift, axis=1)
        return made

    def gain(self) -> np.ndarray:
        """Gain of the objective per unit of each variable [path, variable], zero where basic."""
        made = np.zeros((len(self.number), self.basic.shape[1] + self.nonbasic.shape[1]))
        np.put_along_axis(made, self.nonbasic, -self.side * self.loss[0], axis=1)
        return made

    def place(self) -> np.ndarray:
        """Where variables stand [path, variable]: 0 basic, +1 at the lower bound or free, -1 at the upper."""
        made = np.zeros((len(self.number), self.basic.shape[1] + self.nonbasic.shape[1]), dtype=np.int8)
        np.put_along_axis(made, self.nonbasic, self.side.astype(np.int8), axis=1)
        return made

    def taken(self, which: np.ndarray) -> Walkers:
        """Copy some programs."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        return Walkers(**{k: np.take(v, which, axis=int(k in PAIRS)) for k, v in found.items()})


def at_bound(side: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Value of a nonbasic variable: its bound on that side, zero where it has none."""
    bound = np.where(side > 0, low, high)
    return np.where(np.isfinite(bound), bound, 0.0)


class Trail:
    """Tableaus of programs: those of their starts less the pivots taken since."""

    def __init__(self, entries: np.ndarray, start: np.ndarray) -> None:
        rows, columns = entries.shape[1:]
        self.entries = entries
        self.start, self.count = start, 0
        self.tall, self.wide = np.empty((len(start), 8, rows)), np.empty((len(start), 8, columns))

    def pack(self, keep: np.ndarray) -> None:
        """Keep some programs only."""
        self.start = self.start[keep]
        self.tall, self.wide = self.tall[keep, : self.count], self.wide[keep, : self.count]

    def row(self, path: np.ndarray, row: np.ndarray, side: np.ndarray) -> np.ndarray:
        """One row of each tableau [path, column]."""
        made = self.entries[self.start[path], row]
        made *= side
        if self.count:
            made -= np.matmul(self.tall[path, : self.count, row][:, None], self._part(self.wide, path))[:, 0]
        return np.asarray(made)

    def column(self, path: np.ndarray, column: np.ndarray, side: np.ndarray) -> np.ndarray:
        """One column of each tableau [path, row]."""
        made = self.entries[self.start[path], :, column]
        made *= side[:, None]
        if self.count:
            made -= np.matmul(self.wide[path, : self.count, column][:, None], self._part(self.tall, path))[
                :, 0
            ]
        return np.asarray(made)

    def _part(self, array: np.ndarray, path: np.ndarray) -> np.ndarray:
        return array[:, : self.count] if len(path) == len(array) else array[path, : self.count]

    def turn(self, path: np.ndarray, column: np.ndarray, sign: np.ndarray) -> None:
        """Sign columns anew."""
        self.wide[path, : self.count, column] *= sign[:, None]

    def add(self, tall: np.ndarray, wide: np.ndarray) -> None:
        """Record a pivot of each program; zeros leave a tableau as it is."""
        if self.count == self.tall.shape[1]:
            for name in ("tall", "wide"):
                old = getattr(self, name)
                new = np.empty((len(old), 2 * max(2, self.count), old.shape[2]))
                new[:, : self.count] = old[:, : self.count]
                setattr(self, name, new)
        self.tall[:, self.count], self.wide[:, self.count] = tall, wide
        self.count += 1


@dataclass
class _Step:
    """What the programs that are on the way do next."""

    path: np.ndarray  # which they are
    mu: np.ndarray
    row: np.ndarray  # where a basic variable leaves
    column: np.ndarray  # where a nonbasic one enters
    leave: np.ndarray  # +1 leaves at its lower bound, -1 at its upper
    across: np.ndarray  # [path, column] row of the tableau
    down: np.ndarray  # [path, row] column of the tableau
    lost: np.ndarray  # no step can be taken
    jump: np.ndarray  # to the other bound, no pivot


def walk(walkers: Walkers, entries: np.ndarray, *, most: int) -> list[Walkers]:
    """Walk every program to its optimum, in at most ``most`` steps.

    ``entries`` [start, row, column] are the tableaus of the starts, not signed. Returns those that have arrived, in
    portions. Changes ``walkers``.
    """
    arrived = []
    trail = Trail(entries, walkers.start)
    on, mu = np.ones(len(walkers.start), dtype=bool), np.ones(len(walkers.start))
    home = ~on  # arrived, and not yet taken out
    for taken in range(most + 1):
        path, crossing, kind, place = _next(walkers, on)
        here = on.copy()
        here[path] = False
        home |= here
        on &= ~here
        if len(path) <= TOO_FEW or taken == most:
            break
        if len(path) < REPACK * len(on):
            arrived.append(walkers.taken(np.flatnonzero(home)))
            walkers, mu, on = walkers.taken(path), mu[path], on[path]
            trail.pack(path)
            path, home = np.arange(len(on)), ~on
        mu[path] = np.minimum(mu[path], crossing)
        step = _step(walkers, trail, (path, mu[path], kind, place))
        on[path[step.lost]] = False
        _take(walkers, trail, step)
    arrived.append(walkers.taken(np.flatnonzero(home)))
    return [part for part in arrived if len(part.number)]


def _next(walkers: Walkers, on: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Find what happens next to each program ``on`` the way that has not arrived: path, mu, kind of the event and its place.

    Only what is wrong in the program asked for can happen at all.
    """
    loss, rows, columns = walkers.loss, walkers.basic.shape[1], walkers.nonbasic.shape[1]
    found = []
    for kind, wrong, bound in (
        (LOW, walkers.value[0] < walkers.floor, walkers.low), (HIGH, walkers.value[0] > walkers.ceiling, walkers.high),
    ):  # fmt: skip
        at = np.flatnonzero(wrong)
        sign = 1.0 if kind == LOW else -1.0
        ask, start = (sign * (walkers.value[part].ravel()[at] - bound[part].ravel()[at]) for part in (0, 1))
        found.append((at // rows, at % rows, ask, start, np.full(len(at), kind)))
    at = np.flatnonzero((loss[0] < -walkers.tied[:, None]) & walkers.able)
    found.append(
        (at // columns, at % columns, loss[0].ravel()[at], loss[1].ravel()[at], np.full(len(at), LOSS))
    )
    if walkers.free.any():
        path, place = np.nonzero(walkers.free & (np.abs(loss[0]) > walkers.tied[:, None]))
        found.append((path, place, -np.ones(len(path)), np.zeros(len(path)), np.full(len(path), LOSS)))
    path, place, ask, start, kinds = (np.concatenate(each) for each in zip(*found, strict=True))
    mu = ask / (ask - np.maximum(start, 0.0))
    order = np.lexsort((mu, path))
    last = order[np.flatnonzero(np.diff(path[order], append=-1))]
    last = last[on[path[last]]]
    return path[last], mu[last], kinds[last], place[last]


def _mixed(pair: np.ndarray, mu: np.ndarray) -> np.ndarray:
    """Mix the two programs at mu; both are finite or infinite together."""
    with np.errstate(invalid="ignore"):
        made = pair[1] - pair[0]
        made *= mu
        made += pair[0]
    return np.asarray(np.where(np.isfinite(pair[0]), made, pair[0]))


def _step(walkers: Walkers, trail: Trail, event: tuple[np.ndarray, ...]) -> _Step:
    """Choose what enters where something leaves, and what leaves where something enters."""
    path, mu, kind, place = event
    count, (rows, columns) = len(path), trail.entries.shape[1:]
    step = _Step(
        path, mu, place.copy(), place.copy(), np.where(kind == HIGH, -1.0, 1.0), np.zeros((count, columns)),
        np.zeros((count, rows)), np.zeros(count, dtype=bool), np.zeros(count, dtype=bool),
    )  # fmt: skip
    leaving, entering = np.flatnonzero(kind != LOSS), np.flatnonzero(kind == LOSS)
    if len(leaving):
        at = path[leaving]
        step.across[leaving] = trail.row(at, place[leaving], walkers.side[at])
        _choose_entering(walkers, step, leaving)
        column = step.column[leaving]
        step.down[leaving] = trail.column(at, column, walkers.side[at, column])
    if len(entering):
        at = path[entering]
        step.down[entering] = trail.column(at, place[entering], walkers.side[at, place[entering]])
        _choose_leaving(walkers, step, entering)
        pivoting = entering[~step.jump[entering] & ~step.lost[entering]]
        at = path[pivoting]
        step.across[pivoting] = trail.row(at, step.row[pivoting], walkers.side[at])
    own = np.arange(count)
    pivot, again = step.across[own, step.column], step.down[own, step.row]
    unsafe = (np.abs(pivot) < LEAST_PIVOT) | (np.abs(pivot - again) > AGREE * (1 + np.abs(pivot)))
    step.lost |= unsafe & ~step.jump
    return step


def _choose_entering(walkers: Walkers, step: _Step, own: np.ndarray) -> None:
    """Find the nonbasic variable whose loss reaches zero first as one leaves (the dual ratio test)."""
    path, across = step.path[own], step.across[own]
    size = across * -step.leave[own, None]
    loss = walkers.loss[1, path]
    loss -= walkers.loss[0, path]
    loss *= step.mu[own, None]
    loss += walkers.loss[0, path]
    np.maximum(loss, 0.0, out=loss)
    free = walkers.free[path]
    if free.any():
        size = np.where(free, np.abs(across), size)
        loss[free] = 0.0
    may = size > NO_ENTRY
    may &= walkers.able[path] | free
    ratio = np.full(size.shape, np.inf)
    np.divide(loss, size, out=ratio, where=may)
    step.column[own], least = _least(ratio, size)
    step.lost[own] = ~np.isfinite(least)


def _choose_leaving(walkers: Walkers, step: _Step, own: np.ndarray) -> None:
    """Find the basic variable that reaches a bound first as one enters (the primal ratio test)."""
    path, column, mu = step.path[own], step.column[own], step.mu[own]
    free = walkers.free[path, column]
    way = np.where(free & (walkers.loss[0, path, column] > 0), -1.0, 1.0)
    fall = step.down[own] * way[:, None]
    falls = fall > 0
    value, low, high = (
        _mixed(np.take(pair, path, axis=1), mu[:, None])
        for pair in (walkers.value, walkers.low, walkers.high)
    )
    room = np.where(falls, value - low, high - value)
    size = np.abs(fall)
    ratio = np.full(size.shape, np.inf)
    np.divide(np.maximum(room, 0.0), size, out=ratio, where=size > NO_ENTRY)
    row, least = _least(ratio, size)
    width = _mixed(walkers.width[:, path, column], mu)
    jump = (width <= least) & np.isfinite(width) & ~free
    step.row[own], step.jump[own], step.lost[own] = row, jump, ~np.isfinite(least) & ~jump
    step.leave[own] = np.where(falls[np.arange(len(row)), row], 1.0, -1.0)


def _least(ratio: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the place of the least ratio, the largest size among equals, and the ratio [path]."""
    least = ratio.min(axis=1)
    return np.where(ratio <= (least * (1 + NO_ENTRY))[:, None], size, -1.0).argmax(axis=1), least


def _take(walkers: Walkers, trail: Trail, step: _Step) -> None:
    """Jump and pivot; programs that take no step stay as they are."""
    jump, pivot = np.flatnonzero(step.jump & ~step.lost), np.flatnonzero(~step.jump & ~step.lost)
    count, (rows, columns) = len(walkers.number), trail.entries.shape[1:]
    path, column = step.path[jump], step.column[jump]
    move = np.zeros((2, len(step.path)))  # by how much the entering variable moves off its bound
    move[:, jump] = walkers.width[:, path, column]
    walkers.side[path, column] *= -1
    walkers.loss[:, path, column] *= -1
    trail.turn(path, column, np.full(len(path), -1.0))
    path, row, column, leave = step.path[pivot], step.row[pivot], step.column[pivot], step.leave[pivot]
    size = step.across[pivot, column]
    bound = np.where(leave > 0, walkers.low[:, path, row], walkers.high[:, path, row])
    move[:, pivot] = (walkers.value[:, path, row] - bound) / size
    full = len(step.path) == count and not step.lost.any()
    down = step.down if full else np.zeros((count, rows))
    if not full:
        down[step.path[~step.lost]] = step.down[~step.lost]
    moved = np.zeros((2, count))
    moved[:, step.path] = move
    for part in (0, 1):
        walkers.value[part] -= down * moved[part][:, None]
    if not len(pivot):
        return
    wide = step.across if full and not len(jump) else np.zeros((count, columns))
    if wide is not step.across:
        wide[path] = step.across[pivot]
    wide[path] /= size[:, None]
    side = walkers.side[path, column]
    for part in (0, 1):
        turned = np.zeros(count)
        turned[path] = walkers.loss[part, path, column]
        walkers.loss[part] -= turned[:, None] * wide
        walkers.loss[part, path, column] = -leave * turned[path] / size
    if len(jump):
        down = down.copy()
        down[step.path[jump]] = 0.0
    down[path, row] = size - side
    wide[path, column] = leave * (side + 1 / size)
    trail.turn(path, column, side * leave)
    trail.add(down, wide)
    _swap(walkers, (path, row, column, leave), move[:, pivot])


def _swap(walkers: Walkers, at: tuple[np.ndarray, ...], move: np.ndarray) -> None:
    """Exchange a basic and a nonbasic variable of each path."""
    path, row, column, leave = at
    side, free = walkers.side[path, column], walkers.free[path, column]
    width = walkers.width[:, path, column]
    walkers.width[:, path, column] = walkers.high[:, path, row] - walkers.low[:, path, row]
    walkers.able[path, column] = walkers.width[0, path, column] > 0
    walkers.value[:, path, row] = side * move
    walkers.low[:, path, row] = np.where(free, -np.inf, np.where(side > 0, 0.0, -width))
    walkers.high[:, path, row] = np.where(free, np.inf, np.where(side > 0, width, 0.0))
    walkers.floor[path, row] = walkers.low[0, path, row] - walkers.slack[path]
    walkers.ceiling[path, row] = walkers.high[0, path, row] + walkers.slack[path]
    walkers.side[path, column], walkers.free[path, column] = leave, False
    walkers.basic[path, row], walkers.nonbasic[path, column] = (
        walkers.nonbasic[path, column],
        walkers.basic[path, row],
    )
