"""The performance model in a terminal: tables, equations with their numbers, figures with their prefixes."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from typing import Literal

from exaplan.domain.derivation import Derivation

Cells = Sequence[Sequence[str]]
_SCALES = ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_PREFIXED = ("FLOP", "FLOP/s", "B", "B/s", "FLOP/token")


def grid_text(
    heads: Sequence[str],
    cells: Cells,
    *,
    title: str = "",
    left: Sequence[str] = (),
    spare: Sequence[str] = (),
    width: int | None = None,
) -> str:
    """Lay out a table.

    Parameters
    ----------
    heads, cells : sequences of str
        Columns and rows.
    title : str
        Line above.
    left : sequence of str
        Heads of columns of words; all others are numbers, to the right.
    spare : sequence of str
        Heads of columns that a narrow terminal goes without, the first one first; a line below names them.
    width : int, optional
        Columns of the terminal; the terminal's own where not given.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=io.StringIO(), width=width, highlight=False)
    hidden = _hidden(heads, cells, spare, console.width)
    shown = [i for i, head in enumerate(heads) if head not in hidden]
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for i in shown:
        justify: Literal["left", "right"] = "left" if heads[i] in left else "right"
        grid.add_column(heads[i], justify=justify, overflow="fold")
    for row in cells:
        grid.add_row(*(Text(row[i]) for i in shown))
    with console.capture() as captured:
        console.print(grid)
    lines = [line.rstrip() for line in captured.get().rstrip().splitlines()]
    if title:
        lines.insert(0, title)
    if hidden:
        lines.append(f" Too narrow for {', '.join(hidden)}: a wider terminal or --json shows them.")
    return "\n".join(lines)


def _hidden(heads: Sequence[str], cells: Cells, spare: Sequence[str], width: int) -> list[str]:
    """Columns to go without so that no cell is folded, as far as they may."""
    wanted = {head: max(len(head), *(len(row[i]) for row in cells), 0) + 2 for i, head in enumerate(heads)}
    hidden: list[str] = []
    for head in (name for name in spare if name in wanted):
        if sum(size for name, size in wanted.items() if name not in hidden) <= width:
            break
        hidden.append(head)
    return hidden


def figure(value: float, unit: str) -> str:
    """Write a number with its unit at three or four digits, seconds and counts with a prefix.

    Examples
    --------
    >>> figure(0.0231, "s"), figure(3.35e12, "B/s"), figure(0.4567, "share"), figure(5760.0, "sequence")
    ('23.1 ms', '3.35 TB/s', '45.7 %', '5,760 sequence')
    >>> figure(12.5e-6, "s"), figure(0.0, "s"), figure(math.inf, "FLOP/B")
    ('12.5 us', '0 s', 'endless')
    """
    if math.isnan(value):
        return "n/a"
    if math.isinf(value):
        return "endless"
    if unit == "share":
        return f"{100 * value:.3g} %"
    if unit == "s" and 0 < abs(value) < 1:
        return f"{1e3 * value:.3g} ms" if abs(value) >= 1e-3 else f"{1e6 * value:.3g} us"
    if unit in _PREFIXED:
        for scale, letter in _SCALES:
            if abs(value) >= scale:
                return f"{value / scale:.3g} {letter}{unit}"
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return f"{text} {unit}".rstrip()


def interval_text(low: float, high: float, *, digits: int = 3) -> str:
    """Write an interval with separators, for example ``1,260 .. 4,270``."""
    return f"{_rounded(low, digits)} .. {_rounded(high, digits)}"


def _rounded(value: float, digits: int) -> str:
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    size = float(f"{value:.{digits - 1}e}")
    return f"{size:,.0f}" if abs(size) >= 10 ** (digits - 1) else f"{size:.{digits}g}"


def with_numbers(derivation: Derivation) -> str:
    """Write the formula with the operands' numbers in place of their names.

    Examples
    --------
    >>> from exaplan.domain.derivation import Operand
    >>> parts = (Operand("batch", 4096.0, "token"), Operand("step", 0.5, "s"))
    >>> with_numbers(Derivation("rate", 8192.0, "token/s", "batch / step", parts))
    '4,096 token / 500 ms'
    """
    numbers = {part.name: figure(part.value, part.unit) for part in derivation.operands}
    if not numbers:
        return derivation.formula
    names = "|".join(re.escape(name) for name in sorted(numbers, key=len, reverse=True))
    return re.sub(rf"(?<![\w-])(?:{names})(?![\w-])", lambda match: numbers[match[0]], derivation.formula)


def derivation_lines(derivation: Derivation) -> list[str]:
    """Open a number: value, formula, formula with numbers, operands with where each comes from."""
    lines = [
        f"{derivation.key} = {figure(derivation.value, derivation.unit)}",
        f"  = {derivation.formula}",
        f"  = {with_numbers(derivation)}",
    ]
    sourced = [part for part in derivation.operands if part.source]
    name_width = max((len(part.name) for part in sourced), default=0)
    figures = [figure(part.value, part.unit) for part in sourced]
    figure_width = max((len(text) for text in figures), default=0)
    for part, text in zip(sourced, figures, strict=True):
        lines.append(f"    {part.name:<{name_width}}  {text:<{figure_width}}  {part.source}")
    return lines
