"""Coefficients of the closed form, one set per class of chip, each with the sentence it starts from.

These are starting values, taken from published fits or assumed, not fitted here: a calibration replaces whole sets.
"GEMM fit", "training fit" and "serving fit" refer to three closed-form fits on published tables: 8,000 sampled GEMM rows
per chip of NVIDIA aiconfigurator 0.12 (Apache-2.0), 70 rows of Megatron, Llama-3 and SimuMax training tables, and 2,027
serving rows of InferenceX as exported by aiconfigurator.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from exaplan.domain.technology import Chip

ChipClass = Literal[
    "ampere", "hopper", "blackwell", "amd", "tpu", "trainium", "gaudi", "other_tensor_core", "other_systolic"
]


@dataclass(frozen=True)
class Knobs:
    """Coefficients of operator time, composition and reality for one class of chip.

    Shares are of the published peak. The defaults are those of Hopper.
    """

    # Operator time
    launch_s: float = 3.2e-6
    """t0 of a BF16 matrix product. GEMM fit: H100 3.0-3.5 us."""
    launch_fp8_s: float = 5.0e-6
    """t0 of an FP8/FP4 product. GEMM fit: 7-15 us with quantise kernels, near BF16 where scales are static and fused."""
    flop_share: float = 0.78
    """eta_F of a BF16 product at its best. GEMM fit: H100 0.76-0.84."""
    flop_share_fp8: float = 0.58
    """eta_F of an FP8/FP4 product. GEMM fit: 0.51-0.63; speed-up over BF16 is not two."""
    memory_share: float = 0.80
    """eta_B of main memory. GEMM fit: H100 0.81-0.87, H200 0.78-0.81."""
    inner_half: float = 150.0
    """k0: inner dimension at which half the rate is reached. Assumed; absorbed in eta_F of the GEMM fit."""
    attention_share: float = 0.50
    """eta_a of fused attention forward. Published kernels: 0.45-0.6."""
    attention_backward_share: float = 0.40
    """eta_a backward, on 2.5 times the forward FLOP. Lower than forward; assumed."""
    attention_decode_share: float = 0.35
    """eta_a while decoding, where cache bytes usually bind. Assumed."""
    elementwise_values: float = 20.0
    """c_el: values moved per token and unit of width in a layer forward. Training fit: 16-27 bytes per value byte."""
    layer_overhead_s: float = 12e-6
    """Fixed time of a layer's small kernels while decoding. Serving fit: 23-58 us with all launches, here the rest."""
    sparse_overhead_s: float = 25e-6
    """The same for routing, permuting and combining in a sparse layer. Serving fit: 1.5-4.6 times a dense layer's."""

    # Communication
    scale_up_latency_s: float = 1.5e-6
    """alpha of one hop inside the scale-up domain; an all-reduce over 8 takes 6 hops. Measured all-reduces: 5-18 us."""
    scale_out_latency_s: float = 5e-6
    """alpha of one hop of the network. Assumed."""
    link_share: float = 0.80
    """Share of link bandwidth that collectives reach. InferSim uses 0.8 of both fabrics."""
    torus_axes: int = 0
    """Axes of the torus that joins the scale-up domain; 0 for a switch. It bounds the all-to-all by its bisection."""
    tensor_exposed: float = 0.23
    """chi_TP, share of tensor-parallel traffic not hidden in training. Training fit: 0.23."""
    data_exposed: float = 0.24
    """chi_DP. Training fit: 0.24."""
    expert_exposed: float = 0.50
    """chi_EP. Assumed between the two above and 1: overlap of the all-to-all depends on the framework."""

    # Composition
    training_share: float = 0.80
    """Share of operator speed that lasts in a long step: power limits, memory and SMs taken by communication.

    Training fit: eta of products 0.55 in long H100 runs against 0.78 for kernels alone.
    """
    serving_share: float = 0.90
    """The same while serving: scheduler and sampling between steps. Assumed."""
    bubble: float = 1.10
    """xi, multiplier of the ideal pipeline bubble. Training fit: 1.23, plausible range 1.0-1.25."""
    prefill_interference: float = 1.0
    """gamma. 1 conserves machine time when prefill and decode share chips; serving fit: 0.6-5.5, poorly identified."""
    skew: float = 1.2
    """Least imbalance of experts spread over chips. Zipf 0.4 over 8 ranks: 1.2; published tables force balance: 1.0."""

    # Memory and power
    workspace_bytes: float = 3e9
    """Communication buffers and workspace. Published: 2-4 GB."""
    usable_share: float = 0.92
    """Highest share of main memory that a job may plan with."""
    scale_out_assumed_bytes_per_s: float = 50e9
    """Used, and said so, where the network of a chip is not published: 400 Gbit/s per chip."""
    idle_share: float = 0.15
    """Idle draw over TDP. Published: 0.1-0.2."""
    server_share: float = 0.40
    """Server and network power over TDP where IT power is not published. Published servers: 1.3-1.5 times TDP."""


