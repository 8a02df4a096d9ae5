"""docs/performance-model.md and the engine say the same: every coefficient with its bounds, every formula's place."""

from __future__ import annotations

import re
from dataclasses import fields
from importlib import import_module
from pathlib import Path

import pytest

from exaplan.domain.technology import Model
from exaplan.perf.calibration.hierarchy import LEVELS, RULES
from exaplan.perf.counts import attention_flop_per_context_token, training_flop_per_token
from exaplan.perf.knobs import Knobs
from exaplan.perf.schedules import SCHEDULES
from exaplan.perf.training import TrainMesh, TrainRequest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "performance-model.md").read_text(encoding="utf-8")
REFERENCES = sorted(set(re.findall(r"`((?:perf|io|domain)\.[\w.]+)`", PAGE)))
ROWS = {
    name: (bounds, levels)
    for name, bounds, levels in re.findall(
        r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE
    )
}
FORMULAS = {
    "counts": ("parameters", "attention_parameters", "mean_causal_context", "kv_bytes", "experts_touched"),
    "kernels": ("roofline_s", "padded_volume", "product_s", "attention_s"),
    "collectives": ("levels", "scatter_s", "all_reduce_s", "all_to_all_s", "send_s", "imbalance"),
    "schedules": ("bubble_share", "in_flight", "weight_copies"),
    "layers": ("forward_terms",),
    "memory": ("local_parameters", "training_bytes", "serving_bytes"),
    "training": ("train_step", "model_flop_share"),
    "serving": ("pass_terms", "serve_closed_loop", "serve_static_batch", "capacity_slots"),
    "search": ("search_training", "search_serving"),
}


@pytest.mark.parametrize("name", [field.name for field in fields(Knobs)])
def test_every_coefficient_is_on_the_page_with_its_bounds_and_levels(name):
    rule = RULES.get(name)
    bounds = f"{rule.low:g} to {rule.high:g}" if rule else "-"
    levels = ", ".join(rule.prior_sd) if rule else "-"
    assert ROWS[name] == (bounds, levels)


def test_the_page_names_no_coefficient_that_is_gone():
    assert set(ROWS) == {field.name for field in fields(Knobs)} >= set(RULES)
    assert {level for rule in RULES.values() for level in rule.prior_sd} <= set(LEVELS)


@pytest.mark.parametrize("reference", REFERENCES)
def test_every_name_that_the_page_points_to_exists(reference):
    parts = reference.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found = import_module(".".join(["exaplan", *parts[:cut]]))
        except ModuleNotFoundError:
            continue
        for name in parts[cut:]:
            found = getattr(found, name)
        return
    pytest.fail(f"{reference} is nowhere")


@pytest.mark.parametrize(("module", "names"), FORMULAS.items())
def test_every_formula_has_its_place_on_the_page(module, names):
    found = import_module(f"exaplan.perf.{module}")
    for name in names:
        assert hasattr(found, name)
        assert f"`perf.{module}.{name}`" in PAGE


def test_every_link_inside_the_page_leads_to_a_heading():
    headings = {
        re.sub(r"[^\w\- ]", "", line.lower()).strip().replace(" ", "-")
        for line in re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= headings


def test_every_schedule_and_kind_of_old_software_is_described():
    words = {"1f1b": "1F1B", "zero-bubble": "zero bubble", "dualpipe": "DualPipe"}
    assert all(words[name] in PAGE for name in SCHEDULES.values())
    assert "classic" in {field.name for field in fields(TrainRequest)}
    assert "`classic`" in PAGE
    assert all(re.search(rf"\b{field.name}\b", PAGE) for field in fields(TrainMesh) if len(field.name) == 2)


def test_numbers_on_the_page_are_those_of_the_engine():
    v3 = Model(
        id="v3", layers=61, hidden=7168, heads=128, kv_heads=128, head_dim=192, ffn=18432, vocab=129_280,
        experts=256, top_k=8, shared_experts=1, expert_ffn=2048, first_dense_layers=3, q_lora_rank=1536,
        kv_lora_rank=512, qk_nope_head_dim=128, qk_rope_head_dim=64, v_head_dim=128,
    )  # fmt: skip
    assert round(float(training_flop_per_token(v3, 4096)) / 1e9) == 250
    assert "250 GFLOP a" in PAGE
    assert attention_flop_per_context_token(v3, absorbed=True) == 2 * 128 * (2 * 512 + 64)
    assert "absorbed 2 h (2 r + d_r)" in PAGE
