"""Labs as a stranger would edit them: a short version of the small lab, and one change each."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

SMALL = Path(__file__).parents[1] / "io" / "small.yaml"
Fields = dict[str, Any]


def short_lab() -> Fields:
    """The small lab cut to four quarters and two futures, so that a plan takes about a second."""
    lab: Fields = copy.deepcopy(YAML(typ="safe", pure=True).load(SMALL.read_text(encoding="utf-8")))
    lab["horizon"] = "2026-Q3 .. 2027-Q2"
    lab["offers"][1]["window"] = "2026-Q3 .. 2027-Q1"
    lab["finance"]["rounds"][0]["window"] = "2027-Q1 .. 2027-Q2"
    lab["futures"] |= {"branches": {"2026-Q4": 2}, "samples": 200}
    return lab


def write_lab(folder: Path, lab: Fields) -> Path:
    """Write a lab as a file; JSON is YAML."""
    path = folder / "lab.yaml"
    path.write_text(json.dumps(lab, indent=1), encoding="utf-8")
    return path


def of_kind(lab: Fields, *kinds: str) -> list[Fields]:
    return [workload for workload in lab["workloads"] if workload["kind"] in kinds]


def as_given(lab: Fields) -> None:
    """Nothing is changed."""


def with_a_chip_like_another(lab: Fields) -> None:
    lab["chips"]["own-asic"] = {"like": "TPU-v7x", "bf16": "1.2 PFLOP/s", "hbm": "192 GB"}
    lab["offers"].append({
        "id": "asic", "kind": "reserved", "chip": "own-asic", "supplier": "house", "price": "0.4 USD/chip/h",
        "lead": "1 quarter", "term": "1 year", "max_order": "4k chips/quarter", "availability": "97 %",
    })  # fmt: skip


def with_a_chip_typed_in_full(lab: Fields) -> None:
    lab["chips"]["mine"] = {"bf16": "1 PFLOP/s", "hbm": "100 GB", "hbm_bandwidth": "4 TB/s", "tdp": "600 W"}
    lab["offers"].append({
        "id": "mine-by-the-hour", "kind": "on-demand", "chip": "mine", "supplier": "house", "price": "0.4 USD/chip/h",
        "max_chips": "1k chips", "availability": "97 %",
    })  # fmt: skip


def with_a_chip_without_power(lab: Fields) -> None:
    with_a_chip_typed_in_full(lab)
    del lab["chips"]["mine"]["tdp"]


def with_two_sites(lab: Fields) -> None:
    lab["sites"].append(
        {"id": "ohio", "power": "1 MW", "pue": "1.4", "electricity": "0.05 USD/kWh", "ready": "2026-Q4"}
    )
    lab["offers"].append({
        "id": "own-ohio", "kind": "purchase", "chip": "h100", "supplier": "nvidia", "site": "ohio", "lead": "1 quarter",
        "price": "15 kUSD/chip", "life": "4 years", "max_order": "4k chips/quarter", "availability": "97 %",
    })  # fmt: skip


def without_a_floor(lab: Fields) -> None:
    del lab["policy"]["floor"]


def without_any_policy(lab: Fields) -> None:
    del lab["policy"]


def without_cash(lab: Fields) -> None:
    lab["finance"]["cash"] = "0 USD"
    del lab["finance"]["rounds"]
    del lab["finance"]["debt"]


def with_costs_beyond_all_means(lab: Fields) -> None:
    without_cash(lab)
    lab["finance"]["fixed_costs"]["payroll"] = "300 MUSD/quarter"


def of_one_quarter(lab: Fields) -> None:
    lab["horizon"] = "2026-Q3 .. 2026-Q3"
    lab["offers"][1]["window"] = "2026-Q3 .. 2026-Q3"
    del lab["futures"]["branches"]
    del lab["finance"]["rounds"]


def of_forty_quarters(lab: Fields) -> None:
    lab["horizon"] = "2026-Q3 .. 2036-Q2"
    del lab["futures"]["branches"]


def without_offers(lab: Fields) -> None:
    lab["offers"] = []
    del lab["decision"]
    del lab["futures"]["slips"]


def without_contracts(lab: Fields) -> None:
    del lab["contracts"]


def without_offers_and_contracts(lab: Fields) -> None:
    without_offers(lab)
    without_contracts(lab)


def without_capability(lab: Fields) -> None:
    del lab["capability"]


def without_serving(lab: Fields) -> None:
    lab["workloads"] = of_kind(lab, "train", "safety")


def without_training(lab: Fields) -> None:
    lab["workloads"] = of_kind(lab, "serve", "safety")
    del lab["policy"]["floor"]


def without_work(lab: Fields) -> None:
    lab["workloads"] = []
    del lab["policy"]


def without_futures(lab: Fields) -> None:
    del lab["futures"]


def without_demand(lab: Fields) -> None:
    lab["workloads"][0]["demand"] = "0 tokens/month"


def with_a_model_too_big_to_serve(lab: Fields) -> None:
    lab["models"] = {"giant": {"like": "llama-3.1-70b", "layers": 8000}}
    lab["workloads"][0]["model"] = "giant"


def with_a_site_that_comes_too_late(lab: Fields) -> None:
    lab["sites"][0]["ready"] = "2031-Q1"
