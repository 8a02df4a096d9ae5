"""Sheets of explanations: what they say, and what they do where there is little to say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exaplan.domain.explained import (
    Alternative,
    Alternatives,
    ClauseWorth,
    Effect,
    Offered,
    PricePoint,
    Sensitivity,
    Stood,
    Swing,
    Wait,
)
from exaplan.report import explained_charts as charts
from exaplan.report.drawing import themed
from exaplan.report.explained import alternatives_sheet, sensitivity_sheet
from exaplan.report.offered import offer_sentence, offer_sheet
from exaplan.report.sheet import record_document, record_frames, sheet_html, sheet_text

STOOD = Stood("Northlab", "north.yaml", "0.1", "2026-Q3", 16, 16, 32, 80e9)
ROWS = (
    Alternative("ordered in all", "tpu", "chip", 1000.0, 800.0, 1200.0, "must have"),
    Alternative("ordered in all", "gpu", "chip", 0.0, 0.0, 500.0, "free"),
    Alternative("signed now", "tpu", "chip", 10.0, 0.0, 20.0, "free"),
    Alternative("raised", "round", "USD", 2e9, 1e9, 3e9, "must have"),
)
ALTERNATIVES = Alternatives(STOOD, 0.01, ROWS)
SENSITIVITY = Sensitivity(
    STOOD,
    (Swing("growth", "as given", "x 0.70", "x 1.30", 60e9, 120e9, "north.yaml:12:3: assumed"),),
    (Effect("growth", 60e9, 40e9, 80e9, 60e9, 10e9),),
    trajectories=2,
    solves=4,
    screened_futures=2,
    seed=1,
)
OFFER = Offered(
    stood=STOOD, offer="tpu", supplier="google", chip="v7", offer_kind="reserved", price=2.3, price_unit="USD/chip/h",
    chips_now=0.0, chips_expected=1000.0, worth_usd=17e9, walk_away_price=4.49, walk_away_note="",
    volume_break_even_price=3.41, prices=(PricePoint(2.3, 17e9), PricePoint(4.49, 1e7), PricePoint(30.0, 0.0)),
    clauses=(ClauseWorth("no deposit", "5 %", "0 %", 1.1e9, 0.036), ClauseWorth("a year longer", "12", "16", -2.5e9, -0.081)),
    waits=(Wait("2026-Q3", 0.0, 17e9, 1000.0), Wait("2026-Q4", 5e7, 16.9e9, 900.0), Wait("2027-Q1", 17e9, 0.0, 0.0), Wait("2027-Q2", 17e9, 0.0, 0.0)),
    sign_by="2026-Q3", worthless_after="2026-Q4", usd_per_chip_hour=2.46, usd_per_chip_hour_discounted=2.65,
    p_ruin_with=0.015, p_ruin_without=0.02, p_ruin_change=-0.005, p_ruin_change_se=0.004, replay_change_usd=11e9,
    replay_change_ci=(9e9, 14e9), paths=200, seed=1,
)  # fmt: skip


def test_a_thinner_tree_is_said_in_the_first_line():
    head = sheet_text(alternatives_sheet(ALTERNATIVES)).splitlines()[0]
    assert "16 futures" in head
    own = replace(ALTERNATIVES, stood=replace(STOOD, futures=32))
    assert "thinner" not in sheet_text(alternatives_sheet(own))


def test_must_have_and_free_are_told_in_one_sentence():
    said = alternatives_sheet(ALTERNATIVES).say
    assert "tpu is must-have and gpu can be left out" in said
    assert "in 2026-Q3 nothing is must-have and tpu can be left out" in said


def test_an_offer_is_told_with_price_and_date():
    said = offer_sentence(OFFER)
    assert "worth $17.0 B" in said
    assert "up to $4.49 a chip-hour (asked: $2.30)" in said
    assert "sign by 2026-Q3: from 2026-Q4 on it costs $50.0 M" in said


def test_quarters_in_which_nothing_is_left_are_told_once():
    text = sheet_text(offer_sheet(OFFER))
    assert "2027-Q1" in text
    assert "2027-Q2" not in text
    assert "From then on nothing changes." in text


def test_ruin_comes_with_its_standard_error():
    text = sheet_text(offer_sheet(OFFER))
    assert "−0.5 points (standard error 0.4)" in " ".join(text.split())


@pytest.mark.parametrize(
    "sheet", [alternatives_sheet(ALTERNATIVES), sensitivity_sheet(SENSITIVITY), offer_sheet(OFFER)]
)
def test_a_sheet_reads_in_a_narrow_plain_terminal_and_as_a_page(sheet):
    text = sheet_text(sheet, width=70, ascii_only=True)
    assert text.isascii()
    assert max(len(line) for line in text.splitlines()) <= 72  # an ellipsis is three dots there
    page = sheet_html(sheet)
    assert page.count("<svg") == len(sheet.pictures)
    assert sheet.say.split()[0] in page


def drawn(chart) -> list[list[dict[str, object]]]:
    """The rows that a chart's layers are drawn from."""
    spec = themed(chart)
    return [spec["datasets"][layer["data"]["name"]] for layer in spec["layer"]]


def test_the_tornado_leaves_the_base_on_both_sides():
    low, high = drawn(charts.tornado_chart(SENSITIVITY.swings, 80e9))[0]
    assert (low["end"], low["left"]) == ("low", True)
    assert (high["end"], high["left"]) == ("high", False)


def test_the_price_chart_stops_where_nothing_is_to_be_seen():
    line, *marks = drawn(charts.price_chart(OFFER))
    assert [row["price"] for row in line] == [2.3, 4.49]
    assert "walk away: $4.49" in [row["label"] for rows in marks for row in rows]


def test_nothing_to_draw_is_no_chart():
    nothing = replace(OFFER, prices=(), clauses=(), waits=OFFER.waits[:1])
    assert charts.alternatives_chart(replace(ALTERNATIVES, rows=())) is None
    assert charts.price_chart(nothing) is None
    assert charts.clauses_chart(nothing) is None
    assert charts.waits_chart(nothing) is None
    assert charts.morris_chart(replace(SENSITIVITY, effects=())) is None
    assert charts.tornado_chart((), 0.0) is None
    assert sheet_text(alternatives_sheet(replace(ALTERNATIVES, rows=()))).startswith("Northlab")


def test_json_knows_no_infinity():
    endless = replace(ALTERNATIVES, rows=(replace(ROWS[0], most=float("inf")),))
    assert record_document("alternatives", endless)["rows"][0]["most"] is None


def test_every_tuple_of_rows_is_a_frame():
    frames = record_frames(OFFER)
    assert set(frames) == {"prices", "clauses", "waits"}
    assert frames["clauses"].columns == ["clause", "now", "instead", "gain_usd", "price_equivalent"]
