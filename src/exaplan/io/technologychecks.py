"""Whether a chip or a model that a lab types can exist: dimensions that are positive and fit together."""

from __future__ import annotations

from collections.abc import Iterator

from exaplan.domain.lab import Lab
from exaplan.domain.technology import Chip, Model
from exaplan.io.recordreader import RecordReader
from exaplan.io.treewalk import at
from exaplan.io.yamltree import Mapping

_AT_LEAST_ONE = ("layers", "hidden", "heads", "kv_heads", "head_dim", "vocab", "moe_layer_every")
_COUNTS = (
    "ffn", "experts", "top_k", "shared_experts", "expert_ffn", "shared_expert_ffn", "first_dense_layers", "routed_nodes_max", "q_lora_rank",
    "kv_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim", "window", "window_layers",
)  # fmt: skip


def check_technology(root: Mapping, reader: RecordReader, lab: Lab) -> None:
    """Note every chip and model whose dimensions cannot be, at the dimension where the file states it."""
    for name, chip in lab.chips.items():
        for key, reason in _chip_faults(chip):
            reader.faults.add(at(root, "chips", name, key), f"chips.{name}.{key} {reason}")
    for name, model in lab.models.items():
        for key, reason in _model_faults(model):
            reader.faults.add(at(root, "models", name, key), f"models.{name}.{key} {reason}")


def _chip_faults(chip: Chip) -> Iterator[tuple[str, str]]:
    if chip.scale_up_domain < 1:
        yield "scale_up_domain", "counts at least the chip itself"
    if chip.matrix_tile is not None and chip.matrix_tile < 1:
        yield "matrix_tile", "is at least 1"
    if chip.matrix_unit == "systolic" and chip.matrix_tile is None:
        yield "matrix_unit", "is systolic, so matrix_tile is needed (for example 128)"
    if chip.tdp_w is None and chip.it_power_w is None:
        yield (
            "tdp",
            "is not known: add tdp (the package) or it_power (with its share of the server), for example 700 W",
        )


def _model_faults(model: Model) -> Iterator[tuple[str, str]]:
    for key in _AT_LEAST_ONE:
        if getattr(model, key) < 1:
            yield key, "is at least 1"
    for key in _COUNTS:
        if getattr(model, key) < 0:
            yield key, "is not negative"
    if model.ffn_matrices not in (2, 3):
        yield "ffn_matrices", "is 3 for gated, 2 for plain blocks"
    if model.kv_heads > model.heads:
        yield "kv_heads", f"is at most the {model.heads} query heads"
    if model.window_layers > model.layers:
        yield "window_layers", f"is at most the {model.layers} layers"
    if model.first_dense_layers > model.layers:
        yield "first_dense_layers", f"is at most the {model.layers} layers"
    yield from _expert_faults(model)
    if model.kv_lora_rank and not (model.v_head_dim and model.qk_rope_head_dim + model.qk_nope_head_dim):
        yield "kv_lora_rank", "means MLA, so qk_nope_head_dim, qk_rope_head_dim and v_head_dim are needed"


def _expert_faults(model: Model) -> Iterator[tuple[str, str]]:
    if model.experts and not 1 <= model.top_k <= model.experts:
        yield "top_k", f"is 1 to {model.experts}, the number of experts"
    if model.experts and not model.expert_ffn:
        yield "expert_ffn", "is needed where there are experts"
    if not model.experts and not model.ffn:
        yield "ffn", "is needed where there are no experts"
