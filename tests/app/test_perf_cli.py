"""``exaplan perf compare``, ``frontier`` and ``codesign``: tables in order, one object, charts, messages that help."""

from __future__ import annotations

import json
import math

import pytest
from click.testing import CliRunner

from exaplan.app.cli.main import main

PNG = b"\x89PNG\r\n\x1a\n"
SMALL = (
    "codesign", "--model", "qwen3-30b-a3b", "--widths", "1536", "--experts", "256", "--tiles", "16,256", "--stacks", "5",
    "--links", "450 GB/s", "--domains", "8", "--job-chips", "256", "--batch", "4e6",
)  # fmt: skip


def run(*arguments):
    return CliRunner().invoke(main, ["perf", *map(str, arguments)], env={"COLUMNS": "220"})


def answer(*arguments):
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def design():
    return answer(*SMALL, "--draws", "8")


# --- compare


def test_chips_come_in_order_of_price_and_those_without_one_last():
    found = answer("compare", "--model", "llama3-70b", "--chips", "h100-sxm,trainium2,b200,mi300x")
    prices = [row["best"]["usd_per_million_tokens"] for row in found["rows"]]
    known = [price for price in prices if price is not None]
    assert known == sorted(known)
    assert prices[: len(known)] == known


def test_chips_come_in_order_of_speed_where_asked():
    chips = ("--chips", "a100-80-sxm,h100-sxm,b200")
    found = answer("compare", "--model", "llama3-70b", *chips, "--phase", "train", "--by", "speed")
    rates = [row["best"]["tokens_per_s_per_chip"] for row in found["rows"]]
    assert rates == sorted(rates, reverse=True)


def test_a_typed_price_replaces_that_of_the_catalogue():
    found = answer("compare", "--model", "llama3-70b", "--chips", "h100-sxm,b200", "--price", "h100-sxm=1")
    usd = {row["chip"]: row["price"]["usd_per_chip_h"] for row in found["rows"]}
    assert usd["H100-SXM"] == 1
    assert usd["B200-SXM"] != 1


def test_several_models_on_one_chip():
    found = answer("compare", "--models", "llama3-70b,qwen3-8b", "--chip", "h100-sxm", "--by", "speed")
    assert [row["model"] for row in found["rows"]] == ["Qwen3-8B", "llama3-70b"]


def test_a_chip_that_cannot_keeps_its_row_with_the_reason():
    result = run("compare", "--model", "deepseek-v3", "--chips", "h200,a100-80-sxm", "--job-chips", "8")
    assert result.exit_code == 0
    assert "Not feasible: DeepSeek-V3 on A100-80-SXM: memory" in result.output


def test_nothing_feasible_at_all_exits_with_one():
    result = run("compare", "--model", "deepseek-v3", "--chips", "a100-80-sxm", "--job-chips", "8")
    assert result.exit_code == 1


# --- frontier


def test_on_the_frontier_a_later_token_always_buys_throughput():
    found = answer("frontier", "--model", "qwen3-8b", "--chips", "h100-sxm,tpu-v6e")
    for line in found["lines"]:
        points = [(point["tpot_s"], point["tokens_per_s_per_chip"]) for point in line["points"]]
        assert len(points) > 3
        assert points == sorted(points)
        assert [rate for _, rate in points] == sorted(rate for _, rate in points)


def test_the_fastest_point_of_the_frontier_is_what_estimate_finds():
    limits = ("--tpot", "30 ms", "--input", "2000", "--output", "500")
    line = answer("frontier", "--model", "qwen3-8b", "--chips", "h100-sxm", *limits)["lines"][0]
    best = answer("estimate", "--model", "qwen3-8b", "--chip", "h100-sxm", *limits)["estimates"][0]
    assert line["points"][-1]["tokens_per_s_per_chip"] == pytest.approx(best["tokens_per_s_per_chip"])


def test_why_opens_the_fastest_of_the_first_chip():
    text = run("frontier", "--model", "qwen3-8b", "--chips", "h100-sxm", "--why").output
    assert "tokens_per_s_per_chip = " in text
    assert "Bottleneck: " in text


# --- codesign


def test_the_product_and_the_ratio_follow_from_the_gains(design):
    product = math.prod(one["gain"] for one in design["singles"])
    assert design["product_of_gains"] == pytest.approx(product)
    assert design["ratio"] == pytest.approx(design["joint_gain"] / product)
    assert {one["layer"] for one in design["singles"]} == {"shape", "kernels", "silicon", "layout"}


def test_no_single_layer_and_no_sequence_beats_the_joint_optimum(design):
    others = [one["gain"] for one in design["singles"]]
    assert design["joint_gain"] >= max(*others, design["sequential_gain"], design["composed_gain"])
    assert design["best"][0]["gain"] == pytest.approx(design["joint_gain"])


def test_the_interval_of_the_ratio_comes_from_its_draws(design):
    interval = design["ratio_interval"]
    assert interval["draws"] == 8
    assert interval["low"] <= interval["median"] <= interval["high"]


