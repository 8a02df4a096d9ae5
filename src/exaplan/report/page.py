"""The report page: one HTML file that opens offline, prints well and needs no script for its charts."""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exaplan.domain.answer import Answer, Kpi
from exaplan.report import charts, money_charts, wording
from exaplan.report.conduct import mix_grids, started_grid
from exaplan.report.drawing import chart_svg
from exaplan.report.tables import csv_text, records_of

if TYPE_CHECKING:
    from exaplan.report.drawing import Chart

MAX_TABLE_BYTES = 150_000
TILES = 12
"""Key figures that stand open; the others unfold."""


@dataclass(frozen=True)
class Figure:
    """One chart as the page shows it; ``svg`` is empty where there is nothing to draw."""

    key: str
    title: str
    definition: str
    unit: str
    table: str
    svg: str
    download: str
    empty: str


@dataclass(frozen=True)
class _Plot:
    """What to draw and how to speak of it."""

    key: str
    title: str
    table: str
    unit: str
    definition: str
    empty: str
    draw: Callable[[Answer], Chart | None]


PLOTS = (
    _Plot(
        "capacity",
        "Capacity by source",
        "capacity",
        "chips of all kinds, mean over the tree",
        "Chips live in each quarter, stacked by the offer or contract they come from. Dashed line: chips at work "
        "plus those that unserved demand would need at the same tokens per chip. Numbered flags: the last date "
        "to sign the order of that number in the answer. Chips differ in speed; the stack counts them, it does not weigh them.",
        "No chips are live in any quarter of this plan.",
        charts.capacity_chart,
    ),
    _Plot(
        "allocation",
        "Allocation by use",
        "allocation",
        "share of chips at work, mean over the tree",
        "Who gets the chips at work. Development stands at the bottom, then safety, then serving. Black line: "
        "development's share as the floor counts it (each chip by its own development rate), so it need not "
        "coincide with the count of chips.",
        "No chip is at work in any quarter of this plan.",
        charts.allocation_chart,
    ),
    _Plot(
        "service",
        "Demand, served and unserved",
        "service",
        "tokens a quarter, mean over the tree",
        "Demand of each serving workload split into what is served (blue) and what is not (red). Customers lost "
        "to earlier failures no longer ask; the data table counts them.",
        "No workload of this lab serves customers.",
        charts.service_chart,
    ),
    _Plot(
        "development",
        "Development and the frontier",
        "development",
        "FLOP a quarter; ratio of capability to the frontier; means over the tree",
        "Compute spent on development, and what it makes of the lab's capability relative to the frontier "
        "(1.00, dashed).",
        "No development is planned.",
        charts.development_chart,
    ),
    _Plot(
        "prices",
        "What one more unit is worth",
        "prices",
        "dollars of that quarter per unit; bars are the 90 % interval over the tree",
        "The plan's shadow prices: the gain from one more chip, megawatt or dollar in that quarter, there and "
        "then. Zero means that the thing is not scarce. A negative worth is a cost: one more point of a floor.",
        "Nothing is scarce in this plan: every price is zero.",
        money_charts.prices_chart,
    ),
    _Plot(
        "cash",
        "Cash",
        "cash",
        "dollars at the end of the quarter",
        "Cash over the simulated futures that the plan has not seen: median (line), half of all futures (dark "
        "band), 90 % of them (light band), and the tree's own mean (dashed). Red line: zero.",
        "No cash path was simulated.",
        money_charts.cash_chart,
    ),
    _Plot(
        "deciding",
        "The inputs that decide",
        "deciding_inputs",
        "plan value on the tree, dollars",
        "Value of the plan with one input at its low (orange) and high (blue) end, solved again each time. "
        "Gray line: the value as planned.",
        "No input was varied in this run.",
        money_charts.deciding_chart,
    ),
)


def command(answer: Answer) -> str:
    """Write the command that gives these numbers again."""
    return f"exaplan plan {shlex.quote(answer.lab_file)} --seed {answer.seed}"


def data_link(answer: Answer, table: str) -> str:
    """Pack one table as a ``data:`` link to a CSV, empty where the table has no rows or is too large."""
    text = csv_text(answer, table).encode()
    if not records_of(answer, table) or len(text) > MAX_TABLE_BYTES:
        return ""
    return "data:text/csv;charset=utf-8;base64," + base64.b64encode(text).decode("ascii")


def figures(answer: Answer) -> dict[str, Figure]:
    """Draw every chart of the page, by key."""
    drawn = {}
    for plot in PLOTS:
        chart = plot.draw(answer)
        drawn[plot.key] = Figure(
            key=plot.key,
            title=plot.title,
            definition=plot.definition,
            unit=plot.unit,
            table=plot.table,
            svg=chart_svg(chart, plot.key) if chart is not None else "",
            download=data_link(answer, plot.table),
            empty=plot.empty,
        )
    return drawn


