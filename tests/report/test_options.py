"""Real options in words and pictures: what the numbers of one answer become."""

from __future__ import annotations

import json
from dataclasses import replace

from exaplan.domain.options import (
    Bargain,
    Begin,
    Delayed,
    FoundryCost,
    LeverageAnswer,
    LumpOption,
    OptionsAnswer,
    PricePoint,
    ProgramStart,
)
from exaplan.report.drawing import chart_png, themed
from exaplan.report.options import foundry_sentence, grids, headline, options_document, options_text
from exaplan.report.options_charts import options_chart
from exaplan.report.options_page import options_page

BILLION = 1e9


def option(
    lump: str, values: tuple[float, ...], latest: str | None, begin: str = "2026-Q3", chance: float = 1.0
) -> LumpOption:
    quarters = ("2026-Q3", "2026-Q4", "2027-Q1")
    never = 90 * BILLION
    return LumpOption(
        lump=lump, go_usd=never + values[0], wait_usd=never + values[1], never_usd=never, best_usd=never + max(values), gap=1e-7,
        begins=(Begin(begin, chance),),
        by_quarter=tuple(Delayed(q, never + v, v) for q, v in zip(quarters, values, strict=True)), latest=latest,
    )  # fmt: skip


def cost(name: str) -> FoundryCost:
    return FoundryCost(name, "N3P", "murphy", 64, 0.4738, 643.0, 8600.0, 18_000.0, 58_000.0)


LEVERAGE = LeverageAnswer(
    incumbent=("gb300-3y",), margin=0.4, walk_without_usd=76 * BILLION, walk_with_usd=83 * BILLION,
    points=(PricePoint(0.5, 140e9, 140e9, 80e9, 80e9), PricePoint(1.0, 89e9, 92e9, 74e9, 60e9)),
    break_even=0.046, bargains=(Bargain(0.2, 0.91, 0.88), Bargain(0.8, 0.69, None)), typed_discount=0.2,
)  # fmt: skip

ANSWER = OptionsAnswer(
    lab="Made Up", lab_file="made-up.yaml", first_quarter="2026-Q3", leaves=16, nodes=157, objective_usd=93.2 * BILLION,
    bound_usd=93.2 * BILLION, gap=1e-6,
    starts=(ProgramStart("orca", "b", "2026-Q3", 1.0, 651e6, 388_000.0, 21.5e9),),
    chip_costs=(cost("orca-a"), cost("orca-b")),
    options=(option("orca", (3.2e9, 2.3e9, 1.0e9), "2027-Q1"), option("orca-a", (2.7e9, 1.9e9, 0.0), "2026-Q4"),
             option("orca-b", (3.2e9, 2.3e9, 1.0e9), "2027-Q1")),
    leverage=LEVERAGE, remarks=("A remark.",), version="0", timings={"solve": 1.0},
)  # fmt: skip


def test_the_headline_says_what_with_whom_when_and_until_when():
    assert headline(ANSWER) == (
        "Start orca with foundry b now: worth $3.2 B over never starting it; after 2027-Q1 it is too late."
    )
    later = replace(ANSWER, starts=(replace(ANSWER.starts[0], quarter="2026-Q4", probability=0.5),))
    assert "from 2026-Q4, in 50 % of futures" in headline(later)
    assert headline(replace(ANSWER, starts=())).startswith("Start nothing")


def test_the_better_foundry_is_named_with_its_lead():
    assert foundry_sentence(ANSWER) == "orca-b is worth $500 M more than orca-a."
    assert foundry_sentence(replace(ANSWER, chip_costs=())) == ""


def test_differences_within_rounding_are_nothing():
    tiny = option("orca", (1.0, 0.0, 0.0), None)
    table = next(grid for grid in grids(replace(ANSWER, options=(tiny,))) if grid.key == "values")
    row = dict(zip(table.heads, table.rows[0], strict=True))
    assert [row[head] for head in ("go now", "wait", "best", "right to wait")] == ["$0"] * 4
    assert row["too late after"] == "never worth it"


def test_every_table_is_as_wide_as_its_heads():
    for grid in grids(ANSWER):
        assert {len(row) for row in grid.rows} == {len(grid.heads)}
        assert set(grid.words) <= set(grid.heads)


def test_what_bargaining_cannot_settle_is_not_a_number():
    table = next(grid for grid in grids(ANSWER) if grid.key == "bargains")
    assert table.rows == (("20 %", "0.91", "0.88", "3.3 %"), ("80 %", "0.69", "n/a", "n/a"))


def test_text_object_and_page_hold_the_answer():
    text, page = options_text(ANSWER, width=110), options_page(ANSWER)
    for piece in ("Go, wait, never", "break-even discount", "A remark."):
        assert piece in text
        assert piece in page
    assert "Seconds" not in page
    found = json.loads(json.dumps(options_document(ANSWER), allow_nan=False))
    assert found["options"][0]["worth_usd"] == 3.2e9
    assert found["leverage"]["bargains"][0]["with"] == 0.88


def test_the_chart_draws_each_way_and_both_prices():
    spec = json.dumps(themed(options_chart(ANSWER)))
    for piece in ("orca-a", "orca-b", "without second source", "break-even discount 4.6 %", "too late after"):
        assert piece in spec
    assert '"lump": "orca"' not in spec  # the program as a whole is its better way
    assert chart_png(options_chart(ANSWER))[:4] == b"\x89PNG"
    assert options_chart(replace(ANSWER, options=(), leverage=None)) is None
