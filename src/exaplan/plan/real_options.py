"""Go, wait, never: what each lump is worth by when it may be started, every start chosen by what is known there.

Values are the plan's objective (value less what risk costs), on the tree. ``go`` starts the lump at once, ``wait`` not
before the second quarter, ``never`` not at all; ``best`` may do as it likes. What waiting is worth is the difference of
best and the better of go and never (the option value of Dixit and Pindyck, Investment under Uncertainty, 1994, chapter
2): a now-or-never decision would lose it.

Where a plan is given, each lump is judged with the starts of all others as that plan has them, so that a difference of
two values is the lump's own and not the rounding of two searches; never with the
others free to adapt is searched too, to a coarse gap, and stands beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from exaplan.domain.options import Begin, Delayed, LumpOption
from exaplan.optimize.branching import Brancher, Found
from exaplan.optimize.solution import Basis
from exaplan.plan.formulation import Program
from exaplan.plan.layout import USD
from exaplan.plan.lumps import Lump, lumps_of
from exaplan.plan.lumpy import branching_of

CHUNKS = 2
"""Variants are shared out over this many solvers, whatever the number of workers: the same numbers on every machine."""

NOTHING = 1e-5
"""Share of the plan's value below which a difference is the solver's rounding."""

Map = Callable[[Callable[[list["Variant"]], list[Found]], Iterable[list["Variant"]]], Iterable[list[Found]]]


@dataclass(frozen=True, eq=False)
class Variant:
    """One program under bounds of its own on the starts, absolute column numbers."""

    lower: np.ndarray  # [column] starts that are forced
    barred: np.ndarray  # [column] starts that are forbidden
    gap: float | None = None  # relative gap to stop at; None: as the others


def real_options(
    program: Program,
    *,
    start: Basis | None = None,
    around: np.ndarray | None = None,
    gap: float = 1e-5,
    coarse: float = 5e-3,
    most: int = 200,
    map: Map = map,  # noqa: A002
) -> tuple[LumpOption, ...]:
    """Value every lump: at once, later, never, and not before each quarter of its window.

    ``start`` is a basis of the program; every variant is solved to ``gap`` from the last one's. ``around`` is a plan
    [column] whose other starts are kept; without it they are free. A variant takes at most ``most`` linear programs.
    """
    lumps = lumps_of(program)
    if not lumps:
        return ()
    asked = [
        (lump, what, _held(program, lump, variant, around))
        for lump in lumps
        for what, variant in _variants(program, lump)
    ]
    if around is not None:
        asked += [(lump, "adapted", replace(_never(lump), gap=coarse)) for lump in lumps]
    found = solve_variants(
        program, [variant for _, _, variant in asked], start=start, gap=gap, most=most, map=map
    )
    answers: dict[str, dict[str, Found]] = {lump.id: {} for lump in lumps}
    for (lump, what, _), each in zip(asked, found, strict=True):
        known = answers[lump.id].get(what)
        answers[lump.id][what] = each if known is None or each.value > known.value else known
    return tuple(_option(program, lump, answers[lump.id]) for lump in lumps)


def solve_variants(
    program: Program,
    variants: list[Variant],
    *,
    start: Basis | None = None,
    gap: float = 1e-5,
    most: int = 200,
    map: Map = map,  # noqa: A002
) -> list[Found]:
    """Solve variants of one program, equal ones once, in ``CHUNKS`` chains of warm solves."""
    model = program.model
    if model.integer is None:
        raise ValueError("real options: the program has no lumps")
    whole = np.flatnonzero(model.integer)
    place = np.full(model.column_count, -1)
    place[whole] = np.arange(len(whole))
    keys = [
        (np.unique(each.lower).tobytes(), np.unique(each.barred).tobytes(), each.gap) for each in variants
    ]
    distinct = dict(zip(keys, variants, strict=True))

    guides, weight = branching_of(program)

    def solved(chunk: list[Variant]) -> list[Found]:
        brancher, answers = Brancher(model, start=start, guides=guides, weight=weight), []
        for each in chunk:
            lower, upper = model.lower[whole].copy(), model.upper[whole].copy()
            upper[place[each.barred]] = 0.0
            lower[place[each.lower]] = 1.0
            stop = gap if each.gap is None else each.gap
            answers.append(brancher.best(lower=lower, upper=upper, gap=stop, most=most))
        return answers

    order = list(distinct)
    chunks = [[distinct[key] for key in order[first::CHUNKS]] for first in range(CHUNKS)]
    results: dict[tuple[bytes, bytes, float | None], Found] = {}
    for first, answers in enumerate(map(solved, [chunk for chunk in chunks if chunk])):
        results |= dict(zip(order[first::CHUNKS], answers, strict=True))
    return [results[key] for key in keys]


def _variants(program: Program, lump: Lump) -> Iterable[tuple[str, Variant]]:
    """Yield the variants of one lump: best, never, at once in each way, and not before each quarter of its window."""
    none = np.zeros(0, dtype=int)
    model, quarter = program.model, program.inputs.quarter[lump.node]
    open_ = model.upper[lump.columns] > 0
    yield "best", Variant(none, lump.rivals)
    yield "never", _never(lump)
    for way in np.unique(lump.way):
        now = lump.columns[(quarter == 0) & (lump.way == way) & open_]
        if len(now):
            yield "go", Variant(now, lump.rivals)
    for first in range(1, int(quarter[open_].max(initial=0)) + 1):
        early = lump.columns[(quarter < first) & open_]
        yield f"from {first}", Variant(none, np.concatenate([lump.rivals, early]))


def _never(lump: Lump) -> Variant:
    return Variant(np.zeros(0, dtype=int), np.concatenate([lump.rivals, lump.columns]))


def _held(program: Program, lump: Lump, variant: Variant, around: np.ndarray | None) -> Variant:
    """Keep the starts of all other lumps as a plan has them."""
    if around is None or program.model.integer is None:
        return variant
    others = np.setdiff1d(np.flatnonzero(program.model.integer), np.concatenate([lump.columns, lump.rivals]))
    made = np.round(around[others]) > 0
    return Variant(
        np.concatenate([variant.lower, others[made]]), np.concatenate([variant.barred, others[~made]])
    )


def _option(program: Program, lump: Lump, answers: dict[str, Found]) -> LumpOption:
    first = program.inputs.lab.horizon.first
    never = answers["never"].value
    # What may begin later may also begin never, and what may begin sooner may begin later: a search that was cut short
    # knows no less than the ones after it.
    ahead, later = never, dict[int, float]()
    for what in sorted((what for what in answers if what.startswith("from ")), key=_first_of, reverse=True):
        ahead = later[_first_of(what)] = max(ahead, answers[what].value)
    plan = max(
        (each for what, each in answers.items() if what not in ("never", "adapted")),
        key=lambda each: each.value,
    )
    best = max(plan.value, never)
    worthwhile = [
        quarter
        for quarter, value in {0: best, **later}.items()
        if value - never > NOTHING * max(1.0, abs(never))
    ]
    return LumpOption(
        lump=lump.id,
        go_usd=answers["go"].value * USD if "go" in answers else None,
        wait_usd=later[1] * USD if 1 in later else None,
        never_usd=never * USD,
        best_usd=best * USD,
        gap=max(each.gap for what, each in answers.items() if what != "adapted"),
        begins=_begins(program, lump, plan.solution.x) if plan.value > never else (),
        by_quarter=tuple(
            Delayed(str(first + quarter), value * USD, (value - never) * USD)
            for quarter, value in sorted({0: best, **later}.items())
        ),
        adapted_usd=max(never, answers["adapted"].value) * USD if "adapted" in answers else None,
        latest=str(first + max(worthwhile)) if worthwhile else None,
    )


def _first_of(what: str) -> int:
    """Read the quarter of a variant called ``from q``."""
    return int(what.split()[1])


def _begins(program: Program, lump: Lump, x: np.ndarray) -> tuple[Begin, ...]:
    """Quarters in which a plan starts a lump, with their probability."""
    inputs = program.inputs
    started = np.round(x[lump.columns]) > 0
    quarter = inputs.quarter[lump.node[started]]
    chance = np.bincount(quarter, inputs.probability[lump.node[started]], minlength=inputs.quarters)
    return tuple(
        Begin(str(inputs.lab.horizon.first + int(q)), float(chance[q])) for q in np.flatnonzero(chance > 0)
    )
