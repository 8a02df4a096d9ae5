"""Rows of text in columns."""

from __future__ import annotations

from collections.abc import Sequence


def aligned(
    heads: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1, last_left: bool = False
) -> list[str]:
    """Lay rows out in columns: the first ``left`` ones flush left, figures flush right.

    Examples
    --------
    >>> aligned(["", "A"], [["Value", "$1.0 B"]])
    ['              A', '  Value  $1.0 B']
    """
    table = [list(heads), *(list(row) for row in rows)]
    spans = [max(len(row[place]) for row in table) for place in range(len(heads))]
    lines = []
    for row in table:
        cells = [
            cell.ljust(span) if place < left or (last_left and place == len(row) - 1) else cell.rjust(span)
            for place, (cell, span) in enumerate(zip(row, spans, strict=True))
        ]
        lines.append(("  " + "  ".join(cells)).rstrip())
    return lines
