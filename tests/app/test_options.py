"""``exaplan options`` on a small lab with a chip program: the answer as text, object, chart and page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.app import strangers
from tests.io.test_silicon_file import PROGRAM

from exaplan.app.cli.main import main
from exaplan.io.runfolder import read_run


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four quarters: the program is released in the second one and its chips are nearly free, so that it is started."""
    from ruamel.yaml import YAML

    given = strangers.short_lab() | YAML(typ="safe", pure=True).load(PROGRAM)
    program = given["silicon"]["asic"]
    program |= {
        "lead": "2 quarters",
        "production": "1 quarter",
        "system_cost": "1 kUSD/chip",
        "life": "2 years",
    }
    program["nre"] = {"design": {"age": "0 quarters", "amount": "0.1 MUSD"}}
    program["foundries"]["n3"] |= {
        "wafer_price": "1 kUSD/wafer",
        "hbm_cost": "1 USD/stack",
        "packaging_cost": "1 USD/chip",
    }
    return strangers.write_lab(tmp_path_factory.mktemp("lab"), given)


def run(*arguments: str | Path):
    return CliRunner().invoke(main, ["options", *map(str, arguments)], catch_exceptions=False)


def test_the_object_holds_values_dates_costs_and_leverage(lab: Path) -> None:
    done = run(lab, "--json")
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    (option,) = found["options"]
    assert option["lump"] == "asic"
    assert option["best_usd"] >= max(option["go_usd"], option["wait_usd"], option["never_usd"]) - 1
    assert option["worth_usd"] > 0
    assert found["starts"][0]["foundry"] == "n3"
    assert found["leverage"]["incumbent"] == ["own-b200"]
    assert len(found["leverage"]["bargains"]) == 5
    assert found["gap"] < 0.005


def test_text_chart_and_page_are_written(lab: Path, tmp_path: Path) -> None:
    done = run(lab, "--plot", tmp_path / "options.png", "--out", tmp_path / "run")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[1].startswith("Start asic with foundry n3")
    assert (tmp_path / "options.png").read_bytes()[:4] == b"\x89PNG"
    kept = read_run(tmp_path / "run")
    assert {"values", "by_quarter", "chip_costs", "starts", "bargains", "prices"} == set(kept.tables)
    assert "<svg" in kept.page
    assert "Go, wait, never" in kept.page
    assert "timings" not in kept.document


def test_a_lab_without_lumps_is_told_so(tmp_path: Path) -> None:
    done = run(strangers.write_lab(tmp_path, strangers.short_lab()))
    assert done.exit_code == 2
    assert "nothing that is started once or never" in done.stderr
