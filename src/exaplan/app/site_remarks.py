"""What a reader must know about load blocks and halls, in a sentence each."""

from __future__ import annotations

from exaplan.domain.lab import Lab
from exaplan.domain.placement import unknown_fit
from exaplan.plan.solve import Solved


def site_remarks(solved: Solved) -> list[str]:
    """Tell how demand is spread over the hours, and what is taken to fit a hall."""
    inputs = solved.program.inputs
    return [
        *_blocks(inputs.lab, inputs.sets.blocks, inputs.sets.block_share.tolist()),
        *_halls(inputs.lab),
    ]


def _blocks(lab: Lab, names: tuple[str, ...], hours: list[float]) -> list[str]:
    if len(names) < 2:
        return []
    shares = ", ".join(f"{name} {share:.0%}" for name, share in zip(names, hours, strict=True))
    origin = lab.origins.get("load.shape")
    shipped = origin is not None and origin.file.startswith("catalogue/")
    source = (
        " Their shape is that of the shipped trace (BurstGPT, one time zone): state load.shape."
        if shipped
        else ""
    )
    told = [f"Load blocks by share of hours: {shares}.{source}"]
    loose = [work.id for work in (*lab.develop, *lab.oversee) if work.preemptible is None]
    if loose:
        told.append(
            f"Not stated whether it can be stopped, so it comes and goes with the load: {', '.join(loose)}."
        )
    return told


def _halls(lab: Lab) -> list[str]:
    sites = {site.id: site for site in lab.sites}
    placed = [
        (lab.chips[deal.chip], sites.get(getattr(deal, "site", None) or deal.pool))
        for deal in (*lab.offers, *lab.contracts)
    ]
    missing = [unknown_fit(chip, site) for chip, site in placed if site is not None]
    return [f"Nobody published {text}: taken to fit." for text in dict.fromkeys(missing) if text is not None]
