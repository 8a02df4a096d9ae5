"""Compared plans in a terminal, as one object for ``--json``, and as tidy rows."""

from __future__ import annotations

import csv
import io
import math
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from exaplan.domain.explored import Asked, Caution, Frontier, Point, Raises, Sweep, WhatIf
from exaplan.report.aligned import aligned
from exaplan.report.raises import late_raises, raise_sentences, raises_body
from exaplan.report.wording import (
    count,
    money_interval,
    percent,
    plural,
    quantity,
    share_interval,
    usd,
)

if TYPE_CHECKING:
    import polars as pl

Explored = WhatIf | Sweep | Frontier | Raises
SCHEMA_VERSION = 1
MOST_OFFERS = 3
_ASCII = str.maketrans({"·": "-", "−": "-", "–": "-", "…": "...", "×": "x", "≤": "<="})


def explored_text(
    found: Explored, *, width: int = 100, ascii_only: bool = False, run_folder: str | None = None
) -> str:
    """Say a comparison in plain text: the answer first, then the table, then how it was made."""
    head = [_headline(found.asked), *sentences_of(found)]
    if isinstance(found, WhatIf):
        body = _whatif(found)
    elif isinstance(found, Raises):
        body = raises_body(found)
    else:
        body = _sweep(found) if isinstance(found, Sweep) else _frontier(found)
    body = ["", *body, "", f"  Time   {found.asked.seconds:.1f} s"]
    if run_folder is not None:
        body.append(f"  Files  {run_folder}/ report.html · chart.png · table.csv · run.json")
    if ascii_only:
        head, body = ([_in_ascii(line) for line in lines] for lines in (head, body))
    wrapped = [part for line in head for part in textwrap.wrap(line, width, subsequent_indent="   ")]
    end = "..." if ascii_only else "…"
    return "\n".join(
        [*wrapped, *(line if len(line) <= width else line[: width - len(end)] + end for line in body)]
    )


def _in_ascii(line: str) -> str:
    return line.translate(_ASCII).encode("ascii", "replace").decode("ascii")


def sentences_of(found: Explored) -> list[str]:
    """Say the finding."""
    if isinstance(found, WhatIf):
        return whatif_sentences(found)
    if isinstance(found, Raises):
        return raise_sentences(found)
    return [sweep_sentence(found) if isinstance(found, Sweep) else frontier_sentence(found)]


def _headline(asked: Asked) -> str:
    within = (
        ""
        if asked.ruin_within_quarters is None
        else f" within {plural(asked.ruin_within_quarters, 'quarter')}"
    )
    return (
        f"{asked.lab} · {asked.lab_file} · {plural(asked.paths, 'unseen future')}, the same for every plan, seed "
        f"{asked.seed} · P(ruin){within}"
    )


