"""The answer fits one screen, answer first."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.report import sample

from exaplan.domain.answer import Answer
from exaplan.report.terminal import MAX_LINES, answer_text


@pytest.mark.parametrize("kind", ["empty", "losing", "one quarter", "forty quarters", "no verdict"])
@pytest.mark.parametrize("width", [20, 80, 100, 160])
def test_no_answer_is_longer_than_a_screen_or_wider_than_asked(kind: str, width: int) -> None:
    lines = answer_text(sample.odd(kind), width=width, run_folder="runs/a").split("\n")
    assert len(lines) <= MAX_LINES == 45
    assert max(map(len, lines)) <= max(width, 60)


def test_the_answer_stands_before_everything_else(full: Answer) -> None:
    lines = answer_text(full, run_folder="runs/a").split("\n")
    assert lines[0].startswith(
        "Examplia (made-up lab) · made-up.yaml · 16 quarters from 2026-Q3 · 96 futures"
    )
    answer = next(number for number, line in enumerate(lines) if line.startswith("Sign 2 orders by 2026-Q3"))
    first = next(number for number, line in enumerate(lines) if "Sign by 2026-Q3  reserve-gb200" in line)
    value = next(number for number, line in enumerate(lines) if line.startswith("  Value"))
    assert answer < first < value
    assert "60,000 gb200" in lines[first]
    assert "$4.9 B" in lines[first]
    assert lines[first].endswith("costs $310 M")


@pytest.mark.parametrize(
    "words",
    [
        "Then by 2026-Q4",
        "in 78 % of futures",
        "Keep open",
        "$17.8 B ($17.4 B to $18.2 B) on 500 unseen futures · the tree says $18.3 B",
        "1.8 % (0.9 % to 3.4 %) on the same futures · the tree needs rescue in 1.2 %",
        "93.1 % of demand",
        "The plan beats it by $1.2 B to $2.1 B",
        "development floor: binds in 9 quarters, worth $29.0 M per percentage point",
        "relaxed by 4,000 chips at $2.1 k per chip",
        "One more MW (texas) in 2030-Q2 is worth +$0.22 M",
        "first signature flips at -55 %/year",
        "(assumed)",
        "SIGN tpu-v7-deal in 2026-Q4",
        "primal 3e-11, dual 8e-10, gap 2e-12",
        "runs/a/ report.html",
        "exaplan decide made-up.yaml OFFER",
    ],
)
def test_the_screen_says(full: Answer, words: str) -> None:
    told = " ".join(answer_text(full, width=100, run_folder="runs/a").split())
    assert words in told


def test_files_and_next_steps_survive_a_crowded_screen(losing: Answer) -> None:
    text = answer_text(losing, run_folder="runs/a")
    assert "NOT beat it" in text
    assert "more in the report page" in text
    assert "runs/a/ report.html" in text


def test_plain_text_has_no_escapes_and_color_only_adds_them(full: Answer) -> None:
    plain, colored = answer_text(full), answer_text(full, color=True)
    assert "\x1b" not in plain
    for code in ("\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[0m"):
        colored = colored.replace(code, "")
    assert colored == plain


def test_an_ascii_terminal_gets_ascii(full: Answer) -> None:
    text = answer_text(replace(full, lab="Łab · größe"), ascii_only=True)
    assert text.isascii()
    assert text.startswith("?ab - gr??e")
