"""Weigh the lumps of a lab: solve the plan, value go, wait and never, and play the second source out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from exaplan.app.fanout import thread_map
from exaplan.app.pipeline import Clock
from exaplan.domain.die_cost import chip_cost
from exaplan.domain.errors import InputError, Problem
from exaplan.domain.lab import Lab
from exaplan.domain.options import FoundryCost, LumpOption, OptionsAnswer
from exaplan.economy.tree import grow_tree
from exaplan.io.calibration import load_calibration
from exaplan.perf.rate_table import fill_rates
from exaplan.plan.inputs import collect
from exaplan.plan.layout import USD
from exaplan.plan.leverage import leverage_of
from exaplan.plan.lumps import lumps_of
from exaplan.plan.lumpy import GAP
from exaplan.plan.real_options import real_options
from exaplan.plan.silicon_result import chosen
from exaplan.plan.silicon_rows import choices_of
from exaplan.plan.solve import Effort, Solved, solve_plan

FINE = 1e-4
"""Relative gap of each variant around the plan: differences of them are the answer."""

MOST = 40
"""Linear programs after which the search for one variant stops with the gap that it then has, which is printed."""


def weigh(lab: Lab, clock: Clock, *, lab_file: str, version: str, gap: float = GAP) -> OptionsAnswer:
    """Value every lump of a lab on its tree: the plan to the relative ``gap``, each lump around it to ``FINE``.

    Raises
    ------
    InputError
        Where the lab has nothing that is started once or never.
    """
    with clock.phase("technology"):
        rates = fill_rates(lab, calibration=load_calibration())
    with clock.phase("tree"):
        tree = grow_tree(lab, seed=lab.futures.seed)
    with clock.phase("solve"):
        solved = solve_plan(collect(lab, rates, tree), effort=Effort(gap=gap))
    if not lumps_of(solved.program):
        reason = "this lab has nothing that is started once or never"
        raise InputError(Problem(reason, lab_file, suggestion="add silicon: (a chip program of one's own)"))
    # Variants stand on the line of the demand effect that fits the plan, and may not relax its policies further.
    program = replace(solved.program, model=solved.model)
    with clock.phase("options"):
        options = real_options(
            program,
            start=solved.solution.basis,
            around=solved.solution.x,
            gap=FINE,
            coarse=gap,
            most=MOST,
            map=thread_map,
        )
    with clock.phase("leverage"):
        leverage = leverage_of(program, solved.solution.x, start=solved.solution.basis, map=thread_map)
    inputs = program.inputs
    return OptionsAnswer(
        lab=lab.lab,
        lab_file=Path(lab_file).name,
        first_quarter=str(lab.horizon.first),
        leaves=len(inputs.leaves),
        nodes=inputs.tree_nodes,
        objective_usd=solved.solution.objective * USD,
        bound_usd=solved.solution.bound * USD,
        gap=abs(solved.solution.bound - solved.solution.objective) / max(1.0, abs(solved.solution.objective)),
        starts=chosen(solved),
        chip_costs=foundry_costs(lab),
        options=options,
        leverage=leverage,
        remarks=_remarks(solved, options),
        version=version,
        timings=dict(clock.seconds),
    )


def foundry_costs(lab: Lab) -> tuple[FoundryCost, ...]:
    """Where the cost of a chip comes from, by program and foundry."""
    rows = []
    for choice in choices_of(lab.silicon):
        cost = chip_cost(choice.foundry, choice.program.system_cost_usd_per_chip)
        rows.append(
            FoundryCost(
                choice=choice.id,
                node=choice.foundry.node,
                yield_model=choice.foundry.yield_model,
                dies_per_wafer=cost.dies_per_wafer,
                die_yield=cost.die_yield,
                good_die_usd=cost.good_die,
                packaged_usd=cost.packaged,
                price_usd=cost.price,
                installed_usd=cost.installed,
            )
        )
    return tuple(rows)


def _remarks(solved: Solved, options: tuple[LumpOption, ...]) -> tuple[str, ...]:
    """Say what a reader must know before trusting the values."""
    lab = solved.program.inputs.lab
    remarks = [
        "Values are the plan's objective on the tree (what risk costs is taken off), not means over unseen futures."
    ]
    if len({lump.id for lump in lumps_of(solved.program) if not len(lump.rivals)}) > 1:
        remarks.append(
            "Each lump is judged with the starts of the others as in the plan; the column 'others adapt' plans the others anew "
            "where it is never started, as far as the search finds out."
        )
    gap = abs(solved.solution.bound - solved.solution.objective)
    if gap > FINE * abs(solved.solution.objective):
        remarks.append(
            f"The search for the plan stopped {gap * USD / 1e9:.2g} billion dollars under its bound: a better set of starts may "
            "exist by at most that much. Values of lumps are differences around the plan, each solved far finer."
        )
    ends = {step.id: step.last for site in lab.sites for step in site.steps}
    ends |= {deal.id: deal.last for deal in lab.deals}
    for option in options:
        windows = [p.last or lab.horizon.last for p in lab.silicon if option.lump.startswith(p.id)]
        windows += [ends[option.lump] or lab.horizon.last] if option.lump in ends else []
        if windows and option.latest == str(windows[0]):
            remarks.append(
                f"{option.lump}: still worth starting when its window closes; the window decides its last date."
            )
    for program in lab.silicon:
        last = lab.horizon.last + (-program.release_quarters)
        remarks.append(
            f"{program.id}: nothing is ordered after {lab.horizon.last}, so a start after {last} brings no chip; the last "
            "date leans on the end of the horizon."
        )
    if solved.relaxed:
        remarks.append(
            f"The plan had to relax {', '.join(solved.relaxed)}; every variant stands on the same relaxation."
        )
    if lab.leverage is not None and lab.leverage.discount is not None:
        remarks.append(
            f"A discount of {100 * lab.leverage.discount:.0f} % was typed: an assumption of the file, not a finding."
        )
    return tuple(remarks)
