"""The strategic example answers its questions, and docs/strategic.md prints what it answers."""

from __future__ import annotations

from pathlib import Path

import pytest

import exaplan
from exaplan.app.optioning import foundry_costs
from exaplan.domain.lab import Lab
from exaplan.io.labfile import read_lab
from exaplan.report.wording import percent, usd

ROOT = Path(__file__).parents[2]
FILE = ROOT / "examples" / "strategic.yaml"
PAGE = (ROOT / "docs" / "strategic.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def lab() -> Lab:
    return read_lab(FILE)


def test_the_tree_has_sixteen_leaves_and_parts_in_four_quarters(lab):
    assert [branch.into for branch in lab.futures.branches] == [2, 2, 2, 2]


def test_the_page_prints_the_cost_of_a_chip_at_each_foundry(lab):
    for cost in foundry_costs(lab):
        cells = (usd(cost.good_die_usd), usd(cost.packaged_usd), usd(cost.price_usd), usd(cost.installed_usd))
        assert f"| {cost.choice}, {cost.node} | {' | '.join(cells)} |" in PAGE


def test_every_figure_of_the_program_names_its_source_or_is_marked_as_assumed():
    lines = FILE.read_text(encoding="utf-8").splitlines()
    first, last = (
        next(i for i, line in enumerate(lines) if line.startswith(key)) for key in ("silicon:", "leverage:")
    )
    figures = [
        line
        for line in lines[first + 1 : last + 4]
        if ":" in line and any(c.isdigit() for c in line.split("#")[0])
    ]
    bare = [
        line
        for line in figures
        if "#" not in line and not line.strip().startswith(("- id", "node", "- supplier"))
    ]
    assert not [line for line in bare if line.split(":")[1].strip()]


@pytest.mark.slow
def test_the_example_answers_as_the_page_says():
    answer = exaplan.load(FILE).options()
    by = {option.lump: option for option in answer.options}
    assert set(by) == {"orca", "orca-a", "orca-b", "hall-1", "hall-2", "amazon-stake"}
    assert answer.gap <= 0.005
    assert max(option.gap for option in answer.options) <= 0.005
    assert answer.starts[0].quarter == answer.first_quarter
    assert (answer.starts[0].foundry, by["orca-b"].latest) == ("b", "2028-Q1")
    worth = (usd(by["orca-a"].worth_usd), usd(by["orca-b"].worth_usd), usd(by["hall-1"].worth_usd))
    assert f"| 2026-Q3 (now) | {' | '.join(worth)} |" in PAGE
    assert f"**Break-even discount**: a cut of {percent(answer.leverage.break_even)}" in PAGE
    for bargain in answer.leverage.bargains:
        row = f"| {percent(bargain.power, 0)} | {bargain.without:.2f} | {bargain.with_:.2f} | {percent(bargain.discount)} |"
        assert row in PAGE
