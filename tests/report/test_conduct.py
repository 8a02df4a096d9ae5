"""What is started and who serves whom stands on the screen, on the page and in the tables, and only where there is any."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exaplan.domain.answer import Answer
from exaplan.domain.conduct import NEVER, BlockUse, Conduct, InternalUse, Lump, MarginalChip
from exaplan.domain.demand import OfferedPrice, RoutedShare, TrustEarned
from exaplan.report.conduct import mix_grids, started_grid
from exaplan.report.page import page_html
from exaplan.report.tables import CONDUCT, RECORDS, document, frames
from exaplan.report.terminal import MAX_LINES, answer_text

DAYS = ("2026-Q3", "2026-Q4")
MADE = Conduct(
    started=(
        Lump("deal", "stake", "2026-Q3", 1.0, "with maker", 3e9),
        Lump("site step", "hall at texas", "2026-Q4", 0.4, "120 MW, power from 2027-Q4", -1.2e9),
        Lump("launch", "video", NEVER, 0.0, "started in no future", 0.0),
    ),
    routing=tuple(
        RoutedShare(day, "chat", model, share, 1e13 * share, 1.0)
        for day, mix in zip(DAYS, ((0.75, 0.25), (0.4, 0.6)), strict=True)
        for model, share in zip(("large", "small"), mix, strict=True)
    ),
    price_points=(OfferedPrice("2026-Q3", "chat", 1.3, 1.0, 2e13, 1.5e13),),
    trust=(TrustEarned("2026-Q3", "chat", 3e7, 0.08, 9e9),),
    blocks=tuple(
        BlockUse("2026-Q3", block, hours, chips, 9000.0 - chips, 0.0, 250.0, 1e12, 0.0)
        for block, hours, chips in (("peak", 0.2, 7000.0), ("trough", 0.8, 4000.0))
    ),
    internal_use=tuple(InternalUse(day, "staff", 2e11, 4e6, gain) for day, gain in zip(DAYS, (0.0, 0.05), strict=True)),
    margins=(
        MarginalChip("serve", "gb200", "us", 4000.0, 8000.0, -500.0, 7500.0, 7500.0),
        MarginalChip("train", "gb200", "us", 2000.0, 6000.0, 1500.0, 7500.0, 7500.0),
    ),
)  # fmt: skip


@pytest.fixture
def told(full: Answer) -> Answer:
    return replace(full, conduct=MADE)


@pytest.mark.parametrize(
    "words",
    [
        "Started deal stake: 2026-Q3, +$3.0 B (with maker)",
        "site step hall at texas: 2026-Q4 in 40 % of futures, −$1.2 B (120 MW, power from 2027-Q4)",
        "never: launch video",
        "Served by chat: 2026-Q3 large 75 %, small 25 %; 2026-Q4 large 40 %, small 60 %",
        "Priced at chat: 2026-Q3 1.3 × price 100 %",
        "Own use staff: saves $8.0 M in 2 quarters; serving output 5.0 % up in 2026-Q4",
        "Trust chat: premium $30.0 M, 9.0 B tokens of customers leave",
    ],
)
def test_the_screen_says(told: Answer, words: str) -> None:
    lines = answer_text(told, width=120).split("\n")
    assert len(lines) <= MAX_LINES
    assert words in " ".join(" ".join(lines).split())


def test_many_starts_leave_room_for_the_rest(told: Answer) -> None:
    many = replace(told, conduct=replace(MADE, started=MADE.started[:1] * 30))
    text = answer_text(many, width=120, run_folder="runs/a")
    assert len(text.split("\n")) <= MAX_LINES
    assert "… and 26 more in the report page" in text
    assert "Certificate" in text


def test_the_page_has_both_sections_and_every_table(told: Answer) -> None:
    page = page_html(told)
    assert '<section id="started">' in page
    assert '<section id="mix">' in page
    for title in ("Who serves", "Prices offered", "Own use", "Trust", "Chips at work by load block", "What one more chip earns"):  # fmt: skip
        assert f"<h3>{title}</h3>" in page
    for table in CONDUCT:
        assert f'download="{table}.csv"' in page


def test_a_table_by_quarter_has_one_line_for_each_choice() -> None:
    grids = {grid.table: grid for grid in mix_grids(MADE)}
    assert grids["routing"].heads == ("Segment", "Model", *DAYS)
    assert grids["routing"].rows == (("chat", "large", "75 %", "40 %"), ("chat", "small", "25 %", "60 %"))
    assert grids["blocks"].rows[0] == ("peak (20 % of hours)", "serving", "7,000")
    assert [row[1] for row in grids["blocks"].rows] == ["serving", "development", "ready"] * 2
    assert grids["margins"].rows[1] == ("gb200 at us", "development", "2,000", "$6.0 k", "+$1.5 k", "$7.5 k")
    started = started_grid(MADE)
    assert started is not None
    assert [row[4] for row in started.rows] == ["100 %", "40 %", ""]


def test_json_and_tables_hold_the_rows(told: Answer) -> None:
    made = frames(told)
    assert list(made) == [*RECORDS, *CONDUCT]
    assert made["started"]["cash_usd"].to_list() == [3e9, -1.2e9, 0.0]
    assert document(told)["routing"][1] == {
        "quarter": "2026-Q3", "workload": "chat", "model": "small", "share": 0.25, "tokens": 2.5e12, "ready": 1.0,
    }  # fmt: skip


def test_a_lab_without_such_choices_sees_nothing_of_it(full: Answer) -> None:
    assert not {*CONDUCT} & {*document(full), *frames(full)}
    page, text = page_html(full), answer_text(full)
    assert 'id="started"' not in page
    assert 'id="mix"' not in page
    assert not any(
        f"\n  {label} " in text for label in ("Started", "Served by", "Priced at", "Own use", "Trust")
    )
