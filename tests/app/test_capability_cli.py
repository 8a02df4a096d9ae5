"""``exaplan capability`` and ``exaplan align`` as people type them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from exaplan.app.cli.main import main
from exaplan.app.scaling.job import plan_job, shape_of
from exaplan.capability.laws import BESIROGLU
from exaplan.io.calibration import load_calibration
from exaplan.io.catalogue import load_chips, load_models
from exaplan.perf.counts import parameters
from exaplan.perf.dense_shape import scaled_dense


def run(*arguments, code=0):
    done = CliRunner().invoke(main, [*arguments])
    assert done.exit_code == code, done.output
    return done.output


def answer(*arguments, code=0):
    return json.loads(run(*arguments, "--json", code=code))


def test_the_budget_of_chinchilla():
    found = answer("capability", "optimal", "5.76e23", "--law", "besiroglu,hoffmann")["sizes"]
    assert found["besiroglu"]["active_parameters"] / 1e9 == pytest.approx(72.2, rel=0.002)
    assert found["besiroglu"]["active_low"] < 70e9 < found["besiroglu"]["active_high"]
    assert found["hoffmann"]["tokens_per_parameter"] == pytest.approx(59.1, rel=0.005)
    assert found["hoffmann"]["active_low"] is None


def test_laws_are_listed_with_their_sources():
    text = run("capability", "laws")
    for word in ("besiroglu", "abnar", "llama3", "arXiv 2404.10102"):
        assert word in text


def test_a_law_is_fitted_to_runs_of_ones_own(tmp_path):
    size = np.repeat(np.geomspace(1e8, 1e10, 6), 5)
    tokens = size * np.tile(np.geomspace(4, 100, 5), 6)
    losses = BESIROGLU.loss(size, size, tokens)
    rows = [f"{n},{d},{loss}" for n, d, loss in zip(size, tokens, losses, strict=True)]
    file = tmp_path / "runs.csv"
    file.write_text("\n".join(["parameters,tokens,loss", *rows]))
    found = answer("capability", "laws", "--fit", str(file))
    assert found["fitted"]["alpha"] == pytest.approx(0.3478, rel=0.01)
    assert np.array(found["covariance"]).shape == (5, 5)


def test_faults_of_a_table_are_told_with_their_lines(tmp_path):
    file = tmp_path / "runs.csv"
    file.write_text("parameters,tokens\n1e9,-3\n1e9,x\n")
    text = run("capability", "laws", "--fit", str(file), code=2)
    assert "no column 'loss'" in text
    assert "runs.csv:2:5" in text
    assert "runs.csv:3:5" in text


def test_from_a_loss_to_a_bill_every_link_of_the_chain_multiplies():
    found = answer("capability", "reach", "--loss", "1.95", "--chip", "h100", "--price", "2", "--draws", "50")
    one = found["figures"]
    assert one["training_flop"] == pytest.approx(6 * one["active_parameters"] * one["tokens"], rel=1e-9)
    assert one["chip_hours"] == pytest.approx(one["chips"] * one["days"] * 24, rel=1e-9)
    assert one["usd"] == pytest.approx(2 * one["chip_hours"], rel=1e-9)
    assert one["site_power_w"] == pytest.approx(one["chips"] * 1453 * 1.1, rel=1e-9)
    assert one["months_to_result"] == pytest.approx(12 + one["days"] * 12 / 365, rel=1e-9)
    mfu = one["training_flop"] / (3600 * one["chip_hours"]) / 989.4e12
    assert 0.15 < mfu < 0.9
    assert found["quantiles"]["usd"]["p5"] < one["usd"] < found["quantiles"]["usd"]["p95"]
    assert found["held"]


def test_more_months_ahead_cost_more_and_take_more_power():
    usd = [
        answer("capability", "reach", "--months-ahead", str(m), "--draws", "20")["figures"]["usd"]
        for m in (-6, 0, 6)
    ]
    assert usd[0] < usd[1] < usd[2]


def test_one_hundred_trillion_parameters_fit_sparse_and_not_dense():
    sparse = answer("capability", "reach", "--parameters", "100e12", "--expansion", "20", "--draws", "20")
    assert sparse["fits_memory"]
    assert sparse["figures"]["total_parameters"] == pytest.approx(1e14, rel=1e-6)
    dense = answer("capability", "reach", "--parameters", "100e12", "--draws", "20", code=1)
    assert not dense["fits_memory"]
    assert "memory" in dense["memory_reason"]


def test_a_target_beyond_a_limit_ends_with_one_and_names_the_limit():
    text = run("capability", "reach", "--flop", "1e27", "--site-power", "1 MW", "--draws", "20", code=1)
    assert "site power beyond the limit" in text


def test_a_loss_below_the_floor_is_an_answer():
    found = answer("capability", "reach", "--loss", "1.5", "--draws", "20", code=1)
    assert found["answer"].startswith("Out of reach")
    assert found["figures"]["training_flop"] is None


def test_all_faults_of_a_question_at_once():
    text = run(
        "capability",
        "reach",
        "--loss",
        "2",
        "--flop",
        "1e24",
        "--days",
        "3",
        "--chips",
        "8",
        "--site-power",
        "4",
        code=2,
    )
    for word in ("2 targets", "--days and --chips", "--site-power"):
        assert word in text


def test_the_same_seed_gives_the_same_answer():
    line = ("capability", "reach", "--flop", "1e25", "--draws", "50", "--seed", "3")
    assert run(*line) == run(*line)


def test_a_wrong_law_has_its_price_in_flop_dollars_and_months():
    found = answer(
        "capability", "wrong-law", "--plan", "hoffmann", "--truth", "besiroglu", "--flop", "3.8e25"
    )["regret"]
    share = found["share of the budget wasted"]
    assert share["central"] == pytest.approx(0.21, abs=0.01)
    assert share["p5"] < share["central"] < share["p95"]
    assert found["M USD wasted"]["central"] > 0
    assert "no law 'chinchila'" in run(
        "capability", "wrong-law", "--plan", "chinchila", "--truth", "abnar", "--flop", "1e24", code=2
    )


def test_points_of_a_run_say_where_more_stops_paying(tmp_path):
    generator = np.random.default_rng(1)
    hours = np.geomspace(1e3, 1e5, 20)
    reward = 0.2 + 0.41 / (1 + (8e3 / hours) ** 1.2) + 0.005 * generator.standard_normal(20)
    file = tmp_path / "points.csv"
    file.write_text("\n".join(["chip_h,reward", *(f"{h},{r}" for h, r in zip(hours, reward, strict=True))]))
    found = answer("capability", "rl", str(file), "--value", "1e7", "--price", "2.5")
    assert found["ceiling"] == pytest.approx(0.61, abs=0.05)
    stop = found["stops_paying"]
    slope = 0.41 * 1.2 / stop * (8e3 / stop) ** 1.2 / (1 + (8e3 / stop) ** 1.2) ** 2
    assert 1e7 * slope == pytest.approx(2.5, rel=0.35)
    assert found["unit"] == "chip-hours"


def test_a_curve_without_points_must_be_typed_in_full():
    assert "--exponent, --midpoint" in run("capability", "rl", "--ceiling", "0.6", code=2)


def test_ai_feedback_takes_more_compute_than_people_and_little_of_pretraining():
    found = answer("align", "--draws", "400")
    one = found["against_human_feedback"]["constitutional-ai"]
    assert one["flop_ratio"]["p5"] > 1
    assert one["p_more_compute"] == 1.0
    assert one["extra_share_of_pretraining"]["p95"] < 0.01
    assert 0 < one["crossover_label_usd"]["central"] < 1
    people, judge = (found["pipelines"][name] for name in ("human-feedback", "constitutional-ai"))
    assert one["flop_ratio"]["central"] == pytest.approx(judge["flop"] / people["flop"])
    price = one["crossover_label_usd"]["central"]
    fixed = [side["usd"]["central"] - side["human_labels"] * 20**0.5 for side in (people, judge)]
    costs = [base + price * side["human_labels"] for base, side in zip(fixed, (people, judge), strict=True)]
    assert costs[0] == pytest.approx(costs[1], rel=1e-6)


def test_phases_add_up_to_their_pipeline():
    found = answer("align", "--draws", "20")["pipelines"]
    for one in found.values():
        assert sum(phase["flop"] for phase in one["phases"]) == pytest.approx(one["flop"])
        assert sum(phase["usd"] for phase in one["phases"]) == pytest.approx(one["usd_people"])


def test_the_example_file_is_what_is_answered_without_a_file(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(run("align", "--example"))
    assert answer("align", str(file), "--draws", "20") == answer("align", "--draws", "20")


def test_cheap_labels_turn_the_verdict(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(
        run("align", "--example").replace("label_price: 1 to 20 USD", "label_price: 0.0005 to 0.002 USD")
    )
    assert (
        answer("align", str(file), "--draws", "100")["against_human_feedback"]["constitutional-ai"][
            "p_cheaper"
        ]
        < 0.1
    )


def test_every_fault_of_an_alignment_file_at_its_line(tmp_path):
    file = tmp_path / "mine.yaml"
    text = (
        run("align", "--example")
        .replace("chip: H100-SXM", "chip: H1000")
        .replace("revisions: 4 ", "revision: 4 ")
    )
    file.write_text(text.replace("kind: verifiable", "kind: verified"))
    output = run("align", str(file), code=2)
    lines = text.splitlines()
    for word, fault in (
        ("chip:", "not in the catalogue"),
        ("revision:", "unknown key"),
        ("kind: verif", "not a kind"),
    ):
        number = next(i for i, line in enumerate(lines, 1) if word in line and not line.startswith("#"))
        assert f"mine.yaml:{number}:" in output
        assert fault in output


@pytest.mark.parametrize("active", [1e9, 7e9, 6e11, 1e13])
def test_dense_shapes_have_the_parameters_asked_for(active):
    model = scaled_dense(load_models()["llama3-70b"], active)
    assert float(parameters(model).active) == pytest.approx(active, rel=0.06)


def test_sparse_shapes_have_both_counts():
    model = shape_of(1e12, 16e12)
    assert float(parameters(model).total) == pytest.approx(16e12, rel=0.08)
    assert float(parameters(model).active) == pytest.approx(1e12, rel=0.15)


def test_fewer_days_take_more_chips_and_no_fleet_is_quick_enough_for_an_hour():
    chip, fit = load_chips()["H100-SXM"], load_calibration()
    sizes = (70e9, 70e9, 1.4e12)
    slow, fast, rush = (
        plan_job(sizes, chip, days=days, chips=None, precision="bf16", calibration=fit)
        for days in (100.0, 10.0, 0.01)
    )
    assert slow.chips < fast.chips < rush.chips
    assert slow.days <= 100
    assert fast.days <= 10
    assert rush.days > 0.01


def test_charts_are_drawn(tmp_path):
    for arguments in (["capability", "optimal", "1e24"], ["align", "--draws", "20"]):
        file = tmp_path / f"{arguments[0]}.png"
        run(*arguments, "--plot", str(file))
        assert file.read_bytes().startswith(b"\x89PNG")


def test_no_law_wastes_under_itself_and_the_safest_one_is_named():
    found = answer("capability", "wrong-law", "--flop", "3.8e25")
    shares = found["wasted_share"]
    assert all(shares[law][law] == 0.0 for law in shares if law in shares[law])
    worst = {planner: max(row.values()) for planner, row in shares.items()}
    safest = min(worst, key=worst.get)
    assert f"planning by {safest} " in found["answer"]
    assert "go together" in run("capability", "wrong-law", "--flop", "1e24", "--plan", "hoffmann", code=2)


def test_the_learning_of_deepseek_r1_comes_out_within_a_factor_of_three(tmp_path):
    """About 100 k H800-hours, 3.75 % of the pretraining of DeepSeek-V3 (arXiv 2501.12948 and its later publication).

    Steps, questions and group are published, the mean length of an answer is not; generation at 2 % of the peak is our reading
    of a sparse model of that size.
    """
    text = (
        run("align", "--example")
        .replace("model: llama3-70b", "model: deepseek-v3")
        .replace("H100-SXM", "H800-SXM")
    )
    text = text.replace("generate_mfu: 10 %", "generate_mfu: 2 %\nprice: 2 USD/chip/h")
    file = tmp_path / "r1.yaml"
    file.write_text(text)
    hours = answer("align", str(file), "--draws", "20")["pipelines"]["verifiable-rewards"]["chip_hours"]
    assert 1e5 / 3 < hours < 1e5 * 3


def test_a_budget_that_cannot_even_serve_is_refused_and_days_that_are_typed_are_a_limit():
    assert "do not even serve" in run("capability", "optimal", "1e24", "--served", "1e20", code=2)
    late = run("capability", "reach", "--flop", "1e25", "--days", "1", "--draws", "20", code=1)
    assert "Not feasible as asked: duration" in late
