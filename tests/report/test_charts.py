"""Charts show the answer's numbers, in colors that stay the same."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from tests.report import sample

from exaplan.domain.answer import Answer
from exaplan.report.charts import allocation_chart, capacity_chart, chips_needed, numbered_signatures
from exaplan.report.drawing import chart_png, chart_svg, themed
from exaplan.report.money_charts import cash_chart, price_panels
from exaplan.report.page import PLOTS
from exaplan.report.theme import source_colors, workload_colors


def test_importing_the_report_loads_no_plotting_library() -> None:
    code = (
        "import sys, exaplan.report.page, exaplan.report.terminal, exaplan.report.tables, exaplan.report.charts;"
        "print([m for m in ('altair', 'vl_convert', 'polars', 'jinja2', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("plot", PLOTS, ids=lambda plot: plot.key)
def test_an_answer_without_rows_draws_nothing(plot, empty: Answer) -> None:
    assert plot.key == "cash" or plot.draw(empty) is None


def test_the_chips_that_all_demand_needs_by_hand(full: Answer) -> None:
    quarter = "2028-Q4"
    used = {row.workload: 0.0 for row in full.allocation}
    for row in full.allocation:
        used[row.workload] += row.chips if row.quarter == quarter else 0.0
    more = sum(
        row.unserved_tokens / row.served_tokens * used[row.workload]
        for row in full.service
        if row.quarter == quarter
    )
    assert more > 0
    assert chips_needed(full)[quarter] == pytest.approx(sum(used.values()) + more)


def test_flags_carry_the_numbers_of_the_answer(full: Answer) -> None:
    assert numbered_signatures(full) == [
        (1, "2026-Q3"), (2, "2026-Q3"), (3, "2026-Q4"), (4, "2027-Q2"), (5, "2028-Q1"),
    ]  # fmt: skip
    labels = [row.get("label") for row in _rows(capacity_chart(full)) if "label" in row]
    assert set(labels) == {"1·2", "3", "4", "5"}


def _rows(chart) -> list[dict]:
    spec = themed(chart)
    return [row for rows in _find(spec, "values") for row in rows] + [
        row for rows in spec.get("datasets", {}).values() for row in rows
    ]


def _find(item, key):
    if isinstance(item, dict):
        for name, value in item.items():
            if name == key and isinstance(value, list) and value and isinstance(value[0], dict):
                yield value
            else:
                yield from _find(value, key)
    elif isinstance(item, list):
        for value in item:
            yield from _find(value, key)


def test_shares_of_use_sum_to_one_in_every_quarter(full: Answer) -> None:
    totals: dict[str, float] = {}
    for row in _rows(allocation_chart(full)):
        if "workload" in row:
            totals[row["quarter"]] = totals.get(row["quarter"], 0.0) + row["share"]
    assert len(totals) == 16
    assert list(totals.values()) == pytest.approx([1.0] * 16)


def test_no_two_sources_and_no_two_workloads_share_a_color(full: Answer) -> None:
    for colors in (source_colors(full), workload_colors(full)):
        assert len(set(colors.values())) == len(colors) == 6


def test_what_is_never_scarce_gets_no_panel(full: Answer) -> None:
    drawn = {group[0].name for group in price_panels(sample.answer(3))}
    assert drawn == {"gb200", "tpu-v7", "development floor", "cash"}
    assert "texas" in {group[0].name for group in price_panels(full)}


def test_two_charts_of_a_page_share_no_id(full: Answer) -> None:
    first, second = (chart_svg(cash_chart(full), name) for name in ("one", "two"))
    ids = [set(re.findall(r'\bid="([^"]+)"', text)) for text in (first, second)]
    assert not ids[0] & ids[1]
    for text, own in zip((first, second), ids, strict=True):
        assert set(re.findall(r"url\(#([^)]+)\)", text)) <= own


def test_a_chart_becomes_a_png_without_a_browser(full: Answer) -> None:
    assert chart_png(cash_chart(full), 1.0).startswith(b"\x89PNG")