def test_the_draws_are_given_and_every_gain_has_its_interval(design):
    draws = design["draws"]
    assert len(draws["ratio"]) == 8 - draws["lost"]
    expected = [a / b for a, b in zip(draws["joint_gain"], draws["product_of_gains"], strict=True)]
    assert draws["ratio"] == pytest.approx(expected)
    assert "covariance of the fit" in draws["spread"]
    for one in design["singles"]:
        assert one["interval"]["low"] <= one["interval"]["high"]


def test_the_table_prints_the_ratio_and_what_is_assumed():
    text = run(*SMALL, "--draws", "3", "--why").output
    for part in (
        "product of the single-layer gains",
        "joint gain over the product of the single-layer gains",
        "joint gain over the single best choices put together",
        "90 % of 3 draws",
        "Assumed, not measured:",
        "extrapolated here",
        "ratio = ",
        "intervals: covariance of the fit",
    ):
        assert part in text
    assert "expanded" not in text, "a model without latents has nothing to expand"


def test_without_a_calibration_the_spread_is_assumed_and_said_so():
    text = run(*SMALL, "--draws", "2", "--uncalibrated").output
    assert "coefficients: starting ones" in text
    assert "intervals: assumed log standard deviations flop_share" in text


def test_attention_on_latents_is_one_of_the_kernels_where_there_are_latents():
    tight = ("--widths", "4096", "--experts", "512", "--tiles", "16", "--stacks", "6", "--links", "900 GB/s")
    text = run(
        "codesign", "--model", "deepseek-v3", *tight, "--domains", "64", "--draws", "0", "--why"
    ).output
    assert "with keys and values expanded in every step" in text


def test_equal_seeds_print_equal_answers():
    assert answer(*SMALL, "--draws", "3") == answer(*SMALL, "--draws", "3")


# --- charts and messages


@pytest.mark.parametrize(
    "arguments",
    [
        ("estimate", "--model", "qwen3-8b", "--chip", "h100-sxm"),
        ("estimate", "--model", "qwen3-8b", "--chip", "tpu-v6e", "--phase", "train", "--chips", "64"),
        ("estimate", "--model", "qwen3-8b", "--chip", "h100-sxm", "--phase", "rl", "--chips", "32"),
        ("compare", "--model", "qwen3-8b", "--chips", "h100-sxm,b200"),
        ("frontier", "--model", "qwen3-8b", "--chips", "h100-sxm"),
        (*SMALL, "--draws", "0"),
    ],
    ids=lambda arguments: "-".join(arguments[:1] + arguments[5:7]),
)
def test_every_command_draws(arguments, tmp_path):
    path = tmp_path / "chart.png"
    result = run(*arguments, "--plot", path)
    assert result.exit_code == 0, result.output
    assert path.read_bytes().startswith(PNG)


def test_an_html_chart_loads_nothing_from_elsewhere(tmp_path):
    path = tmp_path / "chart.html"
    assert run("frontier", "--model", "qwen3-8b", "--chips", "h100-sxm", "--plot", path).exit_code == 0
    text = path.read_text(encoding="utf-8")
    assert "<html" in text
    assert 'src="http' not in text


def test_with_json_and_a_chart_standard_output_stays_one_object(tmp_path):
    result = run(
        "compare", "--model", "qwen3-8b", "--chips", "h100-sxm", "--json", "--plot", tmp_path / "c.png"
    )
    assert json.loads(result.stdout)["rows"]
    assert "Chart: " in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("compare", "--model", "llama3-70b", "--chips", "h100-smx"), "did you mean 'H100-SXM'"),
        (
            ("compare", "--model", "llama3-70b", "--chips", "h100-sxm", "--price", "2"),
            "--price h100-sxm=2.10",
        ),
        (("frontier", "--model", "llama3-70b", "--chips", "h100-sxm", "--plot", "x.svg"), "--plot x.png"),
        (("codesign", "--model", "llama3-70b", "--widths", "512"), "is dense"),
        (("codesign", "--model", "qwen3-30b-a3b", "--tiles", "many"), "--tiles"),
        (("codesign", "--model", "qwen3-30b-a3b", "--links", "450"), "--links"),
        (("codesign", "--model", "qwen3-30b-a3b", "--area", "50"), "the first chip does not fit"),
        ((*SMALL, "--tpot", "0.01 ms"), "a looser --tpot"),
    ],
)
def test_bad_input_exits_with_two_and_a_way_out(arguments, message):
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert message in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("command", ["estimate", "compare", "frontier", "codesign"])
def test_every_help_has_an_example_and_explains_every_option(command):
    text = run(command, "--help").output
    assert f"exaplan perf {command} --model" in text
    options = [line for line in text.splitlines() if line.startswith("  --")]
    assert len(options) > 8
    assert {"--plot", "--json", "--why"} <= {line.split()[0] for line in options}
