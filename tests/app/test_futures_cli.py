"""``exaplan futures``: the copula with its sources, processes beside theory, named futures, the tree's fit; one page, one object."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from tests.app.test_explained_cli import run

import exaplan
from exaplan.app.cli.main import main

SMALL = (Path(__file__).parents[1] / "io" / "small.yaml").read_text(encoding="utf-8")
MORE = """  rental:
    start: 1.1
    volatility: 30 %
    reversion: 200 %/year
    regimes:
      glut: {level: 60 %, switches: {balance: 100 %/year}}
      balance: {level: 100 %, switches: {glut: 100 %/year, scarcity: 60 %/year}}
      scarcity: {level: 130 %, switches: {balance: 150 %/year}}
    spot: {volatility: 40 %, reversion: 200 %/year}
  demand_delay: {chance: 40 %, by: 0 to 9 months}
  renewals: {neocloud: {jump: 90 % to 150 %, refusal: 10 %}}
  capital_window: {closes: 40 %/year, reopens: 80 %/year}
  model_shifts:
    sparse: {chips: [b200], probability: 20 %/year, factor: "choice(60 %: 50 %, 80 %: 50 %)"}
  rates: sampled
  pinned:
    bear: {probability: 20 %, demand: 10 %, delay: 90 %}
    bull: {probability: 10 %, demand: 90 %}
"""


def text_with(more: str = MORE) -> str:
    lines = SMALL.splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if line.startswith("futures:"))
    end = next(
        (n for n in range(at + 1, len(lines)) if lines[n].strip() and not lines[n].startswith(" ")),
        len(lines),
    )
    kept = [line for line in lines[at + 1 : end] if not line.startswith("  rental")]
    return "".join([*lines[: at + 1], *kept, more, *lines[end:]])


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("futures")
    file = folder / "lab.yaml"
    file.write_text(text_with(), encoding="utf-8")
    result = run("futures", file, "--paths", "2000", "--seed", "3", "--out", folder / "run", "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout), folder / "run", file


def test_the_object_tells_every_number_of_the_copula_and_its_source(shown):
    answer, _, _ = shown
    matrix = np.array(answer["matrix"])
    assert matrix.shape == (len(answer["factors"]),) * 2
    assert matrix == pytest.approx(matrix.T)
    stated = [row for row in answer["correlations"] if "demand" in row["one"] and row["other"] == "rental"]
    assert stated
    assert all("lab.yaml:" in row["source"] for row in stated)


def test_moments_carry_their_error_and_theory_where_there_is_one(shown):
    answer, _, _ = shown
    rows = {(row["quantity"], row["quarter"]): row for row in answer["moments"]}
    quarters = sorted({quarter for _, quarter in rows})
    spot = rows["spot", quarters[1]]
    assert spot["mean_error"] > 0
    assert spot["p95_error"] > 0
    assert spot["p05"] < spot["p50"] < spot["p95"]
    assert spot["theory_mean"] == pytest.approx(spot["mean"], abs=3 * spot["mean_error"])
    windows = [
        row for name, row in ((key[0], row) for key, row in rows.items()) if name.startswith("window.")
    ]
    assert windows
    assert all(abs(row["theory_mean"] - row["mean"]) < 3 * row["mean_error"] for row in windows)


def test_named_futures_published_rents_and_the_fit_are_told(shown):
    answer, folder, _ = shown
    assert [(row["id"], row["paths"]) for row in answer["named"]] == [("bear", 400), ("bull", 200)]
    assert answer["named"][0]["demand"] < answer["named"][1]["demand"]
    assert all(0.05 < row["quantile"] < 0.95 for row in answer["rents"])
    assert answer["distances"][0]["distance"] == pytest.approx(0, abs=1e-9)
    assert all(row["distance"] > 0 for row in answer["distances"][1:])
    fit = pl.read_parquet(folder / "tables" / "fit.parquet")
    assert {"quarter", "state", "mean_error", "sd_ratio", "distance"} == set(fit.columns)
    assert {"spot", "window.C"} & set(fit["state"])


def test_the_page_has_a_panel_for_each_quantity_that_spreads(shown):
    _, folder, _ = shown
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "<svg" in page
    for name in ("demand.chat", "rental", "spot", "frontier"):
        assert f">{name}<" in page


def test_the_same_seed_prints_the_same_and_the_text_answers_first(shown, tmp_path):
    _, _, file = shown
    texts = []
    for name in ("a", "b"):
        result = CliRunner().invoke(
            main, ["futures", str(file), "--paths", "400", "--out", str(tmp_path / name)]
        )
        assert result.exit_code == 0, result.output
        texts.append(
            [line for line in result.output.splitlines() if "  Time" not in line and "  Files" not in line]
        )
    assert texts[0] == texts[1]
    assert "sources of uncertainty" in " ".join(texts[0][:3])
    assert any(line.startswith("Named futures") for line in texts[0])


def test_a_study_shows_the_same(shown):
    answer, _, file = shown
    told = exaplan.load(file).futures(paths=2000, seed=3)
    assert [row.mean for row in told.record.moments] == [row["mean"] for row in answer["moments"]]
    assert set(told.frames) >= {"moments", "correlations", "fit"}
    assert "sources of uncertainty" in repr(told)


def test_the_help_is_for_newcomers():
    result = CliRunner().invoke(main, ["futures", "--help"])
    assert "uncertain" in result.output
    assert "--paths" in result.output
