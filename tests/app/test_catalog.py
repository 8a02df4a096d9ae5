"""``exaplan catalog``: every figure with its unit, source, date and kind; like things told apart by name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from exaplan.app.cli.entries import TABLES
from exaplan.app.cli.main import main


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["catalog", *arguments], env={"COLUMNS": "240"})


def entry(*arguments: str) -> dict[str, Any]:
    (found,) = json.loads(run(*arguments, "--json").stdout)
    return dict(found)


def figures(*arguments: str) -> dict[str, tuple[Any, str]]:
    return {figure["name"]: (figure["value"], figure["unit"]) for figure in entry(*arguments)["figures"]}


def test_the_tables_are_listed_with_their_sizes() -> None:
    result = run()
    assert result.exit_code == 0
    assert all(table in result.stdout for table in TABLES)


@pytest.mark.parametrize("table", TABLES)
def test_every_row_of_a_table_has_a_source_a_date_and_a_kind(table: str) -> None:
    assert run(table).exit_code == 0
    rows = json.loads(run(table, "--json").stdout)
    assert rows
    assert [
        row["id"] for row in rows if not (row["source"] and row["date"] and row["kind"] and row["figures"])
    ] == []


def test_a_chip_tells_one_way_from_two_way_package_from_it_power_and_says_that_peaks_are_dense() -> None:
    chip = figures("chips", "h100")
    assert chip["scale_up_bandwidth_bytes_per_s"] == (450e9, "B/s")
    assert chip["scale_up_bandwidth_bidirectional_bytes_per_s"] == (900e9, "B/s")
    assert chip["tdp_w"] == (700.0, "W")
    assert chip["it_power_w"] == (1453.0, "W")
    shown = run("chips", "H100-SXM").stdout
    for words in (
        "989.4 TFLOP/s   (dense BF16 peak)",
        "one way)",
        "both ways summed)",
        "per chip",
        "core",
        "x PUE",
    ):
        assert words in shown


def test_a_model_shows_what_its_architecture_comes_to() -> None:
    model = figures("models", "deepseek-v3")
    assert model["params_total_counted_b"][0] == pytest.approx(671, rel=0.01)
    assert model["params_active_counted_b"][0] == pytest.approx(37, rel=0.02)


def test_the_prices_of_a_chip_come_with_their_sources_once() -> None:
    shown = run("prices", "B200").stdout
    assert "USD/chip/h" in shown
    assert "[1] " in shown
    priced = json.loads(run("prices", "B200", "--json").stdout)
    assert all(row["id"] == "B200-SXM" for row in priced)
    assert all(
        isinstance(figure["value"], float) for row in priced for figure in row["figures"] if figure["unit"]
    )


def test_energy_says_which_power_is_meant() -> None:
    assert figures("energy", "pue-other-2024-26")["middle"] == (1.3, "ratio")
    assert "IT x PUE" in run("energy", "pue-other-2024-26").stdout


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("chips", "H100-SMX"), "did you mean 'H100-SXM'"),
        (("models", "deepsek-v3"), "DeepSeek-V3"),
        (("laws", "besiroglu-2024"), "besiroglu-2024-epoch-refit"),
        (("energy", "pue"), "pue-other-2024-26"),
        (("labs", "Antropic"), "did you mean 'Anthropic'"),
        (("prices", "TPU7x-Ironwood"), "no price of TPU7x-Ironwood"),
        (("prices", "nonsense"), "lists what is known"),
        (("chip",), "did you mean 'chips'"),
        (("h100",), "exaplan catalog chips H100-SXM"),
        (("zzz",), "choose one of: chips, models"),
    ],
)
def test_an_unknown_name_ends_with_two_and_the_nearest_one(arguments: tuple[str, ...], hint: str) -> None:
    result = run(*arguments)
    if result.exit_code == 0:
        assert hint in result.stdout, "a name that only one entry contains opens that entry"
    else:
        assert result.exit_code == 2
        assert hint in result.stderr
