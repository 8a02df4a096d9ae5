"""A warm what-if on the frontier example: seconds from a changed lab to its plan, beside a solve from nothing.

    python benchmarks/warm.py [--lab FILE] [--quick] [--json FILE]

The plan of the lab is solved once; then single fields of the lab are changed and the plan is solved again from its basis
(``exaplan.plan.warm``), each change the median of five runs on one thread. The clock runs from the changed record: collecting
arrays, building, comparing with the program before, solving and certifying are in it; reading the file, rates and futures are not,
since the changes touch neither. Each change is solved from nothing too, once, and both values must agree. Changes that touch
bounds, costs or sides of rows alone are held to 0.5 s, those that touch the matrix to 2 s.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from instances import FRONTIER
from measured import reference_s
from one_core import machine_words, take_one_core

AIMS_S = {"same program": 0.5, "same matrix": 0.5, "same shape": 2.0, "other shape": 2.0, "cold": 2.0}
EQUAL = 1e-6


def changes() -> dict[str, Callable[[Any], Any]]:
    """List what is asked, by name: each makes another lab."""

    def finance(**new: Any) -> Callable[[Any], Any]:
        return lambda lab: lab.model_copy(update={"finance": lab.finance.model_copy(update=new)})

    def offers(kind: str, field: str, factor: float) -> Callable[[Any], Any]:
        def moved(offer: Any) -> Any:
            if offer.kind != kind:
                return offer
            return offer.model_copy(update={field: tuple(factor * x for x in getattr(offer, field))})

        return lambda lab: lab.model_copy(update={"offers": tuple(moved(offer) for offer in lab.offers)})

    def floor(share: float) -> Callable[[Any], Any]:
        return lambda lab: lab.model_copy(
            update={
                "policy": lab.policy.model_copy(
                    update={"floor": lab.policy.floor.model_copy(update={"share": share})}
                )
            }
        )

    return {
        "cash at the start 10 GUSD less": lambda lab: finance(cash_usd=lab.finance.cash_usd - 10e9)(lab),
        "least cash 4 GUSD": finance(cash_minimum_usd=4e9),
        "a fifth less of every reservation to be had": offers("reserved", "max_order", 0.8),
        "reservations 5 % cheaper": offers("reserved", "price_usd_per_chip_h", 0.95),
        "development floor 42 %": floor(0.42),
        "tax 25 %": finance(tax_rate=0.25),
    }


def ask(base: Any, inputs: Any, change: Callable[[Any], Any], repeats: int) -> dict[str, Any]:
    """Time one question."""
    from exaplan.plan.formulation import build_program
    from exaplan.plan.inputs import collect
    from exaplan.plan.solve import solve_program
    from exaplan.plan.warm import on_the_line_of, solve_warm

    lab, seconds, core_seconds = change(inputs.lab), [], []
    for _ in range(repeats):
        start, core_start = time.perf_counter(), time.process_time()
        asked = on_the_line_of(base, collect(lab, inputs.rates, inputs.tree))
        warm = solve_warm(base, asked)
        seconds.append(time.perf_counter() - start)
        core_seconds.append(time.process_time() - core_start)
    start = time.perf_counter()
    cold = solve_program(build_program(warm.solved.program.inputs))
    cold_s = time.perf_counter() - start
    value, nothing = warm.solved.solution.objective, cold.solution.objective
    return {
        "warm_s": median(seconds), "warm_cpu_s": median(core_seconds), "cold_s": cold_s, "route": warm.route, "why": warm.why, "iterations": warm.iterations,
        "value_musd": value, "equal": abs(value - nothing) <= EQUAL * max(1.0, abs(nothing)), "aim_s": AIMS_S[warm.route],
    }  # fmt: skip


def measure(lab_file: Path, repeats: int) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Solve the lab's own plan and ask every question of it."""
    from exaplan.economy.tree import grow_tree
    from exaplan.io.calibration import load_calibration
    from exaplan.io.labfile import read_lab
    from exaplan.perf.rate_table import fill_rates
    from exaplan.plan.inputs import collect
    from exaplan.plan.solve import solve_plan

    lab = read_lab(lab_file)
    inputs = collect(lab, fill_rates(lab, calibration=load_calibration()), grow_tree(lab))
    start = time.perf_counter()
    base = solve_plan(inputs)
    model = base.model
    own = {
        "seconds": time.perf_counter() - start, "columns": model.column_count, "rows": model.row_count, "value_musd": base.solution.objective,
    }  # fmt: skip
    return own, {name: ask(base, inputs, change, repeats) for name, change in changes().items()}


def main() -> None:
    """Run, print, and write the figures where asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lab", type=Path, default=FRONTIER, metavar="FILE")
    parser.add_argument("--quick", action="store_true", help="one run of each change")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    arguments = parser.parse_args()
    core = take_one_core()
    sys.stdout.write(f"{machine_words()}; {core}; medians of {1 if arguments.quick else 5}\n")
    before = reference_s()
    own, found = measure(arguments.lab, 1 if arguments.quick else 5)
    sys.stdout.write(f"the lab's own plan: {own['columns']:,} columns, {own['seconds']:.1f} s from nothing\n")
    for name, row in found.items():
        met = "met" if row["warm_s"] <= row["aim_s"] else "missed"
        same = "same value" if row["equal"] else "ANOTHER VALUE"
        sys.stdout.write(
            f"  {name:44} {row['warm_s']:.2f} s warm ({row['warm_cpu_s']:.2f} s of processor), {row['cold_s']:.2f} s from nothing, aim {row['aim_s']:g} s: {met}; {row['route']} "
            f"({row['why']}), {row['iterations']} iterations, {same}\n"
        )
    reference = (before, reference_s())
    sys.stdout.write(f"reference solve {reference[0]:.2f} s before, {reference[1]:.2f} s after\n")
    if arguments.json:
        when = datetime.now(UTC).date().isoformat()
        figures = {"date": when, "machine": machine_words(), "core": core, "reference_s": reference}
        arguments.json.write_text(
            json.dumps({**figures, "own": own, "changes": found}, indent=1) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
