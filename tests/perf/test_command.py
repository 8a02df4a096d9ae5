"""``exaplan perf estimate`` on the command line."""

import json
import math

import pytest
from click.testing import CliRunner

from exaplan.app.cli.main import main
from exaplan.app.cli.perf_prices import ChipPrice, rental_price, usd_per_million_tokens

DEEPSEEK = ("--model", "deepseek-v3", "--chip", "h100-sxm")
LLAMA = ("--model", "llama3-70b", "--chip", "h100-sxm")
TRAIN = ("--model", "llama3-70b", "--chip", "tpu-v5e", "--phase", "train", "--chips", "256")


def run(*arguments):
    return CliRunner().invoke(main, ["perf", "estimate", *map(str, arguments)], env={"COLUMNS": "220"})


def answer(*arguments):
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def best(*arguments):
    return answer(*arguments)["estimates"][0]


def test_the_table_shows_speed_price_and_an_interval():
    result = run(*DEEPSEEK, "--tpot", "40 ms", "--price", "2")
    assert result.exit_code == 0
    for word in ("tokens/s/chip", "80 % interval", "MFU", "$/Mtok", "2 USD/chip/h (given by --price)"):
        assert word in result.output


def test_it_says_on_which_day_and_data_it_was_calibrated_or_that_it_was_not():
    assert "Calibrated 20" in run(*LLAMA).output
    plain = run(*LLAMA, "--uncalibrated").output
    assert "Uncalibrated" in plain
    assert "Calibrated 20" not in plain


def test_json_is_one_object_with_price_source_and_interval():
    found = answer(*TRAIN)
    row = found["estimates"][0]
    assert found["calibrated"] is True
    assert found["calibration"]["date"].startswith("20")
    assert found["interval_share"] == 0.8
    assert row["low_tokens_per_s_per_chip"] < row["tokens_per_s_per_chip"] < row["high_tokens_per_s_per_chip"]
    assert row["usd_per_million_tokens"] == pytest.approx(
        found["price"]["usd_per_chip_h"] / 3600 / row["tokens_per_s_per_chip"] * 1e6
    )
    assert found["price"]["source"]


def test_uncalibrated_json_says_so_and_names_the_prior():
    found = answer(*TRAIN, "--uncalibrated")
    assert found["calibrated"] is False
    assert found["calibration"] is None
    assert "assumed" in found["estimates"][0]["spread"]


def test_why_opens_the_rate_to_numbers_that_multiply_out():
    row = best(*LLAMA)
    rate = next(item for item in row["derivations"] if item["key"] == "tokens_per_s_per_chip")
    value = {part["name"]: part["value"] for part in rate["operands"]}
    by_hand = value["in_flight"] * (value["input"] + value["output"])
    by_hand /= (value["prefill"] + value["output"] * value["tpot"]) * value["chips"]
    assert by_hand == pytest.approx(row["tokens_per_s_per_chip"])


def test_why_writes_the_equation_the_numbers_and_what_binds_the_bottleneck():
    text = run(*LLAMA, "--why").output
    assert "= in_flight * (input + output) / (prefill + output * tpot) / chips" in text
    assert "1,200 token + 300 token" in text
    assert "Bottleneck: " in text
    assert " binds." in text
    assert "above the ridge of" in text or "below the ridge of" in text
    assert "catalogue/chips.csv:" in text


def test_disaggregated_chips_add_up_to_the_rate():
    row = best(*LLAMA, "--disaggregated")
    rate = next(item for item in row["derivations"] if item["key"] == "tokens_per_s_per_chip")
    value = {part["name"]: part["value"] for part in rate["operands"]}
    by_hand = value["in_flight"] * (value["input"] + value["output"]) / (value["output"] * value["tpot"])
    by_hand /= value["decode_chips"] + value["prefill_chips"]
    assert value["prefill_chips"] > 0
    assert by_hand == pytest.approx(row["tokens_per_s_per_chip"])


def test_a_prefix_cache_and_accepted_drafts_make_serving_faster():
    plain = best(*LLAMA)["tokens_per_s_per_chip"]
    assert best(*LLAMA, "--prefix-share", "0.5")["tokens_per_s_per_chip"] > plain
    tight = (*LLAMA, "--tpot", "12 ms")
    drafted = best(*tight, "--draft-tokens", "2", "--acceptance", "0.9")
    assert drafted["tokens_per_s_per_chip"] > best(*tight)["tokens_per_s_per_chip"]


