"""What lies between a modelled step and a bill: power at the meter, failures, idle chips."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from exaplan.app.cli.perf_request import seconds

if TYPE_CHECKING:
    from exaplan.domain.technology import Chip
    from exaplan.perf.opened import Estimate


def energy_json(row: Estimate, options: dict[str, Any]) -> dict[str, Any]:
    """Power and energy of an estimate; null where the chip's power is not published."""
    from exaplan.perf.power import energy_per_token_j, kwh_per_mtok

    if math.isnan(row.power_w):
        return {"power_w": None, "pue": options["pue"], "j_per_token": None, "kwh_per_mtok": None}
    energy = energy_per_token_j(row.power_w, row.tokens_per_s_per_chip, pue=options["pue"])
    return {
        "power_w": row.power_w,
        "pue": options["pue"],
        "j_per_token": float(energy),
        "kwh_per_mtok": float(kwh_per_mtok(energy)),
    }


def energy_lines(row: Estimate, options: dict[str, Any]) -> list[str]:
    """Power and energy in words."""
    found = energy_json(row, options)
    if found["power_w"] is None:
        return ["", f"Energy: the power of {row.chip} is not published."]
    return [
        "",
        (
            f"Energy: {found['power_w']:,.0f} W per chip with its server share x PUE {found['pue']:g} / "
            f"{row.tokens_per_s_per_chip:,.0f} tokens/s = {found['j_per_token']:.3g} J/token = "
            f"{found['kwh_per_mtok']:.3g} kWh/Mtok."
        ),
        "  Against measured nodes the power formula is 10 to 20 % high: safe for contracts, dear for energy bills.",
    ]


def goodput_json(chip: Chip, row: Estimate, options: dict[str, Any]) -> dict[str, Any]:
    """Shares from paid chip time to model FLOP, each apart, with what they were computed from."""
    from exaplan.perf.goodput import HOUR_S, DeliveredShares, Recovery, failure_rate_of, goodput_share
    from exaplan.perf.knobs import chip_class

    rate = failure_rate_of(chip_class(chip))
    recovery = Recovery(
        write_s=seconds("--checkpoint", options["checkpoint"]),
        restart_s=seconds("--restart", options["restart"]),
        straggler_share=options["stragglers"],
    )
    chips = row.chips_per_replica
    kept = float(goodput_share(chips, mtbf_chip_s=rate.mtbf_chip_s, recovery=recovery))
    shares = DeliveredShares(options["allocated"], options["busy"], kept, row.mfu)
    return {
        "allocated": options["allocated"],
        "busy": options["busy"],
        "goodput": kept,
        "mfu": row.mfu,
        "product": float(shares.product),
        "words": shares.words(),
        "chips": chips,
        "mtbf_chip_h": rate.mtbf_chip_s / HOUR_S,
        "mtbf_job_h": rate.mtbf_chip_s / HOUR_S / chips,
        "failure_rate": {"kind": rate.kind, "source": rate.source, "date": rate.date},
        "delivered_tokens_per_s_per_chip": row.tokens_per_s_per_chip * float(shares.product) / row.mfu,
    }


def goodput_lines(chip: Chip, row: Estimate, options: dict[str, Any]) -> list[str]:
    """Give the same chain in words."""
    found = goodput_json(chip, row, options)
    rate = found["failure_rate"]
    return [
        "",
        f"Delivered: {found['words']}; {found['delivered_tokens_per_s_per_chip']:,.0f} tokens/s per paid chip.",
        (
            f"  Goodput: {found['chips']:,} chips fail every {found['mtbf_job_h']:.3g} h ({found['mtbf_chip_h']:,.0f} "
            f"chip-hours, {rate['kind']}, {rate['date']}: {rate['source']}),"
        ),
        (
            f"  checkpoint {options['checkpoint']}, restart {options['restart']}, stragglers "
            f"{options['stragglers']:.0%}: assumed unless typed. Allocated and busy are what you type."
        ),
    ]
