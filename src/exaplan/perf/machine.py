"""One chip as the engine sees it: peaks at a precision, fabrics, coefficients, and what had to be assumed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from exaplan.domain.errors import InputError, Problem
from exaplan.domain.technology import Chip
from exaplan.perf.knobs import Knobs, knobs_for

Precision = Literal["bf16", "fp8", "fp4"]
PRECISIONS: tuple[Precision, ...] = ("bf16", "fp8", "fp4")
_WEIGHT_BYTES: dict[str, float] = {
    "bf16": 2.0,
    "fp8": 1.0,
    "fp4": 0.5625,
}  # FP4 carries one scale byte per 16 values
_VALUE_BYTES: dict[str, float] = {"bf16": 2.0, "fp8": 1.0, "fp4": 1.0}
_FALLBACK: dict[str, Precision] = {"fp4": "fp8", "fp8": "bf16"}


@dataclass(frozen=True)
class Machine:
    """Figures of one chip at one precision; SI units."""

    chip: str
    precision: Precision
    peak_flop_per_s: float
    bf16_flop_per_s: float
    memory_bytes: float
    memory_bytes_per_s: float
    weight_bytes: float
    cache_value_bytes: float
    tile: int
    systolic: bool
    domain: int
    scale_up_bytes_per_s: float
    scale_out_bytes_per_s: float
    tdp_w: float | None
    overhead_w: float | None
    knobs: Knobs
    assumptions: tuple[str, ...]

    @property
    def product_flop_per_s(self) -> float:
        """Best rate of a matrix product."""
        share = self.knobs.flop_share if self.precision == "bf16" else self.knobs.flop_share_fp8
        return self.peak_flop_per_s * share

    @property
    def launch_s(self) -> float:
        """Fixed time of a matrix product."""
        return self.knobs.launch_s if self.precision == "bf16" else self.knobs.launch_fp8_s

    @property
    def stream_bytes_per_s(self) -> float:
        """Main-memory bandwidth that kernels reach."""
        return self.memory_bytes_per_s * self.knobs.memory_share


def peak_flop_per_s(chip: Chip, precision: Precision) -> float | None:
    """Dense peak of a chip at a precision; None where it has none."""
    return {"bf16": chip.bf16_flop_per_s, "fp8": chip.fp8_flop_per_s, "fp4": chip.fp4_flop_per_s}[precision]


def best_serving_precision(chip: Chip) -> Precision:
    """Precision for serving where the user names none: FP8 where the chip has it, else BF16."""
    return "fp8" if chip.fp8_flop_per_s is not None else "bf16"


def machine_of(chip: Chip, precision: Precision, knobs: Knobs | None = None) -> Machine:
    """Resolve a chip at a precision, noting every figure that its publisher left open.

    A precision that the chip lacks falls back to the next wider one. A missing network figure takes the class's assumed
    one; a missing scale-up figure makes the domain one chip. All of it is told in ``assumptions``.

    Raises
    ------
    InputError
        For a precision that nobody knows.
    """
    if precision not in PRECISIONS:
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
        scale_out = knobs.scale_out_assumed_bytes_per_s
        notes.append(f"scale-out bandwidth of {chip.id} not published: {scale_out / 1e9:g} GB/s assumed")
    tdp_w, overhead_w = _power(chip, knobs, notes)
    return Machine(
        chip=chip.id,
        precision=actual,
        peak_flop_per_s=peak,
        bf16_flop_per_s=_bf16(chip),
        memory_bytes=chip.hbm_bytes,
        memory_bytes_per_s=chip.hbm_bandwidth_bytes_per_s,
        weight_bytes=_WEIGHT_BYTES[actual],
        cache_value_bytes=_VALUE_BYTES[actual],
        tile=_tile(chip, notes),
        systolic=chip.matrix_unit == "systolic",
        domain=domain,
        scale_up_bytes_per_s=scale_up if domain > 1 else scale_out,
        scale_out_bytes_per_s=scale_out,
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
        notes.append(f"{chip.id} has no {actual} peak: {_FALLBACK[actual]} used")
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
        tdp = total / (1 + knobs.server_share)
        notes.append(f"TDP of {chip.id} not published: {tdp:.0f} W from its IT power")
    if tdp is None:
        notes.append(f"power of {chip.id} not published")
        return None, None
    if total is None:
        notes.append(f"server power of {chip.id} not published: {knobs.server_share:.0%} of TDP assumed")
        return tdp, knobs.server_share * tdp
    return tdp, max(total - tdp, 0.0)
