"""One page per family of chips: its errors, its fitted coefficients beside where they started, its sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exaplan.report.accuracy import COMMAND, NAMES, Material, grid, percent, score_cells, worst_table

_HEADS = ("chip", "family", "task", "rows", "groups", "coverage", "median abs. log error", "90 %", "MAPE", "bias",
          "in 80 % interval", "rank corr. (sweeps)", "median over rows", "MAPE over rows")  # fmt: skip
_LEARNED = 0.05


def family_page(found: Material, family: Mapping[str, Any]) -> str:
    """Write the page of one family.

    Parameters
    ----------
    found : mapping
        As in ``accuracy_page``.
    family : mapping
        One of its ``families``: kind, title, chips, worst, coefficients, anchors.
    """
    sections = (
        _opening(found, family),
        _side_by_side(found, family),
        *(_errors(seen, one, family) for seen, one in found["validations"].items()),
        _worst(family),
        _coefficients(family),
        _anchors(family),
    )
    return "\n\n".join(section for section in sections if section) + "\n"


def _names(family: Mapping[str, Any]) -> set[str]:
    return {chip["chip"] for chip in family["chips"]}


def _opening(found: Material, family: Mapping[str, Any]) -> str:
    with_rows = [f"{chip['chip']} ({chip['rows']:,})" for chip in family["chips"] if chip["rows"]]
    without = [chip["chip"] for chip in family["chips"] if not chip["rows"]]
    inherit = (
        f"\n\nNot measured by anybody here: {', '.join(without)}. They inherit the coefficients of the family, with its spread."
        if without
        else ""
    )
    measured = (
        f"Measurements: {', '.join(with_rows)}." if with_rows else "No measurement of any of its chips."
    )
    return (
        f"# {family['title']}: errors and coefficients\n\nWritten by `{COMMAND}`; how figures are counted stands on the page on "
        f"[accuracy](../accuracy.md). Calibration of {found['calibration']['date']}. {measured}{inherit}"
    )


def _rows(one: Mapping[str, Any], family: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    own = [row for row in one["groups"] if row["chip"] in _names(family)]
    return sorted(own, key=lambda row: (row["task"], row["family"], row["chip"]))


def _side_by_side(found: Material, family: Mapping[str, Any]) -> str:
    """Write the median error of each chip, family and task under the four validations next to each other."""
    runs = found["validations"]
    tables = {
        seen: {(row["chip"], row["family"], row["task"]): row for row in _rows(one, family)}
        for seen, one in runs.items()
    }
    first = next(iter(tables.values()), {})
    rows = [
        (
            *place,
            f"{row['n']:,}",
            f"{row['groups']:,}",
            *(percent(tables[seen][place]["median_abs_log_error"]) for seen in runs),
        )
        for place, row in first.items()
    ]
    heads = ("chip", "family", "task", "rows", "groups", *(NAMES[seen] for seen in runs))
    if not rows:
        return ""
    return f"## Median abs. log error, four ways\n\n{grid(heads, rows)}"


def _errors(seen: str, one: Mapping[str, Any], family: Mapping[str, Any]) -> str:
    rows = [(row["chip"], row["family"], row["task"], *score_cells(row)) for row in _rows(one, family)]
    return f"## Errors, {NAMES[seen]}\n\n{grid(_HEADS, rows)}" if rows else ""


def _worst(family: Mapping[str, Any]) -> str:
    rows = family["worst"]
    return f"## Furthest off, {NAMES['source']}\n\n{worst_table(rows)}" if rows else ""


def _coefficients(family: Mapping[str, Any]) -> str:
    rows = [
        (
            f"`{knob['name']}`",
            f"{knob['start']:.4g}",
            f"{knob['fitted']:.4g}",
            f"{knob['low']:.3g} to {knob['high']:.3g}",
            percent(knob["learned_share"]) if knob["learned_share"] > _LEARNED else "-",
            knob["sentence"],
        )
        for knob in family["coefficients"]
    ]
    heads = (
        "coefficient",
        "start",
        "fitted",
        "80 % interval",
        "learned",
        "what it is, and where the default, Hopper's, starts from",
    )
    return (
        "## Coefficients\n\nOf the family as a whole; chips and engines deviate from it. 'Learned' is the share of the prior "
        f"variance that the measurements removed; a dash means under 5 %: the start stands, with its prior.\n\n{grid(heads, rows)}"
    )


def _anchors(family: Mapping[str, Any]) -> str:
    rows = [
        (
            anchor["source"],
            anchor["phase"],
            ", ".join(anchor["chips"]),
            _span(anchor["dates"]),
            anchor["models"],
            anchor["rows"],
            anchor["groups"],
        )
        for anchor in family["anchors"]
    ]
    heads = ("source", "phase", "chips", "dates", "models", "rows", "groups")
    return f"## Anchors\n\n{grid(heads, rows)}" if rows else "## Anchors\n\nNone."


def _span(dates: list[str]) -> str:
    if not dates:
        return "-"
    return dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}"
