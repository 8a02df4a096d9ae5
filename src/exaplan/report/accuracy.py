"""The page on accuracy: aims, four validations, named facts, what is not covered; plain values to Markdown."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

Material = Mapping[str, Any]
COMMAND = "exaplan perf accuracy --out docs"
NAMES = {
    "in sample": "in sample",
    "source": "leave one source out",
    "model": "leave one model out",
    "chip": "leave one chip out",
}
KEPT = ("<!-- kept: what was tried -->", "<!-- end of what is kept -->")
"""Marks around the part that is written by hand and carried over to the next page."""
_FIGURES = {"median_abs_log_error": "median abs. log error", "mape": "MAPE", "mape_rows": "MAPE over rows"}
_HEADS = ("rows", "groups", "coverage", "median abs. log error", "90 %", "MAPE", "bias", "in 80 % interval",
          "rank corr. (sweeps)", "median over rows", "MAPE over rows")  # fmt: skip
_NUMBER = re.compile(r"-|[-+≤]?\s?\d[\d.,%()\s+-]*(to [\d.,%\s+-]*)?")
_UNTRIED = "Nothing is written here yet. Text between the two marks is kept when the page is written again."


def accuracy_page(found: Material, kept: str = "") -> str:
    """Write the page.

    Parameters
    ----------
    found : mapping
        Calibration, validations (the objects of ``exaplan perf validate --json``), aims, facts, coverage, families.
    kept : str
        Remarks from the page that this one replaces.

    Returns
    -------
    str
        Markdown; the same input gives the same bytes.
    """
    sections = (
        _opening(found),
        _aims(found),
        _missed(found, kept),
        _totals(found),
        *(_by_task(seen, one) for seen, one in found["validations"].items()),
        _intervals(found),
        _facts(found),
        _coverage(found),
        _families(found),
    )
    return "\n\n".join(sections) + "\n"


def kept_remarks(page: str) -> str:
    """Return what a page holds between its two marks; empty where there is nothing of a hand."""
    _, opened, rest = page.partition(KEPT[0])
    text, closed, _ = rest.partition(KEPT[1])
    text = text.strip()
    return text if opened and closed and text != _UNTRIED else ""


def percent(value: float | None, *, signed: bool = False) -> str:
    """Write a share in percent; a dash where there is none.

    Examples
    --------
    >>> percent(0.0849), percent(-0.02, signed=True), percent(None)
    ('8.5 %', '-2.0 %', '-')
    """
    if value is None:
        return "-"
    return f"{100 * value:+.1f} %" if signed else f"{100 * value:.1f} %"


def grid(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Write a Markdown table, columns of numbers set to the right."""
    cells = [[_cell(value) for value in row] for row in rows]
    numeric = [bool(cells) and all(_NUMBER.fullmatch(row[i]) for row in cells) for i in range(len(heads))]
    marks = ["---:" if right else "---" for right in numeric]
    return "\n".join("| " + " | ".join(line) + " |" for line in (heads, marks, *cells))


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


def score_cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Cells of one score, in the order of the columns of every error table."""
    spread = (row["intervals"] or {}).get("median_abs_log_error")
    rank = row["rank_correlation"]
    return (
        f"{row['n']:,}",
        f"{row['groups']:,}",
        percent(row["coverage"]),
        percent(row["median_abs_log_error"]),
        "-" if spread is None else f"{100 * spread[0]:.1f} to {100 * spread[1]:.1f} %",
        percent(row["mape"]),
        percent(row["bias"], signed=True),
        percent(row["interval_coverage"]),
        "-" if rank is None else f"{rank:.2f} ({row['sweeps']})",
        percent(row["median_abs_log_error_rows"]),
        percent(row["mape_rows"]),
    )


def _opening(found: Material) -> str:
    about = found["calibration"]
    note = next(iter(found["validations"].values()))["note"]
    return f"""# Accuracy of the performance model

Written by `{COMMAND}`: do not edit by hand, except between the two marks below. One validation at a time, on these or on
your own tables: `exaplan perf validate --cv source`; new coefficients from your own measurements: `exaplan perf calibrate`.

Coefficients fitted on {about["date"]} to {about["data"]}. "In sample" uses them as they are shipped and has seen every row;
the other validations refit all coefficients without the source, model or chip that they then predict. Never read the
first without the others.

