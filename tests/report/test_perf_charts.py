"""Charts and words of the performance model."""

from __future__ import annotations

import subprocess
import sys

import pytest

from exaplan.domain.derivation import Derivation, Operand
from exaplan.report.drawing import themed
from exaplan.report.perf_charts import (
    Roof,
    RoofPoint,
    TimePart,
    chart_file,
    roofline_chart,
    stacked,
    time_chart,
)
from exaplan.report.perf_frontier_charts import Gain, RatePoint, gains_chart, pareto_chart
from exaplan.report.perf_tables import derivation_lines, figure, grid_text, interval_text, with_numbers

ROOF = Roof("BF16 peak", 1e15, 2e12)
POINT = RoofPoint("experts", "decode", 3e13, 20.0, 0.01, "memory binds")


def values(chart):
    """Rows of all data that a chart carries, layer by layer."""
    return [row for rows in themed(chart)["datasets"].values() for row in rows]


def test_importing_the_charts_loads_no_plotting_library():
    code = (
        "import sys, exaplan.report.perf_charts, exaplan.report.perf_frontier_charts, exaplan.report.perf_tables;"
        "print([m for m in ('altair', 'vl_convert', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_roof_bends_where_peak_meets_bandwidth():
    rows = [row for row in values(roofline_chart([ROOF], [POINT], title="t")) if "roof" in row]
    left, ridge, right = rows
    assert ridge["intensity"] == pytest.approx(500.0)
    assert ridge["rate"] == right["rate"] == 1e15
    assert left["rate"] == pytest.approx(2e12 * left["intensity"])


def test_an_operator_stands_at_its_intensity_and_rate():
    point = next(row for row in values(roofline_chart([ROOF], [POINT], title="t")) if "operator" in row)
    assert (point["intensity"], point["rate"], point["share"]) == (20.0, 3e13, 1.0)


def test_what_has_no_bytes_or_no_flop_has_no_place_on_a_roofline():
    lone = [
        RoofPoint("attention", "prefill", 1e14, float("inf"), 0.01, ""),
        RoofPoint("elementwise", "decode", 0.0, 0.0, 0.01, ""),
    ]
    assert roofline_chart([ROOF], lone, title="t") is None
    drawn = [row for row in values(roofline_chart([ROOF], [POINT, *lone], title="t")) if "operator" in row]
    assert [row["operator"] for row in drawn] == ["experts"]


def test_small_terms_are_put_together_and_the_sum_stays():
    parts = [TimePart("a", "experts", 0.9), TimePart("a", "head", 0.0005), TimePart("a", "optimizer", 0.0015)]
    parts += [TimePart("b", "experts", 0.5), TimePart("b", "head", 0.001)]
    rows = values(time_chart(parts, title="t", unit="ms"))
    assert {row["term"] for row in rows} == {"experts", "small parts"}
    assert sum(row["time"] for row in rows if row["bar"] == "a") == pytest.approx(902.0)
    assert sum(row["time"] for row in rows if row["bar"] == "b") == pytest.approx(501.0)


def test_a_pareto_line_is_in_milliseconds():
    rows = values(pareto_chart([RatePoint("H100", 0.025, 3000.0, "tp8")], title="t"))
    assert rows[0]["tpot"] == pytest.approx(25.0)


def test_a_gain_carries_its_interval_and_begins_at_one():
    rows = [
        row
        for row in values(gains_chart([Gain("joint", 3.0, "together", 2.0, 4.0)], title="t"))
        if "gain" in row
    ]
    assert (rows[0]["low"], rows[0]["gain"], rows[0]["high"], rows[0]["one"]) == (2.0, 3.0, 4.0, 1.0)


def test_nothing_to_draw_is_none():
    assert time_chart([], title="t") is None
    assert pareto_chart([], title="t") is None
    assert gains_chart([], title="t") is None
    assert stacked(None, None) is None


def test_charts_are_png_or_a_page_of_their_own():
    chart = stacked(
        roofline_chart([ROOF], [POINT], title="t"), time_chart([TimePart("a", "experts", 1.0)], title="t")
    )
    assert chart_file(chart, ".png").startswith(b"\x89PNG")
    with pytest.raises(ValueError, match=r"not as \.svg"):
        chart_file(chart, ".svg")


def test_a_derivation_opens_to_formula_numbers_and_sources():
    parts = (
        Operand("flop", 2e15, "FLOP", "exact count"),
        Operand("flop_per_s", 1e15, "FLOP/s", "datasheet"),
    )
    lines = derivation_lines(Derivation("time", 2.0, "s", "flop / flop_per_s", parts, "here"))
    assert lines[:3] == ["time = 2 s", "  = flop / flop_per_s", "  = 2 PFLOP / 1 PFLOP/s"]
    assert lines[3].split() == ["flop", "2", "PFLOP", "exact", "count"]
    assert lines[4].endswith("datasheet")


def test_a_name_inside_a_longer_name_is_not_replaced():
    parts = (Operand("experts", 0.5, "s"), Operand("expert traffic", 0.25, "s"), Operand("head", 0.001, "s"))
    derivation = Derivation("sum", 0.751, "s", "experts + expert traffic + head", parts)
    assert with_numbers(derivation) == "500 ms + 250 ms + 1 ms"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1.5e-5, "s", "15 us"),
        (12.34, "s", "12.34 s"),
        (1.98e15, "FLOP/s", "1.98 PFLOP/s"),
        (8e10, "B", "80 GB"),
        (float("nan"), "W", "n/a"),
        (2048.0, "chip", "2,048 chip"),
    ],
)
def test_figures_carry_units_and_prefixes(value, unit, text):
    assert figure(value, unit) == text


def test_intervals_keep_three_digits():
    assert interval_text(1259.6, 4271.0) == "1,260 .. 4,270"
    assert interval_text(0.1234, 0.5678) == "0.123 .. 0.568"


def test_a_title_is_never_folded_into_the_width_of_its_table():
    text = grid_text(("a", "b"), [("1", "2")], title="a title that is much wider than two columns", width=80)
    assert text.splitlines()[0] == "a title that is much wider than two columns"


def test_a_narrow_terminal_goes_without_spare_columns_and_says_so():
    heads, row = ("name", "first", "second", "third"), ("x" * 20, "1" * 20, "2" * 20, "3" * 20)
    wide = grid_text(heads, [row], left=("name",), spare=("second", "first", "absent"), width=100)
    narrow = grid_text(heads, [row], left=("name",), spare=("second", "first", "absent"), width=70)
    assert "2" * 20 in wide
    assert "Too narrow" not in wide
    assert "2" * 20 not in narrow
    assert "1" * 20 in narrow
    assert "Too narrow for second:" in narrow
