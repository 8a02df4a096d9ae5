"""A chip as variables: matrix-unit tile and count, SRAM, memory stacks, links, under area, edge and power budgets.

Area  = [ units (m t^2 + e t) / density + SRAM + stacks x PHY + links ] / (1 - fabric share)
Power = area x leakage + peak (eps + eta / t) x node + memory bandwidth x pJ/bit + link bandwidth x pJ/bit
with t the rows and columns of one matrix unit. The first says that operand buffers, accumulators and vector lanes grow
with the edge of a unit and its multipliers with the square: large arrays are denser, and waste more on small shapes.
The engine sees the result as an ordinary ``Chip``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

from exaplan.domain.technology import Chip
from exaplan.perf.knobs import KNOBS, Knobs
from exaplan.perf.machine import Precision

Node = Literal["n7", "n5", "n3", "n2"]
Memory = Literal["hbm2e", "hbm3", "hbm3e", "hbm4"]

RETICLE_MM2 = 858.0
"""Largest die of one exposure, 26 mm x 33 mm, as trade press gives it for EUV and DUV scanners; assumed: no maker's
data sheet was read."""
SMALLEST_SYSTOLIC_TILE = 64
"""From here on a unit counts as a systolic array; below as a tensor core. Convention of this module."""


@dataclass(frozen=True)
class Stack:
    """One memory stack: bytes and bytes/s."""

    capacity_bytes: float
    bandwidth_bytes_per_s: float


STACKS: dict[Memory, Stack] = {
    "hbm2e": Stack(16e9, 0.41e12),  # A100-80: 80 GB and 2.04 TB/s over 5 stacks (NVIDIA, 2020-11)
    "hbm3": Stack(16e9, 0.67e12),  # H100: 80 GB and 3.35 TB/s over 5 stacks (NVIDIA, 2022-09)
    "hbm3e": Stack(36e9, 1.0e12),  # 12-high; B300: 8 stacks, 288 GB, 8 TB/s (NVIDIA, 2025-08); up to 1.2 TB/s
    "hbm4": Stack(36e9, 2.0e12),  # JEDEC JESD270-4, 2025-04: 2,048 pins at 8 Gbit/s; 12-high
}
"""Capacity and bandwidth of a stack as accelerators use it, by generation."""


@dataclass(frozen=True)
class Technology:
    """Area and energy constants, referred to TSMC N5; every figure with its source or the word assumed."""

    unit_um2: float = 1165.0
    """m, area per multiplier of the compute part, vector and control included. Solved with ``edge_um2`` from two dies:
    GH100 (814 mm2, 144 x 2,048 multipliers, 2022-09) and TPU v4 (below 600 mm2 at N7, 8 x 128 x 128, arXiv 2304.01433)."""
    edge_um2: float = 11300.0
    """e, area per row of a unit. See above."""
    sram_mm2_per_byte: float = 0.503e-6
    """Bit cell 0.021 um2, 31.8 Mibit/mm2 as a macro (TSMC at IEDM 2022-12, N5 and N3E alike), filled by half: assumed."""
    stack_mm2: float = 14.0
    """PHY and controller of one stack; does not shrink with the node. Assumed."""
    stack_edge_mm: float = 11.0
    """Edge of the die that a stack takes: three stand along the 33 mm side of GH100 (2022-09)."""
    link_mm2_per_byte_per_s: float = 0.10e-9
    """Serial links, per byte/s one way. Assumed: 45 mm2 for the 450 GB/s of H100."""
    link_edge_bytes_per_s_per_mm: float = 50e9
    """Bandwidth one way per mm of die edge. Assumed: about 0.4 Tbit/s per mm, 112G-class links."""
    fabric_share: float = 0.15
    """Share of the die for on-chip network, host interface and pads. Assumed."""
    leakage_w_per_mm2: float = 0.10
    """Leakage, clock and idle fabric. Assumed; 0.1-0.2 of TDP is what idle chips draw."""
    flop_pj: float = 0.35
    """eps at BF16. Least squares of log TDP over nine chips, A100 to Ironwood (2020 to 2025), given the other terms."""
    operand_pj: float = 1.30
    """eta: operands read from local memory once per row of a unit. Assumed: two operands of two bytes at 7.5 pJ per 8 bytes
    from 8 KB of SRAM at N7, brought to N5. Jouppi et al., ISCA 2021, doi 10.1109/ISCA52012.2021.00010, tabulate energies
    at 45 and 7 nm; the figure was not checked there."""
    memory_pj_per_bit: float = 4.9
    """HBM3E 3.9 pJ/bit (Samsung, 2026-02) and 1.0 for PHY and controller: assumed."""
    link_pj_per_bit: float = 4.0
    """Each way. Copper links: 2-5 pJ/bit (SemiVision after NVIDIA at OFC, 2025-04)."""


TECHNOLOGY = Technology()
"""Constants in force where none are passed."""

# TSMC's own claims: N5 against N7 1.8x density and -30 % power; N3E against N5 1.6x logic density and -34 %;
# N2 against N3E 1.15x density and -25 to -30 % (technology symposia 2019 to 2023).
_LOGIC_DENSITY: dict[Node, float] = {"n7": 1 / 1.8, "n5": 1.0, "n3": 1.6, "n2": 1.84}
_ENERGY: dict[Node, float] = {"n7": 1 / 0.7, "n5": 1.0, "n3": 0.66, "n2": 0.48}
# Bit cells: 0.027 um2 at N7 (Chang et al., ISSCC 2017, paper 12.1), 0.021 at N5 and N3E (TSMC at IEDM 2022-12), 0.0175 at N2
# (TSMC at IEDM 2024-12, as reported).
_SRAM_AREA: dict[Node, float] = {"n7": 0.027 / 0.021, "n5": 1.0, "n3": 1.0, "n2": 0.0175 / 0.021}
_NARROW_AREA: dict[Precision, float] = {"bf16": 1.0, "fp8": 1.0, "fp4": 1.05}  # assumed; dies above have fp8
_PARTS: dict[Precision, float] = {"bf16": 1.0, "fp8": 2.0, "fp4": 4.0}


@dataclass(frozen=True)
class Silicon:
    """A chip by its design variables. Link bandwidth is one way and sums all links of a chip."""

    id: str
    tile: (
        int  # rows and columns of one matrix unit: 16 for a tensor core, 128, 256 or 512 for a systolic array
    )
    units: int  # matrix units at work
    sram_bytes: float
    memory: Memory
    stacks: int
    link_bytes_per_s: float
    node: Node = "n5"
    narrowest: Precision = "fp8"
    clock_hz: float = 1.75e9  # TPU v5p and v6e; H100 1.83e9
    spare_share: float = 0.08  # units built and switched off for yield; H100: 12 of 144
    dies: int = 1
    domain: int = 8
    torus_axes: int = 0  # 0 for a switch
    scale_out_bytes_per_s: float = 50e9

    @property
    def systolic(self) -> bool:
        """Whether its units are systolic arrays."""
        return self.tile >= SMALLEST_SYSTOLIC_TILE

    @property
    def bf16_flop_per_s(self) -> float:
        """Dense BF16 peak: two operations per multiplier and cycle."""
        return 2.0 * self.units * self.tile**2 * self.clock_hz


@dataclass(frozen=True)
class Budget:
    """What a chip may use: die area over all dies, electric power."""

    die_mm2: float
    power_w: float


@dataclass(frozen=True)
class Bill:
    """Area, edge and power of a chip by part."""

    units_mm2: float
    sram_mm2: float
    stacks_mm2: float
    links_mm2: float
    fabric_mm2: float
    compute_w: float
    memory_w: float
    links_w: float
    leakage_w: float
    edge_needed_mm: float
    edge_mm: float

    @property
    def die_mm2(self) -> float:
        """All parts of the dies."""
        return self.units_mm2 + self.sram_mm2 + self.stacks_mm2 + self.links_mm2 + self.fabric_mm2

    @property
    def power_w(self) -> float:
        """Power at peak, to be read as the thermal design power of the package."""
        return self.compute_w + self.memory_w + self.links_w + self.leakage_w


def unit_mm2(silicon: Silicon, technology: Technology = TECHNOLOGY) -> float:
    """Area of one matrix unit with its share of vector lanes, registers and control."""
    edge = technology.unit_um2 * silicon.tile**2 + technology.edge_um2 * silicon.tile
    return edge * _NARROW_AREA[silicon.narrowest] / _LOGIC_DENSITY[silicon.node] / 1e6


def flop_j(silicon: Silicon, technology: Technology = TECHNOLOGY) -> float:
    """Energy of one BF16 operation; narrower ones run in proportion faster and draw the same power."""
    return (technology.flop_pj + technology.operand_pj / silicon.tile) * _ENERGY[silicon.node] * 1e-12


def bill(silicon: Silicon, technology: Technology = TECHNOLOGY) -> Bill:
    """Area, edge and power of a chip, part by part.

    Parameters
    ----------
    silicon : Silicon
        Design variables.
    technology : Technology
        Constants.

    Returns
    -------
    Bill
        mm2, mm and W. Dies are counted square; dies of one package lose the edge where they meet.
    """
    built = silicon.units * (1 + silicon.spare_share)
    units = built * unit_mm2(silicon, technology)
    sram = silicon.sram_bytes * technology.sram_mm2_per_byte * _SRAM_AREA[silicon.node]
    stacks = silicon.stacks * technology.stack_mm2
    links = silicon.link_bytes_per_s * technology.link_mm2_per_byte_per_s
    core = units + sram + stacks + links
    die = core / (1 - technology.fabric_share)
    side = math.sqrt(die / silicon.dies)
    memory = silicon.stacks * STACKS[silicon.memory].bandwidth_bytes_per_s
    return Bill(
        units_mm2=units,
        sram_mm2=sram,
        stacks_mm2=stacks,
        links_mm2=links,
        fabric_mm2=die - core,
        compute_w=silicon.bf16_flop_per_s * flop_j(silicon, technology),
        memory_w=memory * 8 * technology.memory_pj_per_bit * 1e-12,
        links_w=2 * silicon.link_bytes_per_s * 8 * technology.link_pj_per_bit * 1e-12,
        leakage_w=die * technology.leakage_w_per_mm2,
        edge_needed_mm=silicon.stacks * technology.stack_edge_mm
        + silicon.link_bytes_per_s / technology.link_edge_bytes_per_s_per_mm,
        edge_mm=(4 * silicon.dies - 2 * (silicon.dies - 1)) * side,
    )


def over_budget(silicon: Silicon, budget: Budget, technology: Technology = TECHNOLOGY) -> tuple[str, ...]:
    """Name every limit that a chip breaks: area, reticle, edge, power, or no unit at all."""
    used = bill(silicon, technology)
    checks = (
        (silicon.units < 1, "no matrix unit fits"),
        (used.die_mm2 > budget.die_mm2, f"area: {used.die_mm2:.0f} mm2 of {budget.die_mm2:.0f}"),
        (
            used.die_mm2 > RETICLE_MM2 * silicon.dies,
            f"reticle: {used.die_mm2 / silicon.dies:.0f} mm2 a die of {RETICLE_MM2:.0f}",
        ),
        (
            used.edge_needed_mm > used.edge_mm,
            f"edge: {used.edge_needed_mm:.0f} mm of {used.edge_mm:.0f}",
        ),
        (used.power_w > budget.power_w, f"power: {used.power_w:.0f} W of {budget.power_w:.0f}"),
    )
    return tuple(reason for broken, reason in checks if broken)


def filled(silicon: Silicon, budget: Budget, technology: Technology = TECHNOLOGY) -> Silicon:
    """Give a chip as many matrix units as area, reticle and power leave room for.

    Both limits are linear in the number of units, so the count is a quotient rounded down; zero where nothing is left.
    Whatever area remains beyond the units (power binds, or the last unit does not fit) stays unused.
    """
    none = bill(replace(silicon, units=0), technology)
    one = bill(replace(silicon, units=1), technology)
    area = min(budget.die_mm2, RETICLE_MM2 * silicon.dies)
    by_area = (area - none.die_mm2) / (one.die_mm2 - none.die_mm2)
    by_power = (budget.power_w - none.power_w) / (one.power_w - none.power_w)
    units = math.floor(min(by_area, by_power) + 1e-9)
    return replace(silicon, units=max(units, 0))


def candidates(
    base: Silicon,
    budget: Budget,
    *,
    tiles: Sequence[int] = (16, 128, 256, 512),
    stacks: Sequence[int] = (4, 6, 8),
    sram_bytes: Sequence[float] = (40e6, 120e6),
    links_bytes_per_s: Sequence[float] = (450e9, 900e9),
) -> tuple[Silicon, ...]:
    """Chips of every combination of variables, each filled with units; those that break a limit are left out.

    Parameters
    ----------
    base : Silicon
        Gives node, memory generation, domain and everything else that does not vary.
    budget : Budget
        Area and power that every chip may use: then a chip-second of one compares with that of another.
    tiles, stacks, sram_bytes, links_bytes_per_s : sequence
        Values of each variable.

    Returns
    -------
    tuple of Silicon
        Named by their variables.
    """
    found = []
    for tile, count, sram, links in product(tiles, stacks, sram_bytes, links_bytes_per_s):
        name = f"{tile} x {tile}, {count} stacks, {sram / 1e6:.0f} MB, {links / 1e9:.0f} GB/s"
        chip = replace(
            base, id=name, tile=tile, stacks=count, sram_bytes=sram, link_bytes_per_s=links, units=1
        )
        full = filled(chip, budget)
        if not over_budget(full, budget):
            found.append(full)
    return tuple(found)


def chip_of(silicon: Silicon, technology: Technology = TECHNOLOGY) -> Chip:
    """Build the chip as the engine takes it: peaks, memory, links, power at peak as TDP.

    The sustained peak of a chip with too little SRAM is bounded by blocking: a product of blocks of side s moves
    s/2 FLOP per byte at two bytes a value, and three blocks must fit (Hong and Kung 1981, doi 10.1145/800076.802486).

    Parameters
    ----------
    silicon : Silicon
        Design variables; at least one unit.
    technology : Technology
        Constants, for power.

    Returns
    -------
    Chip
        With ``kind`` "designed"; ``source`` names this model.
    """
    stack = STACKS[silicon.memory]
    bandwidth = silicon.stacks * stack.bandwidth_bytes_per_s
    blocked = bandwidth * math.sqrt(silicon.sram_bytes / 6) / 2
    peak = min(silicon.bf16_flop_per_s, blocked)
    widths = {"fp8": 2.0, "fp4": 4.0}
    narrow = {name: peak * ratio for name, ratio in widths.items() if ratio <= _PARTS[silicon.narrowest]}
    return Chip(
        id=silicon.id,
        designer="own design",
        bf16_flop_per_s=peak,
        fp8_flop_per_s=narrow.get("fp8"),
        fp4_flop_per_s=narrow.get("fp4"),
        hbm_bytes=silicon.stacks * stack.capacity_bytes,
        hbm_bandwidth_bytes_per_s=bandwidth,
        matrix_unit="systolic" if silicon.systolic else "tensor_core",
        matrix_tile=silicon.tile if silicon.systolic else None,
        scale_up_domain=silicon.domain,
        scale_up_bandwidth_bytes_per_s=silicon.link_bytes_per_s,
        scale_out_bandwidth_bytes_per_s=silicon.scale_out_bytes_per_s,
        tdp_w=bill(silicon, technology).power_w,
        kind="designed",
        source="area and power model of exaplan.perf.codesign.silicon",
    )


def knobs_of(silicon: Silicon) -> Knobs:
    """Coefficients that a designed chip inherits: Hopper's for tensor cores, the TPU's for systolic arrays.

    Mature software is assumed for both: what is compared is silicon, not the years behind a compiler.
    """
    if silicon.systolic:
        return replace(KNOBS["tpu"], torus_axes=float(silicon.torus_axes))
    return replace(KNOBS["hopper"], torus_axes=float(silicon.torus_axes))