{note} An error of 10 % in the logarithm is a factor of 1.105. Closed loops with a
time per output token were measured on chips of {_listed(found["loop_makers"])} only: serving on any other is validated on throughput and
static-batch tables alone."""


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names) or "nobody"


def _aims(found: Material) -> str:
    seen = list(found["validations"])
    rows = []
    for aim in found["aims"]:
        judged = aim["scores"][aim["judged"]]
        rows.append(
            (
                aim["name"],
                _FIGURES[aim["figure"]],
                f"≤ {100 * aim['limit']:.0f} %",
                NAMES[aim["judged"]],
                judged["n"],
                judged["groups"],
                *(percent(aim["scores"][one][aim["figure"]]) for one in seen),
                "met" if aim["met"] else "**missed**",
            )
        )
    total = found["validations"]["in sample"]["total"]
    met = (total["coverage"] or 0.0) >= found["coverage_aim"]
    heads = ("rows of", "figure", "aim", "judged under", "rows", "groups", *(NAMES[one] for one in seen), "")
    coverage = (
        f"Coverage: {percent(total['coverage'])} of rows whose architecture is known and not a linear-attention hybrid "
        f"(aim ≥ {100 * found['coverage_aim']:.0f} %): {'met' if met else '**missed**'}."
    )
    remarks = (coverage, *(_band_line(one) for one in found["bands"]))
    listed = "\n".join(f"- {remark}" for remark in remarks if remark)
    return f"## Aims and what is reached\n\n{grid(heads, rows)}\n\n{listed}"


def _band_line(one: Mapping[str, Any]) -> str:
    row = one["rows"][0] if one["rows"] else None
    if row is None:
        return ""
    low, high = row["band"]
    inside = low <= row["share"] <= high
    return (
        f"80 % intervals, {NAMES[one['left']]}: they hold {percent(row['share'])} of rows, {row['groups']} groups weighted "
        f"equally; 95 % of binomial counts lie in {100 * low:.1f} to {100 * high:.1f} %: {'met' if inside else '**missed**'}."
    )


def _missed(found: Material, kept: str) -> str:
    parts = ["## Where it misses"]
    for aim in found["aims"]:
        word = "Missed" if not aim["met"] else "Met, and worst where"
        parts.append(f"### {aim['name']}\n\n{word}; the groups furthest off, {NAMES[aim['judged']]}:")
        parts.append(worst_table(aim["worst"]))
    parts.append(f"### What was tried\n\n{KEPT[0]}\n{kept or _UNTRIED}\n{KEPT[1]}")
    return "\n\n".join(parts)


def worst_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Write groups that are far off: who, how far, and what is particular about them."""
    return grid(
        ("group", "source", "rows", "modelled / measured", "what the rows tell"),
        [(row["group"], row["source"], row["n"], f"{2.718281828459045 ** row['bias']:.2f}", row["reason"]) for row in rows],
    )  # fmt: skip


def _totals(found: Material) -> str:
    rows = [(NAMES[seen], *score_cells(one["total"])) for seen, one in found["validations"].items()]
    return f"## Every published row once, by its main metric\n\n{grid(('validation', *_HEADS), rows)}"


def _by_task(seen: str, one: Mapping[str, Any]) -> str:
    rows = [(row["task"], row["family"], *score_cells(row)) for row in one["tasks"]]
    return f"## By task and family: {NAMES[seen]}\n\n{grid(('task', 'family', *_HEADS), rows)}"


def _intervals(found: Material) -> str:
    rows = [
        (
            NAMES[one["left"]],
            row["task"],
            row["family"],
            row["groups"],
            percent(row["share"]),
            f"{100 * row['band'][0]:.0f} to {100 * row['band'][1]:.0f} %",
            "inside" if row["band"][0] <= row["share"] <= row["band"][1] else "outside",
        )
        for one in found["bands"]
        for row in one["rows"]
    ]
    heads = ("validation", "task", "family", "groups", "rows inside 80 % intervals", "binomial 95 %", "")
    return (
        "## Do 80 % intervals hold 80 %?\n\nThe band is that of a binomial count over as many independent groups; rows of one "
        f"source are not independent of each other, so the band is narrow.\n\n{grid(heads, rows)}"
    )


def _facts(found: Material) -> str:
    rows = [
        (
            fact["name"],
            f"{fact['published']:.4g} {fact['unit']}".strip(),
            f"{fact['modelled']:.4g} {fact['unit']}".strip(),
            percent(fact["error"], signed=True),
            "reached" if fact["reached"] else "**missed**",
            fact["source"],
        )
        for fact in found["facts"]
    ]
    return (
        f"## Named facts\n\nA refit of all coefficients without any row of the sources of these facts ({found['facts_held_out']} left out); "
        f"a fact is reached within {100 * found['facts_within']:.0f} %.\n\n"
        + grid(("fact", "published", "modelled", "error", "", "source"), rows)
    )


def _coverage(found: Material) -> str:
    cover = found["coverage"]
    read = ", ".join(f"{count:,} {name}" for name, count in cover["read"].items())
    rows = [
        (row["reason"], row["table"], "yes" if row["counts"] else "no", row["rows"])
        for row in cover["reasons"]
    ]
    return (
        f"## What is not covered\n\nPublished rows read: {read}. Rows not read, and whether they count against coverage "
        f"(a row of unknown architecture or of a linear-attention hybrid does not):\n\n"
        + grid(("reason", "table", "counts", "rows"), rows)
    )


def _families(found: Material) -> str:
    lines = [
        f"- [{family['title']}](accuracy/{family['kind']}.md): {sum(chip['rows'] for chip in family['chips']):,} measurements on "
        f"{sum(chip['rows'] > 0 for chip in family['chips'])} of {len(family['chips'])} chips"
        for family in found["families"]
    ]
    return "## By family of chips\n\n" + "\n".join(lines)
