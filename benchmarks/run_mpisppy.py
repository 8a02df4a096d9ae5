"""Solve a two-stage problem with mpi-sppy and HiGHS; runs in an environment that has mpi-sppy, pyomo, mpi4py and highspy.

    python benchmarks/run_mpisppy.py --data FILE --method ef|lshaped [--limit S]

The file holds the extensive form as sparse arrays with the scenario of each column (-1: common to all), written by two_stage.py. Each
scenario becomes a Pyomo model of the columns and rows that it sees, made once from arrays; its common columns are the
nonanticipative ones. ``ef`` is mpi-sppy's extensive form, ``lshaped`` its L-shaped method, both with ``appsi_highs``. Without two
corrections at run time the L-shaped method stops with an AttributeError on this solver: its Benders cuts ask for ``solver.name``
and for the sign of the duals, which the table of signs does not hold for ``appsi_highs``. Both are set here.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from measured import as_json, use_of

SOLVER = "appsi_highs"
FAR = 1e6
"""Bound on each scenario's value and on common columns without any, M$: without it the method's first master is unbounded."""


class Scenarios:
    """The scenarios of a program as Pyomo models."""

    def __init__(self, data: dict[str, np.ndarray]) -> None:
        self.data = data
        self.column_of_entry = np.repeat(np.arange(len(data["cost"])), np.diff(data["start"]))
        owner = data["scenario"][self.column_of_entry]
        self.row_scenario = np.full(len(data["row_lower"]), -1)
        np.maximum.at(self.row_scenario, data["index"], owner)
        order = np.argsort(data["index"], kind="stable")
        self.entries = (data["index"][order], self.column_of_entry[order], data["value"][order])
        self.first = np.searchsorted(self.entries[0], np.arange(len(data["row_lower"]) + 1))
        self.names = [f"scenario{k}" for k in range(len(data["probability"]))]

    def create(self, name: str, **_: Any) -> Any:
        """Make the model of one scenario."""
        import pyomo.environ as pyo
        from mpisppy.utils import sputils
        from pyomo.core.expr.numeric_expr import LinearExpression

        d, k = self.data, self.names.index(name)
        common = np.flatnonzero(d["scenario"] == -1).tolist()
        own = np.flatnonzero(d["scenario"] == k).tolist()
        model = pyo.ConcreteModel(name)
        model.column = pyo.Set(initialize=common + own, ordered=True)
        limits = {j: (finite(d["lower"][j]), finite(d["upper"][j])) for j in own}
        limits |= {j: (max(float(d["lower"][j]), -FAR), min(float(d["upper"][j]), FAR)) for j in common}
        model.x = pyo.Var(model.column, bounds=lambda _, j: limits[j])
        model.row = pyo.ConstraintList()
        _, column, value = self.entries
        for i in np.flatnonzero((self.row_scenario == -1) | (self.row_scenario == k)).tolist():
            span = slice(self.first[i], self.first[i + 1])
            variables = [model.x[j] for j in column[span].tolist()]
            left = LinearExpression(linear_coefs=value[span].tolist(), linear_vars=variables)
            low, high = finite(d["row_lower"][i]), finite(d["row_upper"][i])
            if low is not None and low == high:
                model.row.add(left == low)
                continue
            if low is not None:
                model.row.add(left >= low)
            if high is not None:
                model.row.add(left <= high)
        chance = float(d["probability"][k])
        costs = d["cost"][common].tolist(), (d["cost"][own] / chance).tolist()
        first, second = (
            LinearExpression(linear_coefs=cost, linear_vars=[model.x[j] for j in which])
            for cost, which in zip(costs, (common, own), strict=True)
        )
        model.goal = pyo.Objective(expr=-first - second, sense=pyo.minimize)
        sputils.attach_root_node(model, -first, [model.x[j] for j in common])
        model._mpisppy_probability = chance
        return model


def finite(bound: float) -> float | None:
    """Pyomo writes None for no bound."""
    return float(bound) if np.isfinite(bound) else None


def extensive(scenarios: Scenarios) -> dict[str, Any]:
    """Solve mpi-sppy's extensive form."""
    from mpisppy.opt.ef import ExtensiveForm

    start = time.perf_counter()
    form = ExtensiveForm({"solver": SOLVER}, scenarios.names, scenarios.create)
    build_s = time.perf_counter() - start
    form.solve_extensive_form()
    return {
        "build_s": build_s,
        "objective": -form.get_objective_value(),
        "solve_s": time.perf_counter() - start - build_s,
    }


def lshaped(scenarios: Scenarios, limit: float) -> dict[str, Any]:
    """Run mpi-sppy's L-shaped method until no cut is added or the time is over."""
    import mpisppy.utils.lshaped_cuts as cuts
    import pyomo.contrib.benders.benders_cuts as benders
    from mpisppy.opt.lshaped import LShapedMethod
    from pyomo.environ import SolverFactory

    type(SolverFactory(SOLVER)).name = SOLVER
    for table in (cuts.solver_dual_sign_convention, benders.solver_dual_sign_convention):
        table[SOLVER] = -1
    bounds: list[tuple[float, float]] = []
    start = time.perf_counter()

    class Watch:
        """Notes the bound of every round and stops when the time is over."""

        def __init__(self, method: Any, *_: Any) -> None:
            self.method = method

        def convergence_value(self) -> None:
            bounds.append((time.perf_counter() - start, -float(self.method._LShaped_bound)))

        def is_converged(self) -> bool:
            return time.perf_counter() - start > limit

    method = LShapedMethod(
        {
            "root_solver": SOLVER, "sp_solver": SOLVER, "root_solver_options": {}, "sp_solver_options": {}, "tol": 1e-3,
            "max_iter": 1000, "verbose": False, "valid_eta_lb": dict.fromkeys(scenarios.names, -FAR),
        },
        scenarios.names, scenarios.create,
    )  # fmt: skip
    method.lshaped_algorithm(converger=Watch)
    seconds = time.perf_counter() - start
    done = method.first_stage_solution_available
    bound = -float(method._LShaped_bound)
    return {
        "solve_s": seconds,
        "converged": bool(done),
        "iterations": method.iter + 1,
        "bound": bound,
        "log": bounds[-200:],
    }


def main() -> None:
    """Solve in this process and write what it took as one line of JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--method", choices=("ef", "lshaped"), required=True)
    parser.add_argument("--limit", type=float, default=300.0)
    arguments = parser.parse_args()
    with np.load(arguments.data) as archive:
        scenarios = Scenarios(dict(archive))
    import highspy
    import mpisppy
    import pyomo.version

    used, found = use_of(
        lambda: extensive(scenarios) if arguments.method == "ef" else lshaped(scenarios, arguments.limit)
    )
    version = getattr(mpisppy, "__version__", "") or "0.14.0"
    versions = f"mpi-sppy {version}, Pyomo {pyomo.version.version}, highspy {highspy.Highs().version()}"
    sys.stdout.write("\n" + as_json(used, versions=versions, method=arguments.method, **found))


if __name__ == "__main__":
    main()