_HOPPER = Knobs()
_AMPERE = replace(
    _HOPPER,
    launch_s=5.0e-6,  # GEMM fit A100
    flop_share=0.79,  # GEMM fit A100
    memory_share=0.76,  # GEMM fit A100: 0.73-0.79
    training_share=0.90,  # training fit: eta 0.70 in long runs, and no power limit worth the name
)
_BLACKWELL = replace(
    _HOPPER,
    launch_s=2.8e-6,  # GEMM fit: 2.3-3.1 us
    flop_share=0.70,  # GEMM fit: 0.65-0.78
    flop_share_fp8=0.63,  # GEMM fit: 0.51-0.63 with quantise kernels, which current releases fuse
    memory_share=0.72,  # GEMM fit: 0.71-0.76
    training_share=0.80,  # training fit: eta 0.42 on early B200 rows; 2026 releases reach 52 % of the FP8 peak
)
_AMD = replace(
    _HOPPER,
    launch_s=5.0e-6,  # assumed: as long as on A100
    flop_share=0.60,  # assumed: ROCm libraries trail the peak further; MLPerf rows of MI300X are few
    flop_share_fp8=0.45,
    memory_share=0.72,
    attention_share=0.35,
    attention_backward_share=0.28,
)
_TPU = replace(
    _HOPPER,
    launch_s=1.0e-6,  # assumed: one compiled program, no launches between operators
    launch_fp8_s=1.5e-6,
    flop_share=0.90,  # assumed: tiling is counted exactly, so little else is lost; MaxText v5e reaches 67 % MFU
    flop_share_fp8=0.75,
    memory_share=0.80,
    inner_half=0.0,  # tiling is counted exactly instead
    attention_share=0.45,
    attention_backward_share=0.38,
    elementwise_values=12.0,  # assumed: the compiler fuses more
    layer_overhead_s=5e-6,
    sparse_overhead_s=20e-6,
    scale_up_latency_s=1.0e-6,
    link_share=0.45,  # a ring along one axis of a 2-D torus uses half of the links
    training_share=0.88,
    workspace_bytes=0.5e9,  # memory is planned by the compiler
    scale_out_assumed_bytes_per_s=6.25e9,  # data-center network of a slice, as published for v5p
)
_TRAINIUM = replace(
    _TPU,
    flop_share=0.65,  # assumed; anchors: 22-31 % MFU on Trainium1 with Llama-3.1 8B and 70B
    flop_share_fp8=0.55,
    memory_share=0.65,
    training_share=0.70,
    layer_overhead_s=20e-6,
    sparse_overhead_s=50e-6,
    scale_up_latency_s=3.0e-6,
    scale_out_assumed_bytes_per_s=12.5e9,
)
_GAUDI = replace(_AMD, flop_share=0.65, flop_share_fp8=0.50, launch_s=4.0e-6)  # assumed
_OTHER = replace(
    _AMD, flop_share=0.55, flop_share_fp8=0.45, training_share=0.75
)  # assumed: nobody has measured it

_LARGEST_2D_TORUS = 256  # v5e and v6e pods

KNOBS: dict[ChipClass, Knobs] = {
    "ampere": _AMPERE,
    "hopper": _HOPPER,
    "blackwell": _BLACKWELL,
    "amd": _AMD,
    "tpu": _TPU,
    "trainium": _TRAINIUM,
    "gaudi": _GAUDI,
    "other_tensor_core": _OTHER,
    "other_systolic": replace(_TRAINIUM, training_share=0.75),
}
"""Starting values by class of chip."""


def chip_class(chip: Chip) -> ChipClass:
    """Class whose coefficients a chip inherits: by designer, then generation, then kind of matrix unit."""
    designer = chip.designer.lower()
    if "nvidia" in designer:
        return _nvidia_class(chip)
    named: tuple[tuple[str, ChipClass], ...] = (
        ("google", "tpu"),
        ("aws", "trainium"),
        ("amazon", "trainium"),
        ("annapurna", "trainium"),
        ("amd", "amd"),
        ("intel", "gaudi"),
    )
    for name, found in named:
        if name in designer:
            return found
    return "other_systolic" if chip.matrix_unit == "systolic" else "other_tensor_core"


def _nvidia_class(chip: Chip) -> ChipClass:
    if chip.fp4_flop_per_s is not None:
        return "blackwell"
    hopper = chip.fp8_flop_per_s is not None or chip.launch[:4] >= "2022"
    return "hopper" if hopper else "ampere"


def knobs_for(chip: Chip) -> Knobs:
    """Coefficients for a chip: those of its class; TPU domains up to 256 chips are 2-D tori, larger ones 3-D."""
    found = chip_class(chip)
    if found == "tpu":
        return replace(KNOBS[found], torus_axes=2 if chip.scale_up_domain <= _LARGEST_2D_TORUS else 3)
    return KNOBS[found]