def test_adapters_need_two_thirds_of_the_flop_and_less_memory_than_all_weights():
    whole, lora = best(*TRAIN), best(*TRAIN, "--task", "lora")
    assert lora["model_flop_per_token"] / whole["model_flop_per_token"] == pytest.approx(0.68, abs=0.03)
    assert lora["tokens_per_s_per_chip"] > whole["tokens_per_s_per_chip"]


def test_energy_is_watts_times_pue_over_rate():
    found = answer(*LLAMA, "--energy", "--pue", "1.5")
    row = found["estimates"][0]
    by_hand = row["power_w"] * 1.5 / row["tokens_per_s_per_chip"]
    assert found["energy"]["j_per_token"] == pytest.approx(by_hand)
    assert found["energy"]["kwh_per_mtok"] == pytest.approx(by_hand / 3.6)


def test_goodput_shows_four_shares_whose_product_it_prints():
    shares = answer(*TRAIN, "--goodput", "--allocated", "0.9", "--busy", "0.95")["goodput"]
    assert shares["product"] == pytest.approx(0.9 * 0.95 * shares["goodput"] * shares["mfu"])
    assert 0.5 < shares["goodput"] < 1
    assert "goodput" in run(*TRAIN, "--goodput").output


def test_more_failures_in_a_larger_job_leave_less():
    small = answer(*TRAIN, "--goodput")["goodput"]["goodput"]
    large = answer(*TRAIN[:-1], "8192", "--batch", "32e6", "--goodput")["goodput"]["goodput"]
    assert large < small


def test_a_loop_on_two_sides_turns_as_fast_as_its_slower_side():
    found = answer(*LLAMA, "--phase", "rl", "--chips", "128", "--output", "2000")
    split, work = found["disaggregated"], found["work"]
    sides = work["rollout_chip_s"] / split["rollout_chips"], work["learner_chip_s"] / split["learner_chips"]
    assert split["iteration_s"] == pytest.approx(max(sides) + work["sync_s"])
    assert split["rollout_chips"] + split["learner_chips"] == 128
    assert 0 < found["slot_share"] <= 1


def test_what_does_not_fit_exits_with_one_the_reason_and_a_way_out():
    result = run("--model", "deepseek-v3", "--chip", "a100-80-sxm", "--chips", "8")
    assert result.exit_code == 1
    assert "memory: the leanest layout needs" in result.output
    assert "--chips" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--model", "deepsek-v3", "--chip", "h100"), "did you mean"),
        ((*DEEPSEEK, "--tpot", "40"), "--tpot: 40 has no unit"),
        ((*DEEPSEEK, "--tpot", "40 GB"), "--tpot"),
        ((*DEEPSEEK, "--input", "-5"), "input_tokens is -5"),
        ((*DEEPSEEK, "--engine", "nobody"), "known: "),
        ((*DEEPSEEK, "--engine", "vllm", "--uncalibrated"), "drop one"),
        ((*DEEPSEEK, "--goodput"), "--phase train"),
        ((*DEEPSEEK, "--draft-tokens", "1"), "--acceptance"),
        ((*DEEPSEEK, "--plot", "chart.pdf"), ".png or .html"),
        ((*LLAMA, "--phase", "rl", "--group", "0"), "--group is 0"),
    ],
)
def test_bad_input_exits_with_two_and_no_traceback(arguments, message):
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.output
    assert "Traceback" not in result.output


def test_unknown_chip_and_unknown_model_are_reported_at_once():
    result = run("--model", "deepsek-v3", "--chip", "h100-smx")
    assert "'deepsek-v3'" in result.output
    assert "'h100-smx'" in result.output


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


def test_dollars_per_million_tokens_by_hand():
    assert usd_per_million_tokens(ChipPrice(7.2, "typed"), 2000.0) == pytest.approx(1.0)
    assert usd_per_million_tokens(None, 2000.0) is None
    assert not math.isnan(usd_per_million_tokens(ChipPrice(0.0, "free"), 1.0))
