"""Monte Carlo of a plan on the frontier example: 20,000 paths x 16 quarters, with one and with three load blocks.

    python benchmarks/monte_carlo.py [--lab FILE] [--paths N] [--quick] [--json FILE]

Each lab is planned once (not timed here); then the plan is replayed on sampled futures, a linear program for each path
and quarter. In the same run, on a sample of paths of every quarter, each program is solved alone by HiGHS on one
thread: cold (a new solver, presolve on) and hot (one solver kept, from the basis of the path before, in the same sorted
order). All three values must agree to 1e-7. Ratios are of seconds for each program: the replay's clock, everything that
a replay does in it, against the clock of the solves alone. Three load blocks are cut from the shipped trace.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from instances import FRONTIER
from measured import reference_s, use_of
from one_core import machine_words

AIMS_S = {1: 20.0, 3: 60.0}
AIM_COLD, AIM_HOT = 20.0, 2.0
EQUAL = 1e-7
KEPT = 9
"""One chunk in so many is solved again, alone."""
SEED = 1
HOT, COLD = 150, 15
"""Paths of a quarter that are solved alone."""


class Watched:
    """Stands for the solver of a chunk: keeps one chunk in so many, counts programs and the seconds of all workers in them."""

    def __init__(self, solve: Callable[[Any], np.ndarray]) -> None:
        self.solve, self.lock = solve, Lock()
        self.calls, self.kept, self.seconds, self.programs = 0, [], 0.0, 0

    def __call__(self, chunk: Any) -> np.ndarray:
        """Solve a chunk."""
        start = time.perf_counter()
        made = self.solve(chunk)
        with self.lock:
            self.seconds += time.perf_counter() - start
            self.programs += len(made)
            if self.calls % KEPT == 0:
                self.kept.append(chunk)
            self.calls += 1
        return made


def solved_plan(lab_file: Path, blocks: int) -> Any:
    """Plan the lab with that many load blocks."""
    from exaplan.domain.load import Load
    from exaplan.economy.tree import grow_tree
    from exaplan.io.calibration import load_calibration
    from exaplan.io.catalogue import load_shape
    from exaplan.io.labfile import read_lab
    from exaplan.perf.rate_table import fill_rates
    from exaplan.plan.inputs import collect
    from exaplan.plan.solve import solve_plan

    lab = read_lab(lab_file)
    if blocks > 1:
        lab = lab.model_copy(update={"load": Load(blocks=blocks, shape=load_shape()[0])})
    return solve_plan(collect(lab, fill_rates(lab, calibration=load_calibration()), grow_tree(lab)))


def clocks() -> np.ndarray:
    """Seconds on the wall and of the processor."""
    return np.array([time.perf_counter(), time.process_time()])


def alone(chunks: list[Any]) -> dict[str, Any]:
    """Solve a sample of programs together, hot and cold: microseconds each, the largest gap, and who found what."""
    from dataclasses import replace

    from exaplan.optimize.highs import HotSolver, solve
    from exaplan.optimize.many import solve_many

    hot, cold, hots, colds, gap = np.zeros(2), np.zeros(2), 0, 0, 0.0
    counts, programs_in_all = np.zeros(4, dtype=int), 0
    for chunk in chunks:
        programs = chunk.programs()
        found = solve_many(chunk.model, programs)
        counts += (found.starts, found.at_once, found.walked, found.left)
        programs_in_all += len(found.x)
        solver = HotSolver(chunk.model)
        mine = (programs.cost * found.x).sum(axis=1)
        for path in range(min(HOT, len(mine))):
            one = programs.at(path)
            start = clocks()
            _, x = solver.point(**one)
            hot, hots = hot + clocks() - start, hots + 1
            gap = max(gap, abs(mine[path] - one["cost"] @ x) / max(1.0, abs(mine[path])))
        for path in range(0, len(mine), max(1, len(mine) // COLD)):
            model = replace(
                chunk.model, **{name: values.copy() for name, values in programs.at(path).items()}
            )
            start = clocks()
            best = solve(model)
            cold, colds = cold + clocks() - start, colds + 1
            gap = max(gap, abs(mine[path] - best.objective) / max(1.0, abs(best.objective)))
    shares = dict(
        zip(("starts", "at_once", "walked", "left"), (counts / programs_in_all).tolist(), strict=True)
    )
    (hot_us, hot_cpu_us), (cold_us, cold_cpu_us) = (hot / hots * 1e6).tolist(), (cold / colds * 1e6).tolist()
    return {
        "hot_us": hot_us, "hot_cpu_us": hot_cpu_us, "cold_us": cold_us, "cold_cpu_us": cold_cpu_us, "hot": hots, "cold": colds,
        "gap": gap, "shares": shares,
    }  # fmt: skip


def measure(lab_file: Path, blocks: int, paths: int) -> dict[str, Any]:
    """Plan, replay, and solve the sample alone."""
    from exaplan.app.fanout import thread_map, workers
    from exaplan.economy.sampling import sample_world
    from exaplan.simulate import dispatch
    from exaplan.simulate.replay import replay

    solved = solved_plan(lab_file, blocks)
    inputs, watched = solved.program.inputs, Watched(dispatch.solve_chunk)

    def work() -> Any:
        world = sample_world(inputs.lab, paths=paths, seed=SEED)
        return replay(solved, world, seed=SEED, map=thread_map)

    dispatch.solve_chunk = watched
    used, outcome = use_of(work)
    dispatch.solve_chunk = watched.solve
    model = watched.kept[0].model
    sample = alone(watched.kept)
    each = used.wall_s / watched.programs
    return {
        "blocks": blocks, "paths": paths, "quarters": inputs.quarters, "programs": watched.programs, "workers": workers(),
        "columns": model.column_count, "rows": model.row_count, "entries": model.entry_count, "arcs": len(inputs.sets.arc_group),
        "tree_nodes": inputs.tree_nodes, "wall_s": used.wall_s, "cpu_s": used.cpu_s, "programs_s": watched.seconds,
        "before_mib": used.before_mib, "peak_mib": used.peak_mib, "mean_value_busd": float(outcome.value_usd.mean()) / 1e9,
        "over_hot": sample["hot_us"] * 1e-6 / each, "over_cold": sample["cold_us"] * 1e-6 / each, "aim_s": AIMS_S.get(blocks),
        "cpu_over_hot": sample["hot_cpu_us"] * watched.programs / used.cpu_s * 1e-6,
        "cpu_over_cold": sample["cold_cpu_us"] * watched.programs / used.cpu_s * 1e-6, **sample,
    }  # fmt: skip


def words(row: dict[str, Any]) -> str:
    """Say what was found."""
    aim = row["aim_s"]
    met = "" if aim is None else f", aim {aim:g} s: {'met' if row['wall_s'] <= aim else 'missed'}"
    shares = row["shares"]
    return (
        f"{row['blocks']} load block{'s' if row['blocks'] > 1 else ''}: {row['paths']:,} paths x {row['quarters']} quarters, "
        f"{row['programs']:,} programs of {row['columns']} columns, {row['rows']} rows, {row['entries']} coefficients, {row['arcs']} arcs; "
        f"tree of {row['tree_nodes']} nodes\n"
        f"  replay {row['wall_s']:.1f} s ({row['cpu_s']:.1f} s of processor, {row['workers']} workers; {row['programs_s']:.1f} s of all workers in the programs){met}; "
        f"memory {row['before_mib']:.0f} MiB before, {row['peak_mib']:.0f} at the peak\n"
        f"  one program alone: {row['cold_us']:.0f} us cold ({row['cold_cpu_us']:.0f} of processor; {row['cold']} of them), {row['hot_us']:.0f} us hot "
        f"({row['hot_cpu_us']:.0f} of processor; {row['hot']}); "
        f"largest gap {row['gap']:.1e}: {'same values' if row['gap'] <= EQUAL else 'OTHER VALUES'}\n"
        f"  the replay is {row['over_cold']:.0f} x faster than cold (aim {AIM_COLD:g}), {row['over_hot']:.1f} x faster than hot (aim {AIM_HOT:g}); "
        f"in processor seconds, which two workers do not make fewer, {row['cpu_over_cold']:.0f} x and {row['cpu_over_hot']:.1f} x\n"
        f"  who found the optimum: {shares['at_once']:.1%} a neighbor's basis, {shares['walked']:.1%} a walk from it, "
        f"{shares['starts']:.1%} HiGHS as starts, {shares['left']:.1%} HiGHS in the end\n"
    )


def main() -> None:
    """Run, print, and write the figures where asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lab", type=Path, default=FRONTIER, metavar="FILE")
    parser.add_argument("--paths", type=int, default=20_000, metavar="N")
    parser.add_argument("--blocks", type=int, nargs="+", default=[1, 3], metavar="B")
    parser.add_argument("--quick", action="store_true", help="2,000 paths")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    arguments = parser.parse_args()
    sys.stdout.write(f"{machine_words()}\n")
    before, found = reference_s(), []
    for blocks in arguments.blocks:
        found.append(measure(arguments.lab, blocks, 2_000 if arguments.quick else arguments.paths))
        sys.stdout.write(words(found[-1]))
        sys.stdout.flush()
    reference = (before, reference_s())
    sys.stdout.write(f"reference solve {reference[0]:.2f} s before, {reference[1]:.2f} s after\n")
    if arguments.json:
        when = datetime.now(UTC).date().isoformat()
        figures = {"date": when, "machine": machine_words(), "reference_s": reference, "runs": found}
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
