"""``exaplan perf estimate`` on the command line."""

import json

import pytest
from click.testing import CliRunner

from exaplan.app.cli.perf import perf, rental_price


def run(*arguments):
    return CliRunner().invoke(perf, ["estimate", *arguments], env={"COLUMNS": "200"})


def test_the_table_shows_speed_price_and_that_nothing_is_calibrated():
    result = run("--model", "deepseek-v3", "--chip", "h100-sxm", "--tpot", "40 ms", "--price", "2", "--why")
    assert result.exit_code == 0
    for word in (
        "tokens/s/chip",
        "MFU",
        "$/Mtok",
        "uncalibrated",
        "2 USD/chip/h (given by --price)",
        "model_flop_per_token",
    ):
        assert word in result.output


def test_json_is_one_object_with_price_and_source():
    result = run("--model", "llama3-70b", "--chip", "TPU-v5e", "--phase", "train", "--chips", "256", "--json")
    answer = json.loads(result.output)
    best = answer["estimates"][0]
    assert answer["calibrated"] is False
    assert best["usd_per_million_tokens"] == pytest.approx(
        answer["price"]["usd_per_chip_h"] / 3600 / best["tokens_per_s_per_chip"] * 1e6
    )
    assert answer["price"]["source"]


def test_what_does_not_fit_exits_with_one_and_the_reason():
    result = run("--model", "deepseek-v3", "--chip", "a100-80-sxm", "--chips", "8")
    assert result.exit_code == 1
    assert "memory: the leanest layout needs" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--model", "deepsek-v3", "--chip", "h100"), "did you mean"),
        (("--model", "deepseek-v3", "--chip", "h100", "--tpot", "40"), "--tpot: 40 has no unit"),
        (("--model", "deepseek-v3", "--chip", "h100", "--tpot", "40 GB"), "--tpot"),
        (("--model", "deepseek-v3", "--chip", "h100", "--input", "-5"), "input_tokens is -5"),
    ],
)
def test_bad_input_exits_with_two_and_no_traceback(arguments, message):
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.output
    assert "Traceback" not in result.output


def test_the_price_is_the_latest_market_report_and_never_spot():
    def row(**changes):
        base = {
            "chip": "c",
            "basis": "rental",
            "unit": "USD/chip/h",
            "term": "1-year",
            "seller": "s",
            "source": "x",
        }
        return base | {"kind": "reported", "date": "2026-01", "price": "2"} | changes

    rows = [
        row(),
        row(date="2026-05", price="3"),
        row(date="2026-06", term="spot", price="1"),
        row(date="2026-07", kind="list price", price="9"),
        row(date="undated", price="0.1"),
        row(date="2026-08", basis="purchase", price="30000"),
    ]
    assert rental_price(rows, "c").usd_per_chip_h == 3
    assert rental_price(rows, "other") is None
