"""The door to spreadsheets: sheets of plain cells become an .xlsx file with live formulas."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

from exaplan.domain.errors import InputError, Problem
from exaplan.domain.workbook import Sheet

FORMATS = {
    "plain": {},
    "title": {"bold": True, "font_size": 14},
    "head": {"bold": True, "bottom": 1, "align": "right"},
    "money": {"num_format": "#,##0.00;(#,##0.00);-"},
    "total": {"num_format": "#,##0.00;(#,##0.00);-", "bold": True, "top": 1},
    "share": {"num_format": "0.0%", "italic": True},
    "input": {"bold": True, "bg_color": "#FFF2CC", "border": 1},
    "note": {"italic": True, "font_color": "#666666"},
    "check": {"num_format": "0.000000", "italic": True},
}


def write_workbook(path: Path, sheets: tuple[Sheet, ...]) -> Path:
    """Write sheets to ``path``; the same sheets give the same bytes.

    Raises
    ------
    InputError
        Where nothing can be written at ``path``, or it does not end in ``.xlsx``.
    """
    check_ending(path)
    content = workbook_bytes(sheets)
    try:
        path.write_bytes(content)
    except OSError as error:
        reason = f"the workbook cannot be written: {error.strerror or error}"
        raise InputError(Problem(reason, str(path), suggestion="choose another place")) from error
    return path


def check_ending(path: Path) -> None:
    """Refuse a name that is no workbook's.

    Raises
    ------
    InputError
        Where it does not end in ``.xlsx``.
    """
    if path.suffix.lower() != ".xlsx":
        raise InputError(Problem("a workbook ends in .xlsx", str(path), suggestion=f"{path.stem}.xlsx"))


def workbook_bytes(sheets: tuple[Sheet, ...]) -> bytes:
    """Return the bytes of a workbook; it carries no time of its making."""
    import xlsxwriter

    memory = io.BytesIO()
    book = xlsxwriter.Workbook(memory, {"in_memory": True})
    book.set_properties({"created": datetime(2000, 1, 1, tzinfo=UTC)})
    formats = {name: book.add_format(style) for name, style in FORMATS.items()}
    for sheet in sheets:
        page = book.add_worksheet(sheet.name)
        for column, width in enumerate(sheet.widths):
            page.set_column(column, column, width)
        page.freeze_panes(*sheet.freeze)
        for (row, column), cell in sheet.cells.items():
            style = formats[cell.style]
            if cell.formula is not None:
                page.write_formula(row, column, f"={cell.formula}", style, cell.value)
            elif isinstance(cell.value, str):
                page.write_string(row, column, cell.value, style)
            else:
                page.write_number(row, column, cell.value, style)
    book.close()
    return memory.getvalue()
