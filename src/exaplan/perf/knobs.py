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
from exaplan.perf.shapes import Number

ChipClass = Literal[
    "ampere", "hopper", "blackwell", "amd", "tpu", "trainium", "gaudi", "other_tensor_core", "other_systolic"
]


@dataclass(frozen=True)
class Knobs:
    """Coefficients of operator time, composition and reality for one class of chip.

    Shares are of the published peak. The defaults are those of Hopper. Numbers, or arrays over rows of a table.
    """

    # Operator time
    launch_s: Number = 3.2e-6
    """t0 of a BF16 matrix product. GEMM fit: H100 3.0-3.5 us."""
    launch_fp8_s: Number = 5.0e-6
    """t0 of an FP8/FP4 product. GEMM fit: 7-15 us with quantise kernels, near BF16 where scales are static and fused."""
    flop_share: Number = 0.78
    """eta_F of a BF16 product at its best. GEMM fit: H100 0.76-0.84."""
    flop_share_fp8: Number = 0.58
    """eta_F of an FP8/FP4 product. GEMM fit: 0.51-0.63; speed-up over BF16 is not two."""
    flop_share_fp4: Number = 0.50
    """eta_F of an FP4 product. Assumed below FP8: the rate doubles, the rest of the kernel does not."""
    quantize_bytes: Number = 3.0
    """Bytes moved per operand value to bring it to FP8 or FP4: two read, one written. Fused kernels need less."""
    expert_share: Number = 0.90
    """Speed of grouped expert products over that of one product of the same padded volume. Assumed."""
    routing_spread: Number = 0.90
    """Exponent of the batch in the count of distinct experts: 1 for uniform routing, less where tokens route alike."""
    weight_only_share: Number = 0.70
    """Speed of a product whose weights are stored narrower than its operands: they are widened on the way. Assumed."""
    memory_share: Number = 0.80
    """eta_B of main memory. GEMM fit: H100 0.81-0.87, H200 0.78-0.81."""
    inner_half: Number = 150.0
    """k0: inner dimension at which half the rate is reached. Assumed; absorbed in eta_F of the GEMM fit."""
    attention_share: Number = 0.50
    """eta_a of fused attention forward. Published kernels: 0.45-0.6."""
    attention_backward_share: Number = 0.40
    """eta_a backward, on 2.5 times the forward FLOP. Lower than forward; assumed."""
    attention_decode_share: Number = 0.35
    """eta_a while decoding, where cache bytes usually bind. Assumed."""
    elementwise_values: Number = 20.0
    """c_el: values moved per token and unit of width in a layer forward. Training fit: 16-27 bytes per value byte."""
    routed_values: Number = 10.0
    """Values moved per routed copy of a token and unit of width: permute, gather, scale, combine. Assumed: 4 and more."""
    layer_overhead_s: Number = 12e-6
    """Fixed time of a layer's small kernels while decoding. Serving fit: 23-58 us with all launches, here the rest."""
    sparse_overhead_s: Number = 25e-6
    """The same for routing, permuting and combining in a sparse layer. Serving fit: 1.5-4.6 times a dense layer's."""

    # Communication
    scale_up_latency_s: Number = 1.5e-6
    """alpha of one hop inside the scale-up domain; an all-reduce over 8 takes 6 hops. Measured all-reduces: 5-18 us."""
    scale_out_latency_s: Number = 5e-6
    """alpha of one hop of the network. Assumed."""
    link_share: Number = 0.80
    """Share of scale-up bandwidth that collectives reach. InferSim uses 0.8 of both fabrics."""
    network_share: Number = 0.80
    """Share of scale-out bandwidth that collectives reach. InferSim uses 0.8 of both fabrics."""
    torus_axes: Number = 0.0
    """Axes of the torus that joins the scale-up domain; 0 for a switch. It bounds the all-to-all by its bisection."""
    tensor_exposed: Number = 0.23
    """chi_TP, share of tensor-parallel traffic not hidden in training. Training fit: 0.23."""
    data_exposed: Number = 0.24
    """chi_DP. Training fit: 0.24."""
    expert_exposed: Number = 0.50
    """chi_EP. Assumed between the two above and 1: overlap of the all-to-all depends on the framework."""

    context_exposed: Number = 0.30
    """chi_CP, share of the exchange of keys and values not hidden by attention. Assumed near the other two."""
    stage_exposed: Number = 0.5
    """chi_PP, share of the messages between pipeline stages not hidden. Assumed: interleaved schedules send ahead."""
    slowdown_per_doubling: Number = 0.005
    """Speed lost with each doubling of the chips of a job: jitter, stragglers, congestion. Assumed."""

    # Composition
    training_share: Number = 0.80
    """Share of operator speed that lasts in a long step: power limits, memory and SMs taken by communication.

    Training fit: eta of products 0.55 in long H100 runs against 0.78 for kernels alone.
    """
    sparse_training_share: Number = 0.85
    """The same on top for mixtures of experts: permutation, host synchronisation, small kernels. Assumed."""
    software_gap: Number = 0.10
    """Share of training speed still missing at a chip's launch; halves every year. Assumed, dense models."""
    low_software_gap: Number = 0.20
    """The same for dense models in FP8 or FP4: recipes and fused quantisation came after the chips. Assumed."""
    sparse_software_gap: Number = 0.30
    """The same for mixtures of experts: Qwen3-30B on B200 went from 9.3 to 26.7 ktoken/s in five months."""
    training_expert_share: Number = 0.90
    """As ``expert_share``, in training: its grouped products are other kernels. Assumed."""
    training_routed_values: Number = 10.0
    """As ``routed_values``, in training: copies are made forward and backward. Assumed."""
    training_quantize_bytes: Number = 3.0
    """As ``quantize_bytes``, in training: operands are brought to FP8 along both axes, partly fused."""
    training_elementwise_values: Number = 20.0
    """As ``elementwise_values``, in training. Training fit: 16-27 bytes per value byte."""
    training_network_share: Number = 0.80
    """As ``network_share``, in training: messages are larger. InferSim uses 0.8 of both fabrics."""
    training_skew: Number = 1.05
    """As ``skew``, in training: losses keep experts balanced. Assumed; published tables force balance: 1.0."""
    sparse_fixed_s: Number = 300e-6
    """Fixed time of a sparse layer per microbatch of training: routing, permutation, many small kernels. Assumed."""
    step_fixed_s: Number = 0.05
    """Fixed time of a training step: data loading, logging, gradient clipping. Assumed."""
    serving_share: Number = 0.90
    """The same while serving: scheduler and sampling between steps. Assumed."""
    step_overhead_s: Number = 1.0e-3
    """Fixed time between two decode steps: scheduler, sampling, detokenisation. Assumed."""
    prefill_share: Number = 1.0
    """Speed of a prefill pass over the same operators in training's forward pass. Assumed."""
    bubble: Number = 1.10
    """xi, multiplier of the ideal pipeline bubble. Training fit: 1.23, plausible range 1.0-1.25."""
    prefill_interference: Number = 1.0
    """gamma. 1 conserves machine time when prefill and decode share chips; serving fit: 0.6-5.5, poorly identified."""
    first_wave: Number = 0.08
    """Share of the other requests' prompts that stand before a first token: a loop's clients start together. Assumed."""
    drain_share: Number = 0.85
    """Share of the steady rate that a finite queue of requests reaches, its ramp and tail counted. Assumed.

    It belongs to benchmarks that offer all requests at once; a plan never runs out of requests.
    """
    skew: Number = 1.2
    """Least imbalance of experts spread over chips. Zipf 0.4 over 8 ranks: 1.2; published tables force balance: 1.0."""

    # Memory and power
    workspace_bytes: Number = 3e9
    """Communication buffers and workspace. Published: 2-4 GB."""
    usable_share: Number = 0.98
    """Highest share of the published memory that a job may plan with.

    Memory is built in GiB and published in GB: an 80 GB part holds 85.5e9 bytes, of which engines use 90 to 93 %.
    """
    scale_out_assumed_bytes_per_s: Number = 50e9
    """Used, and said so, where the network of a chip is not published: 400 Gbit/s per chip."""
    idle_share: Number = 0.15
    """Idle draw over TDP. Published: 0.1-0.2."""
    server_share: Number = 0.40
    """Server and network power over TDP where IT power is not published. Published servers: 1.3-1.5 times TDP."""

    def in_training(self) -> Knobs:
        """Coefficients that layers see while training."""
        return replace(
            self,
            expert_share=self.training_expert_share,
            routed_values=self.training_routed_values,
            quantize_bytes=self.training_quantize_bytes,
            elementwise_values=self.training_elementwise_values,
            network_share=self.training_network_share,
            skew=self.training_skew,
        )


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
    flop_share_fp4=0.50,  # assumed
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
    training_elementwise_values=12.0,
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
        return replace(KNOBS[found], torus_axes=2.0 if chip.scale_up_domain <= _LARGEST_2D_TORUS else 3.0)
    return KNOBS[found]
