"""Keep a solved plan in its run folder and take it up again, without solving; a stale one is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from exaplan.app.again import Made
from exaplan.app.pipeline import Settings
from exaplan.domain.errors import InputError, Problem
from exaplan.domain.lab import Lab
from exaplan.economy.tree import grow_tree
from exaplan.io.calibration import load_calibration
from exaplan.io.planfile import fingerprint, pack_plan, read_plan
from exaplan.optimize.certificate import certify
from exaplan.optimize.highs import Basis, Solution
from exaplan.perf.rate_table import fill_rates
from exaplan.plan.formulation import build_program
from exaplan.plan.inputs import collect
from exaplan.plan.solve import Solved

SAME = 1e-6
"""Relative error of objective and rows up to which a kept solution solves the program that is built again."""


@dataclass(frozen=True)
class Kept:
    """A plan as it lies in a run folder: its arrays, what it belongs to, and what the run was asked for."""

    folder: Path
    arrays: dict[str, np.ndarray]
    about: dict[str, Any]

    @property
    def overrides(self) -> dict[str, str]:
        """Values of the lab file that the run replaced."""
        return dict(self.about["overrides"])

    @property
    def paths(self) -> int:
        """Futures that the run replayed."""
        return int(self.about["paths"])

    @property
    def seed(self) -> int:
        """Seed of the run."""
        return int(self.about["seed"])


def keep_plan(
    solved: Solved, lab: Lab, settings: Settings, *, version: str, inputs: Mapping[str, bytes],
    overrides: Mapping[str, str],
) -> bytes:  # fmt: skip
    """Write what it takes to stand on this plan again: the point with its duals, and the lines it stands on."""
    model, solution, given = solved.model, solved.solution, solved.program.inputs
    arrays = {
        "x": solution.x,
        "row_dual": solution.row_dual,
        "reduced_cost": solution.reduced_cost,
        "lower": model.lower,
        "upper": model.upper,
        "reference_ratio": given.reference_ratio,
        "reference_output": given.reference_output,
    }
    if solution.basis is not None:
        arrays |= {"basis_columns": solution.basis.columns, "basis_rows": solution.basis.rows}
    about = {
        "version": version,
        "inputs": fingerprint(inputs, overrides),
        "overrides": dict(sorted(overrides.items())),
        "paths": settings.paths,
        "seed": settings.seed,
        "cover_quarters": lab.policy.cover_quarters,
        "risk_weight": lab.policy.risk.weight,
        "relaxed": solved.relaxed,
        "route": solved.route,
        "status": solution.status,
        "objective": float(solution.objective),
        "bound": float(solution.bound),
        "iterations": int(solution.iterations),
    }
    return pack_plan(arrays, about)


def find_plan(folder: Path, *, version: str) -> Kept:
    """Read the plan of a run folder.

    Raises
    ------
    InputError
        Where the run holds no plan, or one of another version.
    """
    arrays, about = read_plan(folder)
    if about["version"] != version:
        reason = f"stale: this run was made by exaplan {about['version']}, this is {version}"
        raise InputError(Problem(reason, str(folder), suggestion=_again(folder)))
    if not {"overrides", "paths", "seed"} <= about.keys():
        reason = "stale: this run does not say what it was asked for"
        raise InputError(Problem(reason, str(folder), suggestion=_again(folder)))
    return Kept(folder, arrays, about)


def take_up(kept: Kept, lab: Lab, *, inputs: Mapping[str, bytes], overrides: Mapping[str, str]) -> Made:
    """Stand on the plan of a run folder: build its program and put the kept point back.

    Raises
    ------
    InputError
        Where the run is of another lab file, CSV file or ``--set``; where the program that is built no longer is the one
        that was solved.
    """
    folder, arrays, about = kept.folder, kept.arrays, kept.about
    _refuse_stale(about, folder, fingerprint(inputs, overrides))
    policy = lab.policy.model_copy(
        update={
            "cover_quarters": about["cover_quarters"],
            "risk": lab.policy.risk.model_copy(update={"weight": about["risk_weight"]}),
        }
    )
    lab = lab.model_copy(update={"policy": policy})  # as the search for a limit on P(ruin) may have left it
    rates = fill_rates(lab, calibration=load_calibration())
    tree = grow_tree(lab, seed=lab.futures.seed)
    given = collect(lab, rates, tree)
    if given.reference_ratio.shape != arrays["reference_ratio"].shape:
        raise _another(folder)
    given = given.around(arrays["reference_ratio"]).on_output(arrays["reference_output"])
    program = build_program(given)
    if (program.model.column_count, program.model.row_count) != (len(arrays["x"]), len(arrays["row_dual"])):
        raise _another(folder)
    model = replace(program.model, lower=arrays["lower"], upper=arrays["upper"])
    basis = Basis(arrays["basis_columns"], arrays["basis_rows"]) if "basis_columns" in arrays else None
    solution = Solution(
        about["status"], about["objective"], about["bound"], arrays["x"], arrays["row_dual"],
        arrays["reduced_cost"], about["iterations"], basis,
    )  # fmt: skip
    proof = certify(model, solution)
    worth = float(model.cost @ solution.x) + model.offset
    if abs(worth - solution.objective) > SAME * max(1.0, abs(worth)) or proof.primal_residual > SAME:
        raise _another(folder)
    solved = Solved(program, model, solution, proof, about["relaxed"], about["route"])
    return Made(lab, rates, tree, solved, start="kept", why=f"the plan of {folder.name}")


def _again(folder: Path) -> str:
    return f"plan again: exaplan plan LAB --out {folder}"


def _refuse_stale(about: dict[str, Any], folder: Path, now: dict[str, str]) -> None:
    then = about["inputs"]
    changed = sorted(name for name in {*then, *now} if then.get(name) != now.get(name))
    if changed:
        names = ", ".join(changed)
        reason = f"stale: {names} {'is' if len(changed) == 1 else 'are'} not what this run planned"
        raise InputError(Problem(reason, str(folder), suggestion=_again(folder)))


def _another(folder: Path) -> InputError:
    reason = "stale: the program that this exaplan builds from the lab is not the one that the run solved"
    return InputError(Problem(reason, str(folder), suggestion=_again(folder)))
