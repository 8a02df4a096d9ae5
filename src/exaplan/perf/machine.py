"""One chip as the engine sees it: peaks at a precision, fabrics, coefficients, and what had to be assumed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from exaplan.domain.errors import InputError, Problem
from exaplan.domain.technology import Chip
from exaplan.perf.knobs import Knobs, knobs_for
from exaplan.perf.shapes import Flag, Number, either

Precision = Literal["bf16", "fp8", "fp4", "int8"]
Weights = Literal["bf16", "fp8", "fp4", "int8", "int4"]
PRECISIONS: tuple[Precision, ...] = ("bf16", "fp8", "fp4")
WEIGHT_BYTES: dict[str, float] = {
    "bf16": 2.0,
    "fp8": 1.0,
    "int8": 1.0,
    "fp4": 0.5625,  # one scale byte per 16 values
    "int4": 0.53125,  # one two-byte scale per 64 values
}
_VALUE_BYTES: dict[str, float] = {"bf16": 2.0, "fp8": 1.0, "fp4": 1.0, "int8": 2.0}
_BITS: dict[str, float] = {"bf16": 16.0, "fp8": 8.0, "int8": 8.0, "fp4": 4.0}
_FALLBACK: dict[str, Precision] = {"fp4": "fp8", "int8": "fp8", "fp8": "bf16"}
MATURE_MONTHS = 60.0
"""Months after launch at which software counts as grown up where no date is asked about."""


@dataclass(frozen=True)
class Machine:
    """Figures of one chip at one precision; SI units. Numbers, or arrays over rows of a table."""

    chip: str
    precision: Precision
    bits: Number  # of the operands of matrix products: 16, 8 or 4
    peak_flop_per_s: Number
    bf16_flop_per_s: Number
    memory_bytes: Number
    memory_bytes_per_s: Number
    weight_bytes: Number  # of one weight outside routed experts
    expert_weight_bytes: Number
    cache_value_bytes: Number
    tile: Number
    systolic: Flag
    domain: Number
    scale_up_bytes_per_s: Number
    scale_out_bytes_per_s: Number
    software_months: Number  # from the chip's launch to the software in use
    tdp_w: float | None
    overhead_w: float | None
    knobs: Knobs
    assumptions: tuple[str, ...]

    @cached_property
    def product_flop_per_s(self) -> Number:
        """Best rate of a matrix product."""
        knobs = self.knobs

        def low() -> Number:
            return either(self.bits > 4, lambda: knobs.flop_share_fp8, lambda: knobs.flop_share_fp4)

        return self.peak_flop_per_s * either(self.bits > 8, lambda: knobs.flop_share, low)

    def widening_share(self, weight_bytes: Number) -> Number:
        """Speed of a product over one whose weights are stored as wide as its operands."""
        narrower = weight_bytes * 8 < self.bits - 1
        return either(narrower, lambda: self.knobs.weight_only_share, lambda: 1.0)

    @cached_property
    def launch_s(self) -> Number:
        """Fixed time of a matrix product."""
        return either(self.bits > 8, lambda: self.knobs.launch_s, lambda: self.knobs.launch_fp8_s)

    @cached_property
    def stream_bytes_per_s(self) -> Number:
        """Main-memory bandwidth that kernels reach."""
        return self.memory_bytes_per_s * self.knobs.memory_share

    @cached_property
    def network_bytes_per_s(self) -> Number:
        """Bandwidth beyond the scale-up domain that collectives reach."""
        return self.scale_out_bytes_per_s * self.knobs.network_share


_ARRAYS = (
    "bits",
    "peak_flop_per_s",
    "bf16_flop_per_s",
    "memory_bytes",
    "memory_bytes_per_s",
    "weight_bytes",
    "expert_weight_bytes",
    "cache_value_bytes",
    "tile",
    "systolic",
    "domain",
    "scale_up_bytes_per_s",
    "scale_out_bytes_per_s",
    "software_months",
)


def stack_machines(machines: Sequence[Machine]) -> Machine:
    """Lay machines side by side, one per row, coefficients too; power is not carried."""
    columns = {name: np.array([getattr(machine, name) for machine in machines]) for name in _ARRAYS}
    knobs = Knobs(
        **{
            field.name: np.array([getattr(machine.knobs, field.name) for machine in machines], dtype=float)
            for field in fields(Knobs)
        }
    )
    return Machine(
        chip="", precision="bf16", tdp_w=None, overhead_w=None, knobs=knobs, assumptions=(), **columns
    )


def take_machines(machine: Machine, index: NDArray[np.intp], knobs: Knobs) -> Machine:
    """Pick rows of stacked machines and give them coefficients already laid out for those rows."""
    return replace(machine, knobs=knobs, **{name: getattr(machine, name)[index] for name in _ARRAYS})


def peak_flop_per_s(chip: Chip, precision: Precision) -> float | None:
    """Dense peak of a chip at a precision; None where it has none."""
    peaks = {
        "bf16": chip.bf16_flop_per_s,
        "fp8": chip.fp8_flop_per_s,
        "fp4": chip.fp4_flop_per_s,
        "int8": chip.int8_op_per_s,
    }
    return peaks[precision]


def best_serving_precision(chip: Chip) -> Precision:
    """Precision for serving where the user names none: FP8 where the chip has it, else BF16."""
    return "fp8" if chip.fp8_flop_per_s is not None else "bf16"


def machine_of(
    chip: Chip,
    precision: Precision,
    knobs: Knobs | None = None,
    *,
    weights: Weights | None = None,
    expert_weights: Weights | None = None,
    cache: Weights | None = None,
    software_months: float = MATURE_MONTHS,
) -> Machine:
    """Resolve a chip at a precision, noting every figure that its publisher left open.

    A precision that the chip lacks falls back to the next wider one for the products, while weights keep the bytes of
    the precision asked for (weight-only quantisation). A missing network figure takes the class's assumed one; a
    missing scale-up figure makes the domain one chip. All of it is told in ``assumptions``.

    Parameters
    ----------
    chip : Chip
        Record of the catalogue or a lab.
    precision : {"bf16", "fp8", "fp4", "int8"}
        Operands of matrix products.
    knobs : Knobs, optional
        Coefficients; those that ``knobs_for`` starts from where not given.
    weights, expert_weights, cache : str, optional
        Stored form of weights, of routed experts, and of cached keys and values, where it differs.
    software_months : float
        Months from the chip's launch to the software in use.

    Raises
    ------
    InputError
        For a precision that nobody knows.
    """
    if precision not in _BITS:
        known = ", ".join(PRECISIONS)
        raise InputError(Problem(f"precision {precision!r} is unknown", suggestion=f"choose one of {known}"))
    knobs = knobs or knobs_for(chip)
    notes: list[str] = []
    actual, peak = _peak(chip, precision, notes)
    if chip.bf16_flop_per_s is None:
        notes.append(f"BF16 peak of {chip.id} not published: half of its FP8 peak assumed")
    domain, scale_up = _scale_up(chip, notes)
    scale_out = chip.scale_out_bandwidth_bytes_per_s
    if scale_out is None:
        scale_out = float(knobs.scale_out_assumed_bytes_per_s)
        notes.append(f"scale-out bandwidth of {chip.id} not published: {scale_out / 1e9:g} GB/s assumed")
    tdp_w, overhead_w = _power(chip, knobs, notes)
    stored = WEIGHT_BYTES[weights or precision]
    return Machine(
        chip=chip.id,
        precision=actual,
        bits=_BITS[actual],
        peak_flop_per_s=peak,
        bf16_flop_per_s=_bf16(chip),
        memory_bytes=chip.hbm_bytes,
        memory_bytes_per_s=chip.hbm_bandwidth_bytes_per_s,
        weight_bytes=stored,
        expert_weight_bytes=WEIGHT_BYTES[expert_weights] if expert_weights else stored,
        cache_value_bytes=WEIGHT_BYTES[cache] if cache else _VALUE_BYTES[actual],
        tile=_tile(chip, notes),
        systolic=chip.matrix_unit == "systolic",
        domain=domain,
        scale_up_bytes_per_s=scale_up if domain > 1 else scale_out,
        scale_out_bytes_per_s=scale_out,
        software_months=software_months,
        tdp_w=tdp_w,
        overhead_w=overhead_w,
        knobs=knobs,
        assumptions=tuple(notes),
    )


def _peak(chip: Chip, precision: Precision, notes: list[str]) -> tuple[Precision, float]:
    """Peak at the precision, or at the next wider one that the chip has."""
    actual = precision
    while actual != "bf16":
        peak = peak_flop_per_s(chip, actual)
        if peak is not None:
            return actual, peak
        notes.append(f"{chip.id} has no {actual} peak: products in {_FALLBACK[actual]}")
        actual = _FALLBACK[actual]
    return actual, _bf16(chip)


def _bf16(chip: Chip) -> float:
    """BF16 peak; where unpublished half of the FP8 peak (a chip has one of the two)."""
    return chip.bf16_flop_per_s if chip.bf16_flop_per_s is not None else (chip.fp8_flop_per_s or 0.0) / 2


def _scale_up(chip: Chip, notes: list[str]) -> tuple[int, float]:
    one_way = chip.scale_up_bandwidth_bytes_per_s
    both = chip.scale_up_bandwidth_bidirectional_bytes_per_s
    if one_way is None and both is not None:
        one_way = both / 2
    if one_way is None:
        if chip.scale_up_domain > 1:
            notes.append(
                f"scale-up bandwidth of {chip.id} not published: every chip counted as its own domain"
            )
        return 1, 0.0
    return max(chip.scale_up_domain, 1), one_way


def _tile(chip: Chip, notes: list[str]) -> int:
    if chip.matrix_unit != "systolic":
        return 16  # one operand of a tensor-core product pads to 8-16 once the operands may be swapped
    if chip.matrix_tile is not None:
        return chip.matrix_tile
    tile = 256 if "google" in chip.designer.lower() and chip.launch[:4] >= "2024" else 128
    notes.append(f"matrix tile of {chip.id} not published: {tile} x {tile} assumed")
    return tile


def _power(chip: Chip, knobs: Knobs, notes: list[str]) -> tuple[float | None, float | None]:
    tdp, total = chip.tdp_w, chip.it_power_w
    if tdp is None and total is not None:
        tdp = total / (1 + float(knobs.server_share))
        notes.append(f"TDP of {chip.id} not published: {tdp:.0f} W from its IT power")
    if tdp is None:
        notes.append(f"power of {chip.id} not published")
        return None, None
    if total is None:
        notes.append(f"server power of {chip.id} not published: {knobs.server_share:.0%} of TDP assumed")
        return tdp, float(knobs.server_share) * tdp
    return tdp, max(total - tdp, 0.0)
