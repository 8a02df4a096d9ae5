"""The catalogue: every figure with a source, a date and a kind; near names are told apart."""

from __future__ import annotations

import csv
from importlib import resources
from pathlib import Path

import pytest

from exaplan.domain.errors import InputError
from exaplan.io.catalogue import catalogue_row, find, known_names, load_chips, load_models, load_rows


def rows(table: str) -> list[dict[str, str]]:
    with resources.files("exaplan").joinpath(f"data/{table}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("table", ["chips", "models", "prices", "laws", "energy", "labs"])
def test_every_row_has_a_source_a_date_and_a_kind(table: str) -> None:
    found = rows(table)
    assert len(found) >= 30
    for row in found:
        assert row["source"].strip(), row
        assert row["date"].strip(), row
        assert row["kind"].strip(), row


def test_nothing_in_the_catalogue_repeats_the_unreliable_press_texts() -> None:
    for table in ("prices", "laws", "energy", "labs"):
        assert not any("seed" in f"{row['kind']} {row['source']}".lower() for row in rows(table))
    revenue = [
        float(row["value"])
        for row in load_rows("labs")
        if row["lab"] == "Anthropic" and "revenue" in row["metric"]
    ]
    assert max(revenue) < 100, "the figure of 300 billion is a known slip by a factor of ten"


def test_peaks_are_dense_and_bandwidth_says_one_way_or_both() -> None:
    chips = load_chips()
    h100 = chips["H100-SXM"]
    assert h100.bf16_flop_per_s == pytest.approx(989.4e12), "the sparse peak would be 1979"
    assert h100.scale_up_bandwidth_bytes_per_s == 450e9
    assert h100.scale_up_bandwidth_bidirectional_bytes_per_s == 900e9
    for chip in chips.values():
        one, both = chip.scale_up_bandwidth_bytes_per_s, chip.scale_up_bandwidth_bidirectional_bytes_per_s
        assert one is None or both == pytest.approx(2 * one)
        peaks = [chip.bf16_flop_per_s or 0, chip.fp8_flop_per_s or 1e99]
        assert peaks[0] <= peaks[1]
    assert chips["Gaudi3"].bf16_flop_per_s == 1835e12, "the vendor's figure"
    assert chips["MI355X"].fp8_flop_per_s == 5033e12, "4600 is the MI350X"


def test_tiles_of_systolic_arrays_and_what_is_not_published_about_them() -> None:
    chips = load_chips()
    tiles = {name: chip.matrix_tile for name, chip in chips.items() if chip.matrix_unit == "systolic"}
    assert {name for name, tile in tiles.items() if tile == 256} == {
        "TPU-v6e-Trillium",
        "TPU7x-Ironwood",
        "Gaudi3",
    }
    assert {
        tile
        for name, tile in tiles.items()
        if name.startswith(("TPU-v5", "TPU-v4", "Trainium", "Inferentia"))
    } == {128}
    assert "unverified" in chips["TPU7x-Ironwood"].notes


def test_announced_chips_are_marked_and_may_lack_a_bf16_peak() -> None:
    chips = load_chips()
    assert {name for name, chip in chips.items() if chip.announced} == {
        "MI455X-Helios",
        "MTIA-400",
        "MTIA-450",
        "MTIA-500",
    }
    assert chips["MI455X-Helios"].bf16_flop_per_s is None


def test_it_power_is_stated_only_where_it_was_published() -> None:
    chips = load_chips()
    assert chips["GB200-NVL72"].it_power_w == 2090
    assert chips["B200-SXM"].it_power_w is None
    assert chips["B200-SXM"].tdp_w == 1000


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("h100", "H100-SXM"),
        ("TPU-v7x", "TPU7x-Ironwood"),
        ("tpu v5p", "TPU-v5p"),
        ("gb200", "GB200-NVL72"),
        ("trn2", "Trainium2"),
    ],
)
def test_a_chip_is_found_by_its_usual_names(asked: str, found: str) -> None:
    assert find(asked, load_chips()) == found


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("deepseek-v3", "DeepSeek-V3"),
        ("deepseek-v3.2", "DeepSeek-V3.2"),
        ("llama-3-70b", "llama3-70b"),
        ("llama-3.1-405b", "Meta-Llama-3.1-405B"),
        ("GPT-OSS-120B", "gpt-oss-120b"),
        ("kimi-k2", "Kimi-K2-Instruct"),
        ("qwen3-235b", "Qwen3-235B-A22B"),
    ],
)
def test_a_model_is_found_by_its_usual_names(asked: str, found: str) -> None:
    assert find(asked, load_models()) == found


def test_a_misspelt_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'H200-SXM'"):
        find("H200-SMX", load_chips())
    assert len(set(map(str.casefold, known_names("chips")))) == len(known_names("chips"))


def test_models_without_a_stated_architecture_are_left_out_with_the_reason() -> None:
    models = load_models()
    assert not any("Nemotron" in name or "Qwen3.5" in name or "V4" in name for name in models)
    reasons = {row["row"]: row["reason"] for row in rows("left_out") if row["table"] == "models"}
    assert "not counted" in reasons["Kimi-K3"]
    assert "tied" in reasons["litgpt:phi-4"]


def test_sliding_windows_follow_the_published_pattern() -> None:
    models = load_models()
    assert (models["gpt-oss-120b"].window, models["gpt-oss-120b"].window_layers) == (128, 18)
    assert (models["gemma3-27b"].window, models["gemma3-27b"].window_layers) == (1024, 52), (
        "five of six, 62 layers"
    )
    assert models["Meta-Llama-3.1-70B"].window == 0


def test_prices_name_their_basis_and_unit() -> None:
    prices = load_rows("prices")
    assert {row["basis"] for row in prices} == {"rental", "owning cost", "purchase"}
    assert all((row["basis"] == "purchase") == (row["unit"] == "USD/chip") for row in prices)
    rental = [float(row["price"]) for row in prices if row["basis"] == "rental"]
    assert max(rental) < 20, "a list price of 700 means that it is missing"
    v5p = {float(row["price"]) for row in prices if row["chip"] == "TPU-v5p"}
    assert min(v5p) > 0.5, "per chip, although the instance name counts cores"


def test_the_catalogue_agrees_with_the_facts_it_was_compiled_from(shared: Path) -> None:
    with (shared / "facts" / "chips.csv").open(encoding="utf-8") as file:
        facts = {row["chip"].replace(" ", "-"): row for row in csv.DictReader(file)}
    for name, chip in load_chips().items():
        fact = facts.get(name)
        if fact is not None:
            assert chip.hbm_bytes == pytest.approx(float(fact["hbm_gb"]) * 1e9)
            assert chip.hbm_bandwidth_bytes_per_s == pytest.approx(float(fact["hbm_gbs"]) * 1e9)
            assert (chip.bf16_flop_per_s is None) == (not fact["bf16_tflops"])
    assert catalogue_row("models", "DeepSeek-V3")["params_counted_b"] == "671.025"
