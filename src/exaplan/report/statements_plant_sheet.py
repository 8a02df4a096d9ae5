"""The plant sheet of the workbook: depreciation and book value of chips, live from the cell of their life."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from exaplan.domain.statements import FinanceReport, PlantRow
from exaplan.report.cells import At, Page, column_name

MILLION = 1e6
QUARTERS_PER_YEAR = 4
HEADS = ("delivered", "retires", "path ends", "cost")
BLOCKS = ("depreciation", "book", "written off", "handed over")


@dataclass(frozen=True)
class PlantCells:
    """The sheet and its totals by quarter; ``book`` begins at the start."""

    page: Page
    depreciation: list[At]
    book: list[At]
    written_off: list[At]
    handed: list[At]


Rule = Callable[[str, tuple[str, str, str, str], str], str]


def plant_sheet(report: FinanceReport, life: At) -> PlantCells:
    """Write one row per quarter of delivery, of retirement and of a path's end; totals above."""
    page = Page("Plant", (11.0, 11.0, 11.0, 14.0), (4, 4))
    page.text(0, "Chips by quarter of delivery (0 is the first quarter), million USD, expected", "note")
    page.row = 1
    page.text(0, "life, quarters")
    quarters_of_life = page.formula(
        3, f"{QUARTERS_PER_YEAR}*{life.name}", QUARTERS_PER_YEAR * life.value, "input"
    )
    count, first = len(report.quarters), len(HEADS)
    spans = {
        "depreciation": range(count),
        "book": range(-1, count),
        "written off": range(count),
        "handed over": range(count),
    }
    starts, at = {}, first
    for block in BLOCKS:
        starts[block], at = at, at + len(spans[block]) + 1
    _labels(page, starts, spans)
    body = 4
    totals: dict[str, list[At]] = {}
    values = {block: [0.0] * len(spans[block]) for block in BLOCKS}
    for number, row in enumerate(report.plant):
        page.row = body + 1 + number
        keys = page.numbers(0, [row.arrival, row.retirement, row.ended], "plain")
        cost = page.number(3, row.cost_usd / MILLION)
        names = (keys[0].name, keys[1].name, keys[2].name, cost.name)
        for block in BLOCKS:
            for k, t in enumerate(spans[block]):
                column = starts[block] + k
                time = f"'{page.title}'!${column_name(column)}$4"
                value = _value(block, t, row, quarters_of_life.value) / MILLION
                page.formula(column, _formula(block, time, names, quarters_of_life.name), value)
                values[block][k] += value
    page.row = body
    page.text(0, "total", "head")
    last = body + 1 + max(len(report.plant), 1)
    for block in BLOCKS:
        totals[block] = []
        for k, value in enumerate(values[block]):
            letter = column_name(starts[block] + k)
            area = f"'{page.title}'!${letter}${body + 2}:${letter}${last}"
            totals[block].append(page.formula(starts[block] + k, f"SUM({area})", value, "total"))
    return PlantCells(page, *(totals[block] for block in BLOCKS))


def _labels(page: Page, starts: dict[str, int], spans: dict[str, range]) -> None:
    page.row = 3
    for k, words in enumerate(HEADS):
        page.text(k, words, "head")
    for block in BLOCKS:
        page.row = 2
        page.text(starts[block], block, "head")
        page.row = 3
        for k, t in enumerate(spans[block]):
            page.number(starts[block] + k, float(t), "plain")


def _formula(block: str, time: str, names: tuple[str, str, str, str], life: str) -> str:
    """Write the formula of one cell: ``time`` is the quarter above it, ``names`` delivered, retires, path ends, cost."""
    begin, retire, end, cost = names
    left = f"{cost}*MAX(0,1-({time}-{begin}+1)/{life})"
    if block == "depreciation":
        return f"IF(AND({time}>={begin},{time}<MIN({begin}+{life},{retire},{end}+1)),{cost}/{life},0)"
    if block == "book":
        return f"IF(AND({time}>={begin},{time}<MIN({retire},{end})),{left},0)"
    if block == "written off":
        return f"IF(AND({time}={retire},{time}<={end}),{cost}*MAX(0,1-({retire}-{begin})/{life}),0)"
    return f"IF(AND({time}={end},{time}>={begin},{time}<{retire}),{left},0)"


def _value(block: str, t: int, row: PlantRow, life: float) -> float:
    left = row.cost_usd * max(0.0, 1 - (t - row.arrival + 1) / life)
    if block == "depreciation":
        return (
            row.cost_usd / life
            if row.arrival <= t < min(row.arrival + life, row.retirement, row.ended + 1)
            else 0.0
        )
    if block == "book":
        return left if row.arrival <= t < min(row.retirement, row.ended) else 0.0
    if block == "written off":
        gone = t == row.retirement and t <= row.ended
        return row.cost_usd * max(0.0, 1 - (row.retirement - row.arrival) / life) if gone else 0.0
    return left if t == row.ended and row.arrival <= t < row.retirement else 0.0
