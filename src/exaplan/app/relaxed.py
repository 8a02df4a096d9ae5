"""Why a policy could not be kept, in lines of the lab file: said with every plan that had to relax one."""

from __future__ import annotations

from collections.abc import Iterator

from exaplan.app.variants import coarse
from exaplan.domain.lab import Lab
from exaplan.domain.rates import RateTable
from exaplan.economy.tree import grow_tree
from exaplan.optimize.highs import solve
from exaplan.plan.formulation import Program, build_program
from exaplan.plan.impossible import clash_of, place_of, prechecks, relaxations, told
from exaplan.plan.inputs import collect
from exaplan.plan.solve import Solved

LARGE = 3_000
"""Columns above which the rows that clash are looked for on the coarse tree: a smaller set, found in seconds."""


def why_relaxed(solved: Solved, lab: Lab, rates: RateTable) -> Iterator[str]:
    """Explain a relaxed plan: what could never be there, the least that must be given up, and the lines that clash."""
    if not solved.relaxed:
        return
    inputs = solved.program.inputs
    for row in prechecks(inputs):
        yield (
            f"{row.policy}: {row.quarter} asks for {row.asked:.3g} {row.unit}, and at most {row.possible:.3g} could be there, "
            f"lead times counted ({place_of(row.keys, lab)})."
        )
    program = _small(solved.program, lab, rates)
    for way in relaxations(program):
        if way.missed is not None:
            when = f", most in {way.worst_quarter}" if way.worst_quarter else ""
            yield (
                f"Keeping everything else, it is enough to miss {way.policy} in {way.quarters} quarters{when} "
                f"({place_of((way.key, f'{way.key}.share', f'{way.key}.level'), lab)})."
            )
    found = clash_of(program) if _is_impossible(program) else ()
    if found:
        yield "These cannot hold together: " + "; ".join(told(member, lab) for member in found[:8]) + "."


def _small(program: Program, lab: Lab, rates: RateTable) -> Program:
    """Take the program, or that of the coarse tree where it is large and breaks the same policies."""
    if program.model.column_count <= LARGE:
        return program
    smaller = build_program(collect(lab, rates, grow_tree(coarse(lab))))
    return smaller if _is_impossible(smaller) else program


def _is_impossible(program: Program) -> bool:
    return solve(program.model).status == "infeasible"
