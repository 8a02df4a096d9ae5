"""Solve pickled inputs of a plan one way, in a process of its own; the other benchmarks start it.

    python benchmarks/engines.py --inputs FILE --side ours|extensive [--route R] [--gap G] [--limit S] [--method ipx|simplex]

``ours`` is ``exaplan.optimize.routes.solve_staged`` on ``exaplan.plan.staging.staged_of``; ``extensive`` hands the whole program to
HiGHS with its defaults but for the method: dual simplex; interior point (IPX) without crossover, which is the fastest way HiGHS has
to the value of a program of this size; or with crossover, for an optimum beyond doubt. One line of JSON tells seconds, memory,
value, bound and gap.
"""

from __future__ import annotations

import argparse
import pickle
import sys
import time
from pathlib import Path
from typing import Any

from measured import as_json, in_fresh_process, use_of

HERE = Path(__file__).resolve()
FEASIBLE = 1e-6
GRACE_S = 120.0
"""Seconds beyond its limit after which a process is ended: interior point looks at the clock between iterations."""


def solve_here(arguments: argparse.Namespace) -> dict[str, Any]:
    """Build and solve; seconds of both are told apart."""
    from exaplan.plan.formulation import build_program

    inputs = pickle.loads(arguments.inputs.read_bytes())  # noqa: S301 - written by the caller a moment ago
    start = time.perf_counter()
    program = build_program(inputs)
    build_s = time.perf_counter() - start
    model = program.model
    size = {"columns": model.column_count, "rows": model.row_count, "entries": model.entry_count}
    solved = ours(program, arguments) if arguments.side == "ours" else extensive(model, arguments)
    return {**size, "build_s": build_s, **solved}


def ours(program: Any, arguments: argparse.Namespace) -> dict[str, Any]:
    """Solve by exaplan's routes."""
    from exaplan.optimize.routes import solve_staged
    from exaplan.plan.staging import staged_of

    start, core_start = time.perf_counter(), time.process_time()
    found = solve_staged(
        staged_of(program), route=arguments.route, gap=arguments.gap, time_limit_s=arguments.limit, threads=arguments.threads
    )  # fmt: skip
    seconds, core_seconds = time.perf_counter() - start, time.process_time() - core_start
    solution, cut = found.solution, found.decomposed
    return {
        "solve_s": seconds, "solve_cpu_s": core_seconds, "status": solution.status, "objective": solution.objective,
        "bound": solution.bound, "gap": found.gap, "route": found.route.reason, "threads": arguments.threads,
        "rounds": cut.rounds if cut else None, "cuts": cut.cuts if cut else None,
    }  # fmt: skip


def extensive(model: Any, arguments: argparse.Namespace) -> dict[str, Any]:
    """Solve the whole program with HiGHS."""
    from exaplan.optimize.handover import loaded

    solver = loaded(model)
    solver.setOptionValue("threads", arguments.threads)
    solver.setOptionValue("parallel", "choose")
    solver.setOptionValue("time_limit", float(arguments.limit))
    solver.setOptionValue("solver", arguments.method.removesuffix("+crossover"))
    solver.setOptionValue("run_crossover", "on" if arguments.method == "ipx+crossover" else "off")
    start, core_start = time.perf_counter(), time.process_time()
    solver.run()
    seconds, core_seconds = time.perf_counter() - start, time.process_time() - core_start
    info = solver.getInfo()
    status = str(solver.modelStatusToString(solver.getModelStatus()))
    # Without crossover HiGHS calls an optimum of the interior point method "Unknown", because it drops its duals.
    reached = seconds < arguments.limit and info.max_primal_infeasibility <= FEASIBLE
    return {
        "solve_s": seconds, "solve_cpu_s": core_seconds, "status": status, "objective": info.objective_function_value if reached else None,
        "iterations": int(max(info.ipm_iteration_count, info.simplex_iteration_count)), "method": arguments.method,
    }  # fmt: skip


def run(inputs: Path, side: str, *, limit: float, **options: Any) -> dict[str, Any]:
    """Solve in a fresh process; ended ``GRACE_S`` after its limit."""
    command = [sys.executable, str(HERE), "--inputs", str(inputs), "--side", side, "--limit", str(limit)]
    for name, value in options.items():
        if value is not None:
            command += [f"--{name}", str(value)]
    return in_fresh_process(command, timeout_s=limit + GRACE_S)


def main() -> None:
    """Solve in this process and write what it took as one line of JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--inputs", type=Path, required=True)
    parser.add_argument("--side", choices=("ours", "extensive"), required=True)
    parser.add_argument("--route", help="default: chosen by size")
    parser.add_argument("--gap", type=float, default=1e-3)
    parser.add_argument("--limit", type=float, default=300.0)
    parser.add_argument("--method", choices=("ipx", "ipx+crossover", "simplex"), default="ipx")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    used, solved = use_of(lambda: solve_here(arguments))
    sys.stdout.write(as_json(used, **solved))


if __name__ == "__main__":
    main()
