"""A lab file edited by a stranger gives a defensible answer or a located error, never a traceback."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.app import strangers

from exaplan.app.cli.main import main
from exaplan.app.study import load
from exaplan.report.tables import document

Fields = dict[str, Any]
Edit = Callable[[Fields], None]
FLOOR = "development floor"


def lab_of(edit: Edit, folder: Path) -> Path:
    lab = strangers.short_lab()
    edit(lab)
    return strangers.write_lab(folder, lab)


def answer_of(edit: Edit, folder: Path) -> Fields:
    plan = load(lab_of(edit, folder)).plan(paths=20)
    assert "Value" in repr(plan)
    answer = document(plan.answer)
    defensible(answer)
    return answer


def defensible(answer: Fields) -> None:
    """What holds for any lab: finite figures, a proof, a probability, dates inside the horizon, chips that exist."""
    assert math.isfinite(answer["objective"])
    assert math.isfinite(answer["replay"]["value"])
    assert max(answer["certificate"].values()) < 1e-6
    assert 0 <= answer["replay"]["p_ruin"] <= 1
    assert all(row["chips"] > 0 and row["committed_usd"] >= 0 for row in answer["decisions"])
    assert all(row["sign_by"] <= row["quarter"] for row in answer["decisions"])
    by_quarter: dict[str, float] = {}
    for row in answer["allocation"]:
        by_quarter[row["quarter"]] = by_quarter.get(row["quarter"], 0.0) + row["capacity_share"]
    assert all(share <= 1 + 1e-6 for share in by_quarter.values())


def limit(answer: Fields, name: str) -> Fields:
    (found,) = [row for row in answer["limits"] if row["name"].startswith(name)]
    return dict(found)


def limits(answer: Fields) -> set[str]:
    return {row["name"] for row in answer["limits"]}


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Fields:
    return answer_of(strangers.as_given, tmp_path_factory.mktemp("given"))


@pytest.mark.parametrize(
    ("edit", "offer"),
    [(strangers.with_a_chip_like_another, "asic"), (strangers.with_a_chip_typed_in_full, None)],
    ids=["like another", "typed in full"],
)
def test_a_new_chip_at_a_fraction_of_the_price_is_put_to_work(
    edit: Edit, offer: str | None, given: Fields, tmp_path: Path
) -> None:
    answer = answer_of(edit, tmp_path)
    assert {"own-asic", "mine"} & {row["chip"] for row in answer["allocation"]}
    assert offer is None or offer in {row["offer"] for row in answer["decisions"]}
    assert answer["objective"] > given["objective"]


def test_each_of_two_sites_keeps_its_own_power(tmp_path: Path) -> None:
    answer = answer_of(strangers.with_two_sites, tmp_path)
    assert {"power at texas", "power at ohio"} <= limits(answer)
    at_ohio: dict[str, float] = {}
    for row in answer["allocation"]:
        if row["pool"] == "ohio":
            at_ohio[row["quarter"]] = at_ohio.get(row["quarter"], 0.0) + row["chips"]
    assert 0 < max(at_ohio.values()) <= 1e6 / 700, (
        "an H100 at work draws more than its 700 W of the site's 1 MW"
    )


@pytest.mark.parametrize("edit", [strangers.without_a_floor, strangers.without_any_policy])
def test_without_a_floor_nothing_is_protected_and_nothing_is_lost(
    edit: Edit, given: Fields, tmp_path: Path
) -> None:
    answer = answer_of(edit, tmp_path)
    assert FLOOR in limits(given)
    assert FLOOR not in limits(answer)
    assert answer["objective"] >= given["objective"] - 1


def test_without_cash_or_means_to_raise_it_ruin_is_reported(tmp_path: Path) -> None:
    answer = answer_of(strangers.without_cash, tmp_path)
    assert answer["replay"]["p_ruin"] > 0.05
    assert answer["status"] == "relaxed"
    assert limit(answer, "P(ruin)")["state"] == "relaxed"


def test_costs_beyond_all_means_ruin_every_future(tmp_path: Path) -> None:
    answer = answer_of(strangers.with_costs_beyond_all_means, tmp_path)
    assert answer["replay"]["p_ruin"] == 1
    assert answer["tree"]["p_rescue"] == 1
    assert answer["replay"]["value"] <= 0


def test_one_quarter_is_planned_alone(tmp_path: Path) -> None:
    answer = answer_of(strangers.of_one_quarter, tmp_path)
    assert answer["horizon"] == {"first_quarter": "2026-Q3", "quarters": 1}
    assert {row["quarter"] for row in answer["allocation"]} == {"2026-Q3"}
    assert answer["replay"]["p_ruin"] == 0, "120 MUSD outlive one quarter"


def test_forty_quarters_are_planned_to_the_end(tmp_path: Path) -> None:
    answer = answer_of(strangers.of_forty_quarters, tmp_path)
    assert answer["horizon"]["quarters"] == 40
    quarters = {row["quarter"] for row in answer["allocation"]}
    assert len(quarters) == 40
    assert max(quarters) == "2036-Q2"


@pytest.mark.parametrize("edit", [strangers.without_offers, strangers.without_offers_and_contracts])
def test_without_offers_there_is_nothing_to_sign_and_renting_is_the_plan(edit: Edit, tmp_path: Path) -> None:
    answer = answer_of(edit, tmp_path)
    assert answer["decisions"] == []
    assert answer["benchmark"]["value"] == pytest.approx(answer["replay"]["value"])
    if edit is strangers.without_offers_and_contracts:
        assert answer["allocation"] == []
        assert answer["replay"]["served_share"] == 0


def test_without_contracts_the_first_quarter_is_rented(tmp_path: Path) -> None:
    answer = answer_of(strangers.without_contracts, tmp_path)
    first = sum(row["chips"] for row in answer["allocation"] if row["quarter"] == "2026-Q3")
    assert 0 < first <= 5000 * 0.98 + 1, "only rent-h100 delivers at once, 5,000 chips at 98 %"


def test_without_capability_demand_does_not_react(tmp_path: Path) -> None:
    answer = answer_of(strangers.without_capability, tmp_path)
    assert "demand gained by capability" not in {row["name"] for row in answer["deciding_inputs"]}
    assert not [remark for remark in answer["remarks"] if "demand effect" in remark]


@pytest.mark.parametrize("edit", [strangers.without_serving, strangers.without_demand])
def test_a_lab_that_sells_nothing_only_spends(edit: Edit, tmp_path: Path) -> None:
    answer = answer_of(edit, tmp_path)
    assert answer["kpis"]["served_share"]["value"] is None
    assert answer["kpis"]["statement_gross_margin"]["value"] is None
    assert answer["replay"]["value"] < 120e6
    assert answer["decisions"] == [], "nothing that it could sign would earn its price"


def test_a_lab_without_training_serves(tmp_path: Path) -> None:
    answer = answer_of(strangers.without_training, tmp_path)
    assert {row["kind"] for row in answer["allocation"]} == {"serve", "safety"}
    assert answer["replay"]["served_share"] > 0.5


def test_without_futures_there_is_one_and_the_replay_still_draws_demand(tmp_path: Path) -> None:
    answer = answer_of(strangers.without_futures, tmp_path)
    assert answer["tree"]["leaves"] == 1
    low, high = answer["replay"]["value_ci"]
    assert low < high


def test_a_workload_that_no_chip_can_run_is_named_with_the_reason(tmp_path: Path) -> None:
    answer = answer_of(strangers.with_a_model_too_big_to_serve, tmp_path)
    (remark,) = [remark for remark in answer["remarks"] if "No chip" in remark]
    assert re.search(r"runs chat \(h100: (TPOT|memory)", remark)
    assert "serve" not in {row["kind"] for row in answer["allocation"]}


def test_what_stands_at_a_site_that_comes_too_late_is_not_bought(tmp_path: Path) -> None:
    answer = answer_of(strangers.with_a_site_that_comes_too_late, tmp_path)
    assert "own-b200" not in {row["offer"] for row in answer["decisions"]}


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (strangers.without_work, "the lab has no work to plan for"),
        (strangers.with_a_chip_without_power, "chips.mine.tdp is not known"),
    ],
)
def test_what_cannot_be_planned_with_is_told_at_its_place(edit: Edit, reason: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["plan", str(lab_of(edit, tmp_path)), "--out", str(tmp_path / "run")])
    assert result.exit_code == 2
    assert re.match(rf"{re.escape(str(tmp_path / 'lab.yaml'))}:\d+:\d+: error: ", result.stderr)
    assert reason in result.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (strangers.without_serving, 0),
        (strangers.without_offers_and_contracts, 0),
        (strangers.with_costs_beyond_all_means, 1),
    ],
)
def test_a_run_that_sells_signs_or_survives_nothing_still_has_its_page(
    edit: Edit, code: int, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    line = ["plan", str(lab_of(edit, tmp_path)), "--out", str(out), "--paths", "10"]
    result = CliRunner().invoke(main, line, catch_exceptions=False)
    assert result.exit_code == code
    assert "</html>" in (out / "report.html").read_text(encoding="utf-8")
    assert "nan" not in result.stdout.lower().split()
