"""Chips and model architectures, as the performance model reads them."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from exaplan.domain.base import Record, quantity, text


class Chip(Record):
    """One accelerator package. Peaks are dense; bandwidth is one way unless the name says ``bidirectional``."""

    id: str = text("name of the chip in the catalogue or the lab")
    designer: str = text("company that designs it", default="")
    launch: str = text("date of first volume availability, as published", default="")
    announced: bool = text("announced, not yet shipping", default=False)
    bf16_flop_per_s: float | None = quantity("FLOP/s", "dense BF16 peak", key="bf16", default=None, gt=0)
    fp8_flop_per_s: float | None = quantity("FLOP/s", "dense FP8 peak", key="fp8", default=None, gt=0)
    fp4_flop_per_s: float | None = quantity("FLOP/s", "dense FP4 peak", key="fp4", default=None, gt=0)
    int8_op_per_s: float | None = quantity("OP/s", "dense INT8 peak", key="int8", default=None, gt=0)
    hbm_bytes: float = quantity("B", "main memory on the package", key="hbm", gt=0)
    hbm_bandwidth_bytes_per_s: float = quantity("B/s", "main-memory bandwidth", key="hbm_bandwidth", gt=0)
    matrix_unit: Literal["tensor_core", "systolic"] = text(
        "how the matrix unit tiles a product", default="tensor_core"
    )
    matrix_tile: int | None = text("rows and columns of one systolic array", default=None)
    scale_up_domain: int = text("chips joined by the scale-up fabric", default=1)
    scale_up_bandwidth_bytes_per_s: float | None = quantity(
        "B/s", "scale-up bandwidth per chip, one way", key="scale_up_bandwidth", default=None, gt=0
    )
    scale_up_bandwidth_bidirectional_bytes_per_s: float | None = quantity(
        "B/s",
        "scale-up bandwidth per chip, both ways summed",
        key="scale_up_bandwidth_bidirectional",
        default=None,
        gt=0,
    )
    scale_out_bandwidth_bytes_per_s: float | None = quantity(
        "B/s",
        "network bandwidth per chip beyond the scale-up domain, one way",
        key="scale_out_bandwidth",
        default=None,
        gt=0,
    )
    tdp_w: float | None = quantity("W", "thermal design power of the package", key="tdp", default=None, gt=0)
    it_power_w: float | None = quantity(
        "W",
        "IT power per chip with its share of server and network, before PUE",
        key="it_power",
        default=None,
        gt=0,
    )
    price_low_usd: float | None = quantity(
        "USD/chip", "low end of published purchase prices", key="price_low", default=None
    )
    price_high_usd: float | None = quantity(
        "USD/chip", "high end of published purchase prices", key="price_high", default=None
    )
    liquid_cooled: bool | None = text("needs liquid cooling; absent where nobody published it", default=None)
    rack_power_w: float | None = quantity(
        "W",
        "power of one rack as it is sold; absent where it is sold by the server",
        key="rack_power",
        default=None,
        gt=0,
    )
    kind: str = text("spec, announced, estimate or typed in the lab", default="")
    source: str = text("where the figures come from", default="")
    notes: str = text("caveats of the source", default="")

    @model_validator(mode="after")
    def _has_a_peak(self) -> Chip:
        if self.bf16_flop_per_s is None and self.fp8_flop_per_s is None:
            raise ValueError("a chip needs a bf16 or an fp8 peak")
        return self

    @property
    def dense_8bit_op_per_s(self) -> float:
        """Dense 8-bit peak, FP8 or INT8, whichever is higher; the BF16 peak of a chip that has neither."""
        eight = [peak for peak in (self.fp8_flop_per_s, self.int8_op_per_s) if peak is not None]
        return max(eight) if eight else float(self.bf16_flop_per_s or 0.0)


class Model(Record):
    """One decoder-only transformer architecture; counts follow from it."""

    id: str = text("name of the model in the catalogue or the lab")
    family: str = text("family of models", default="")
    layers: int = text("transformer layers")
    hidden: int = text("model width")
    heads: int = text("query heads")
    kv_heads: int = text("key-value heads (for MLA: ignored)")
    head_dim: int = text("dimension of one head")
    ffn: int = text("width of the dense feed-forward block; 0 where every layer is sparse", default=0)
    ffn_matrices: int = text("3 for gated, 2 for plain feed-forward blocks", default=3)
    vocab: int = text("vocabulary size")
    tied_embeddings: bool = text("whether input and output embeddings share weights", default=False)
    experts: int = text("routed experts per sparse layer; 0 for a dense model", default=0)
    top_k: int = text("routed experts that a token visits", default=0)
    shared_experts: int = text("experts that every token visits", default=0)
    expert_ffn: int = text("width of one routed expert", default=0)
    shared_expert_ffn: int = text("width of one shared expert; 0 means as a routed one", default=0)
    first_dense_layers: int = text("dense layers before the sparse ones", default=0)
    moe_layer_every: int = text("one layer in this many is sparse", default=1)
    routed_nodes_max: int = text(
        "nodes that the routed experts of one token may lie on; 0 for no limit", default=0
    )
    q_lora_rank: int = text("MLA: rank of the query compression; 0 for none", default=0)
    kv_lora_rank: int = text(
        "MLA: rank of the key-value compression; 0 means grouped-query attention", default=0
    )
    qk_nope_head_dim: int = text("MLA: head dimension without rotary part", default=0)
    qk_rope_head_dim: int = text("MLA: rotary head dimension", default=0)
    v_head_dim: int = text("MLA: value head dimension", default=0)
    window: int = text("sliding attention window in tokens; 0 for full attention", default=0)
    window_layers: int = text("layers that use the window", default=0)
    params_published_b: float | None = text("published total parameters, billions", default=None)
    source: str = text("where the architecture was read", default="")
    notes: str = text("caveats of the source", default="")