def letters(cases: Sequence[Point]) -> list[str]:
    """Name the cases A, B, C … for narrow columns.

    Examples
    --------
    >>> letters([])
    []
    """
    return [chr(ord("A") + number % 26) * (1 + number // 26) for number in range(len(cases))]


def whatif_sentences(found: WhatIf) -> list[str]:
    """Say of each case what it is worth, and whether the futures tell it from the plan as given."""
    told = []
    for name, case in zip(letters(found.cases), found.cases, strict=True):
        low, high = case.gain_ci or (math.nan, math.nan)
        clear = "" if low > 0 or high < 0 else ", not clearly different"
        told.append(
            f"{name}  {case.name}: {usd(case.gain, signed=True)} of value "
            f"({money_interval((low, high), signed=True)}{clear}), P(ruin) {percent(case.p_ruin)} instead of "
            f"{percent(found.base.p_ruin)}"
        )
    return told


def _whatif(found: WhatIf) -> list[str]:
    points = [found.base, *found.cases]
    heads = ["as given", *letters(found.cases)]
    rows: list[list[str]] = [
        ["Value", *(usd(point.value) for point in points)],
        ["  95 % of the mean", *(money_interval(point.value_ci) for point in points)],
        ["P(ruin)", *(percent(point.p_ruin) for point in points)],
        ["  95 %", *(share_interval(point.p_ruin_ci) for point in points)],
        ["Served", *(percent(point.served_share) for point in points)],
    ]
    if found.base.lead is not None:
        rows.append(["Capability at the end", *(count(point.lead) for point in points)])
    rows += [
        [f"Signs now {offer}", *(count(round(chips_of(point, offer))) for point in points)]
        for offer in offers_signed(points)
    ]
    labels = [figure.label for figure in found.base.figures]
    rows += [[label, *(_figure(point, place) for point in points)] for place, label in enumerate(labels)]
    return [
        *aligned(["", *heads], rows),
        "",
        *_limits(found),
        *_starts(zip(heads[1:], found.cases, strict=True)),
    ]


def _figure(point: Point, place: int) -> str:
    figure = point.figures[place]
    return quantity(figure.value, figure.unit)


def _limits(found: WhatIf) -> list[str]:
    """Say which limits bind as given, and what each case changes in that."""
    cases = zip(letters(found.cases), found.cases, strict=True)
    changed = [f"         {name}: {limits_moved(found.base, case)}" for name, case in cases]
    return [f"  Binds  as given: {bound(found.base)}", *changed]


def limits_moved(base: Point, point: Point) -> str:
    """Say which limits bind in a plan and not as given, which no longer do, and which had to give."""
    more = sorted(set(point.binds) - set(base.binds))
    fewer = sorted(set(base.binds) - set(point.binds) - set(point.relaxed))
    parts = [f"RELAXED {', '.join(point.relaxed)}"] * bool(point.relaxed)
    parts += [f"also {', '.join(more)}"] * bool(more) + [f"no longer {', '.join(fewer)}"] * bool(fewer)
    return "; ".join(parts) or "as given"


def _starts(cases: Iterable[tuple[str, Point]]) -> list[str]:
    return [
        f"  {'Solved' if not number else '      '} {name}: {case.start}, {case.seconds:.1f} s ({case.why}"
        f"{'; new ' + ' and '.join(case.anew) if case.anew else ''})"
        for number, (name, case) in enumerate(cases)
    ]


def sweep_sentence(found: Sweep) -> str:
    """Say where the sweep is worth most, and where the first signatures change."""
    best = max(found.points, key=lambda point: point.value)
    keys = " and ".join(axis.key for axis in found.axes)
    firsts = [point.signed[0].offer if point.signed else "nothing" for point in found.points]
    turns = sum(one != two for one, two in pairwise(firsts))
    changes = f"the largest first signature changes {plural(turns, 'time')} along the way"
    return (
        f"{keys}: worth most at {best.name} ({usd(best.value)}, P(ruin) {percent(best.p_ruin)}); "
        + (changes if turns else f"the largest first signature stays {firsts[0]}")
    )  # fmt: skip


def _sweep(found: Sweep) -> list[str]:
    offers = offers_signed(found.points)[:MOST_OFFERS]
    heads = [*(axis.key.rpartition(".")[2] for axis in found.axes), "value", "95 % of the mean", "P(ruin)", "95 %",
             *(f"now: {offer}" for offer in offers), "binds"]  # fmt: skip
    rows = [
        [
            *(value for _, value in point.changes),
            usd(point.value),
            money_interval(point.value_ci),
            percent(point.p_ruin),
            share_interval(point.p_ruin_ci),
            *(count(round(chips_of(point, offer))) for offer in offers),
            limits_moved(found.base, point),
        ]
        for point in found.points
    ]
    lines = aligned(heads, rows, left=len(found.axes), last_left=True)
    return [*lines, "", f"  Binds as given: {bound(found.base)}"]


def frontier_sentence(found: Frontier) -> str:
    """Say which plan of the frontier is worth most within the owner's limit, else what the least risk costs."""
    plans = [plan for plan in found.plans if plan.efficient]
    least = min(plans, key=lambda plan: (plan.search_p_ruin, -plan.search_value))
    most = max(plans, key=lambda plan: (plan.search_p_ruin, plan.search_value))
    many = (
        f"{plural(len(plans), 'plan')} of {len(found.plans)} {'is' if len(plans) == 1 else 'are'} efficient"
    )
    ends = f"{many}: {_risk_and_worth(least.point, found)}"
    if most is not least:
        ends = f"{many}: from {_risk_and_worth(least.point, found)} to {_risk_and_worth(most.point, found)}"
    limit = found.asked.ruin_limit
    if limit is None:
        return ends
    kept = [plan for plan in plans if plan.point.p_ruin <= limit]
    if not kept:
        return f"{ends}; none keeps the limit of {percent(limit)}"
    best = max(kept, key=lambda plan: plan.point.value)
    return f"{ends}; within the limit of {percent(limit)}: {best.point.name}"


def plan_mark(plan: Caution) -> str:
    """Say what a plan of the frontier is: efficient, not confirmed on fresh futures, as the file has it."""
    word = "efficient" if plan.confirmed else "efficient?" if plan.efficient else ""
    return f"{word}{' ' if word and plan.given else ''}{'(given)' if plan.given else ''}"


def _risk_and_worth(point: Point, found: Frontier) -> str:
    worth = f"lead {count(point.lead)}" if found.against == "lead" else usd(point.value)
    return f"{worth} at P(ruin) {percent(point.p_ruin)}"


def _frontier(found: Frontier) -> list[str]:
    heads = [
        "",
        "cover",
        "tail",
        "P(ruin)",
        "95 %",
        "value",
        "95 % of the mean",
        "lead",
        "searched: P(ruin)",
        "value",
    ]
    order = sorted(found.plans, key=lambda plan: (not plan.efficient, plan.point.p_ruin, -plan.point.value))
    rows = [
        [
            plan_mark(plan),
            f"{plan.cover_quarters:g} q",
            percent(plan.tail_weight, 0),
            percent(plan.point.p_ruin),
            share_interval(plan.point.p_ruin_ci),
            usd(plan.point.value),
            money_interval(plan.point.value_ci),
            count(plan.point.lead),
            percent(plan.search_p_ruin),
            usd(plan.search_value),
        ]
        for plan in order
    ]  # fmt: skip
    note = f"  Efficient plans were chosen on {found.search_paths} other futures (the last two columns); all other figures are fresh."
    doubt = "  efficient?: beaten on the fresh futures by another efficient plan."
    doubted = any(plan.efficient and not plan.confirmed for plan in found.plans)
    return [*aligned(heads, rows), "", note, *([doubt] if doubted else [])]


def bound(point: Point) -> str:
    """Name the limits that bind, those that had to give first."""
    relaxed = [f"RELAXED {name}" for name in point.relaxed]
    return ", ".join([*relaxed, *point.binds]) or "nothing"


def chips_of(point: Point, offer: str) -> float:
    """Chips of an offer that a plan signs in the first quarter."""
    return next((row.chips for row in point.signed if row.offer == offer), 0.0)


def offers_signed(points: Sequence[Point]) -> list[str]:
    """Name the offers that some plan signs in the first quarter, the largest commitments first."""
    total: dict[str, float] = {}
    for point in points:
        for row in point.signed:
            total[row.offer] = total.get(row.offer, 0.0) + row.committed_usd
    return sorted(total, key=lambda offer: (-total[offer], offer))


def points_of(found: Explored) -> list[Point]:
    """List the plans of a comparison, the plan as given first where it stands apart."""
    if isinstance(found, WhatIf):
        return [found.base, *found.cases]
    if isinstance(found, Raises):
        return [late.point for each in found.rounds for late in each.plans]
    return list(found.points) if isinstance(found, Sweep) else [plan.point for plan in found.plans]


def table_rows(found: Explored) -> list[dict[str, Any]]:
    """One tidy row per plan: what was changed, figures with intervals, signatures, limits."""
    offers = offers_signed(points_of(found))
    rows = []
    late = late_raises(found) if isinstance(found, Raises) else []
    for place, point in enumerate(points_of(found)):
        row: dict[str, Any] = {"plan": point.name}
        if late:
            row |= late[place]
        elif not isinstance(found, WhatIf):
            row |= dict(point.changes)
        if isinstance(found, Frontier):
            plan = found.plans[place]
            row |= {"efficient": plan.efficient, "given": plan.given, "search_p_ruin": plan.search_p_ruin,
                    "search_value_usd": plan.search_value}  # fmt: skip
        row |= {
            "value_usd": point.value, "value_low_usd": point.value_ci[0], "value_high_usd": point.value_ci[1],
            "p_ruin": point.p_ruin, "p_ruin_low": point.p_ruin_ci[0], "p_ruin_high": point.p_ruin_ci[1],
            "lead": point.lead, "served_share": point.served_share, "tree_value_usd": point.tree_value,
            "gain_usd": point.gain, "binds": "; ".join(point.binds), "relaxed": "; ".join(point.relaxed),
        }  # fmt: skip
        rows.append(row | {f"signed_{offer}_chips": chips_of(point, offer) for offer in offers})
    return rows


def table_csv(found: Explored) -> str:
    """Write the tidy rows as CSV with a header line."""
    rows, target = table_rows(found), io.StringIO()
    writer = csv.DictWriter(target, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return target.getvalue()


def table_frame(found: Explored) -> pl.DataFrame:
    """Make a frame of the tidy rows."""
    import polars as pl

    return pl.DataFrame(table_rows(found), infer_schema_length=None)


def explored_document(found: Explored, *, timings: bool = True) -> dict[str, Any]:
    """Build the object that ``--json`` prints and ``run.json`` holds; NaN and infinity become null.

    Without ``timings`` the same file and seed give the same object.
    """
    kind = {WhatIf: "what-if", Sweep: "sweep", Frontier: "frontier", Raises: "raises"}[type(found)]
    whole = {"schema_version": SCHEMA_VERSION, "kind": kind, **asdict(found)}
    cleaned: dict[str, Any] = _clean(whole, () if timings else ("seconds",))
    return cleaned


def _clean(value: Any, left_out: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        return {key: _clean(item, left_out) for key, item in value.items() if key not in left_out}
    if isinstance(value, list | tuple):
        return [_clean(item, left_out) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