def warnings(answer: Answer) -> list[str]:
    """List what a reader must know before he believes the answer, worst first."""
    found = []
    if answer.status != "optimal":
        found.append(f"The solver's status is '{answer.status}', with a gap of {answer.gap:.2g} (relative).")
    found += [
        f"{_sentence(limit.name)} could not be kept: {wording.limit_sentence(limit)}."
        for limit in answer.limits
        if limit.state == "relaxed"
    ]
    if answer.benchmark.advantage_ci[0] <= 0:
        found.append(wording.benchmark_sentence(answer))
    if answer.rescue_price <= answer.largest_cash_price:
        found.append(_sentence(wording.rescue_sentence(answer).removeprefix("WARNING: ")) + ".")
    return found


def tile(kpi: Kpi) -> dict[str, Any]:
    """Lay one key figure out beside the same figure when only renting."""
    how = kpi.derivation
    difference = "" if kpi.rent_only is None else _difference(kpi.value, kpi.rent_only, kpi.unit)
    return {
        "kpi": kpi,
        "value": wording.quantity(kpi.value, kpi.unit),
        "rent_only": None if kpi.rent_only is None else wording.quantity(kpi.rent_only, kpi.unit),
        "difference": difference,
        "interval": _interval(kpi),
        "substituted": wording.substituted(how) if how else "",
        "result": wording.quantity(how.value, how.unit) if how else "",
    }


def _interval(kpi: Kpi) -> str:
    if kpi.low is None or kpi.high is None or kpi.high - kpi.low <= 1e-9 * abs(kpi.value):
        return ""  # what comes from duals has no spread
    return f"95 %: {wording.quantity(kpi.low, kpi.unit)} to {wording.quantity(kpi.high, kpi.unit)}"


def _difference(value: float, other: float, unit: str) -> str:
    change = value - other
    if change == 0:
        return "the same"
    sign = "+" if change > 0 else wording.MINUS
    if unit in {"share", "probability"}:
        return f"{sign}{abs(100 * change):.1f} points"
    return f"{sign}{wording.quantity(abs(change), unit)}"


def _unbroken(value: Any) -> Any:
    """Keep a number and its scale or percent sign on one line."""
    return re.sub(r"(?<=\d) (?=[kMBT%](?!\w))", "\u00a0", value) if type(value) is str else value


def _sentence(text: str) -> str:
    """Start with a capital and leave the rest alone: FLOP stays FLOP."""
    return text[:1].upper() + text[1:]


def _path(text: str) -> Any:
    """Let a dotted key break after its dots."""
    from markupsafe import Markup, escape

    return Markup(".<wbr>").join(escape(part) for part in text.split("."))


def page_html(answer: Answer) -> str:
    """Write the whole report as one HTML document of at most about 1.5 MB.

    Charts are SVG drawn beforehand; the page asks no network, font or script for anything, and says so in
    its content policy. The same answer gives the same page, so it holds no times. Tables over 150 kB are
    left to the Parquet files.
    """
    from altair.utils.schemapi import debug_mode
    from jinja2 import Environment, PackageLoader, StrictUndefined

    room = Environment(
        loader=PackageLoader("exaplan.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_unbroken,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    room.filters |= {
        "usd": wording.usd,
        "sentence": _sentence,
        "path": _path,
        "percent": wording.percent,
        "count": wording.count,
        "quantity": wording.quantity,
        "limit_sentence": wording.limit_sentence,
        "price_sentence": wording.price_sentence,
        "waiting": wording.waiting,
    }
    with debug_mode(False):  # the charts are ours and tested: checking them against a schema takes a second
        drawn = figures(answer)
    started, mix = started_grid(answer.conduct), mix_grids(answer.conduct)
    tables = [table.table for table in (*([started] if started else []), *mix)]
    return room.get_template("page.html.j2").render(
        answer=answer,
        words=wording,
        figures=drawn,
        started=started,
        mix=mix,
        links={table: data_link(answer, table) for table in tables},
        tiles=[tile(kpi) for kpi in answer.kpis],
        shown=TILES,
        warnings=warnings(answer),
        now=wording.now_decisions(answer),
        later=wording.later_decisions(answer),
        keep_open=wording.keep_open(answer),
        prices=wording.top_prices(answer, 4),
        command=command(answer),
        assumptions_link=data_link(answer, "assumptions"),
        decisions_link=data_link(answer, "decisions"),
    )
