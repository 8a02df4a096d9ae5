"""Policies with a slack: what may be missed when it cannot be kept, in the order in which it is given up, last first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.plan.formulation import Program


@dataclass(frozen=True)
class Policy:
    """One policy: the variable that measures by how much it is missed, and the weight of each of its entries."""

    name: str
    column: str
    weight: np.ndarray  # in the shape of the variable; probability where it counts, 0 elsewhere
    key: str  # where the lab file says it


def policies_of(program: Program) -> tuple[Policy, ...]:
    """List the policies of a program; the development floor, given up last, comes first."""
    columns, inputs = program.columns, program.inputs
    chance = inputs.probability[:, None] * inputs.stage.block_share
    found: list[Policy] = []
    for number, (name, _) in enumerate(inputs.sets.floors):
        weight = np.zeros(columns.short.shape)
        weight[:, number] = chance
        found.append(Policy(name, "short", weight, "policy.safety" if "safety" in name else "policy.floor"))
    watched = np.broadcast_to(chance, columns.unwatched.shape)
    found.append(Policy("oversight", "unwatched", watched, "policy.oversight"))
    if "missed" in program.model.columns:
        shape = program.model.columns["missed"].shape
        weight = np.broadcast_to(inputs.probability[: shape[0], None], shape)
        found.append(Policy("runs that are due", "missed", weight, "runs"))
    found.append(Policy("CVaR limit", "risk_excess", np.ones(()), "policy.risk.limit"))
    if "over_share" in program.model.columns:
        shape = program.model.columns["over_share"].shape
        weight = np.broadcast_to(inputs.probability[: shape[0], None], shape)
        found.append(Policy("supplier share", "over_share", weight, "policy.supplier_share"))
    return tuple(found)


def free_slacks(program: Program) -> dict[str, float]:
    """Upper bounds that let every policy be missed."""
    free = {"short": np.inf, "unwatched": np.inf, "risk_excess": np.inf}
    if "missed" in program.model.columns:
        free["missed"] = 1.0
    if "over_share" in program.model.columns:
        free["over_share"] = np.inf
    return free
