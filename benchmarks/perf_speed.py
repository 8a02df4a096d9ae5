"""Configurations per second of the parallelism search on one core, and the frontier table from cold.

    python benchmarks/perf_speed.py [--json FILE]

A configuration is one point of the mesh that a search enumerates; points that the memory mask drops are counted, because
deciding that they do not fit is the search's work, and how many were left to be timed is printed beside them. No two calls
ask the same question (lengths and batches move by a token), so that no cache can answer; the mesh depends on neither and is
built once for a pair, in the first call, whose time is printed too. The verdict goes by the clock; a figure per core second
that lies well above it says that another program was on the core.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from one_core import machine_words, median_rate, take_one_core

PAIRS = (  # dense, sparse with latent attention, and both on systolic arrays
    ("Meta-Llama-3.1-70B", "H100-SXM"),
    ("Meta-Llama-3.1-405B", "Trainium2"),
    ("DeepSeek-V3", "GB200-NVL72"),
    ("DeepSeek-V3", "TPU7x-Ironwood"),
)
AIMS = {"serving": 1e6, "training": 5e5}
CHIPS, MODELS, FRONTIER_AIM_S = 30, 20, 20.0


@dataclass(frozen=True)
class Timed:
    """One search, timed."""

    phase: str
    model: str
    chip: str
    mesh: int
    in_memory: int
    first_s: float  # the first call of the process for this pair, warm-up included
    configurations_per_s: float
    configurations_per_core_s: float


def searches() -> dict[str, Callable[[str, str, int], Any]]:
    """Return the two searches as functions of model, chip and a number that makes each question a new one."""
    from exaplan.io.catalogue import load_chips, load_models
    from exaplan.perf.machine import machine_of
    from exaplan.perf.search import search_serving, search_training
    from exaplan.perf.serving import ServeRequest
    from exaplan.perf.training import TrainRequest

    chips, models = load_chips(), load_models()
    machines = {chip: machine_of(chips[chip], "fp8") for _, chip in PAIRS}

    def serving(model: str, chip: str, turn: int) -> Any:
        request = ServeRequest(1200.0 + turn % 1000, 300.0 + turn // 1000, 0.05, 2.0)
        return search_serving(models[model], machines[chip], request)

    def training(model: str, chip: str, turn: int) -> Any:
        request = TrainRequest(4096.0, 4096.0 * (4000 + turn), 2048.0)
        return search_training(models[model], machines[chip], request)

    return {"serving": serving, "training": training}


def time_search(phase: str, search: Callable[[str, str, int], Any], model: str, chip: str) -> Timed:
    """Time one search on one model and chip."""
    turns = itertools.count()
    start = time.perf_counter()
    found = search(model, chip, next(turns))
    first_s = time.perf_counter() - start
    rate = median_rate(lambda: float(search(model, chip, next(turns)).searched))
    return Timed(
        phase, model, chip, int(found.searched), int(found.mesh.tp.size), first_s, rate.per_s, rate.per_core_s
    )


def fill_frontier(chips: list[Any], models: list[Any]) -> dict[str, int]:
    """Fill the frontier table of chips and models; count pairs with a feasible layout, points, configurations searched."""
    from exaplan.perf.frontier import frontier_table
    from exaplan.perf.serving import ServeRequest

    table = frontier_table(models, chips, [ServeRequest(1200.0, 300.0)])
    return {
        "pairs": len(table),
        "feasible": sum(bool(found.configurations) for found in table),
        "points": sum(len(found.configurations) for found in table),
        "searched": sum(found.searched for found in table),
    }


def frontier_here() -> None:
    """Fill the table in this process, which the caller has just started, and print what it holds as JSON."""
    from exaplan.io.catalogue import load_chips, load_models

    chips, models = list(load_chips().values())[:CHIPS], list(load_models().values())[:MODELS]
    sys.stdout.write(json.dumps(fill_frontier(chips, models)) + "\n")


def time_frontier() -> dict[str, float]:
    """Fill the table in a fresh interpreter; its start, imports and the reading of the catalogue are in the time."""
    start = time.perf_counter()
    command = [sys.executable, __file__, "--frontier-here"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - this very file
    wall_s = time.perf_counter() - start
    return {"wall_s": wall_s, "aim_s": FRONTIER_AIM_S, **json.loads(done.stdout)}


def verdict(met: bool) -> str:
    """Say whether an aim is met."""
    return "met" if met else "missed"


def report(timed: list[Timed], frontier: dict[str, float]) -> str:
    """Lay the figures out as text."""
    lines = []
    for phase, aim in AIMS.items():
        rows = [row for row in timed if row.phase == phase]
        lines += [
            f"{phase:8}  {row.model:20} {row.chip:15} mesh {row.mesh:6,}  in memory {row.in_memory:6,}  first call "
            f"{1e3 * row.first_s:6.1f} ms {row.configurations_per_s:12,.0f} configurations/s "
            f"({row.configurations_per_core_s:,.0f} per core second)"
            for row in rows
        ]
        together = sum(row.mesh for row in rows) / sum(row.mesh / row.configurations_per_s for row in rows)
        least = min(row.configurations_per_s for row in rows)
        lines.append(
            f"{phase:8}  all pairs one after another {together:,.0f} /s, slowest pair {least:,.0f} /s, "
            f"aim {aim:,.0f} /s: {verdict(least >= aim)} by the slowest, {verdict(together >= aim)} by all"
        )
    lines.append(
        f"frontier  {frontier['pairs']:.0f} pairs of chip and model from cold in {frontier['wall_s']:.1f} s "
        f"({frontier['feasible']:.0f} feasible, {frontier['points']:,.0f} points of {frontier['searched']:,.0f} "
        "configurations), "
        f"aim {FRONTIER_AIM_S:.0f} s: {verdict(frontier['wall_s'] <= FRONTIER_AIM_S)}"
    )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run, print, and write the figures where asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    parser.add_argument("--frontier-here", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    core = take_one_core()
    if arguments.frontier_here:
        frontier_here()
        return
    sys.stdout.write(f"{machine_words()}; {core}; medians of five\n")
    found = searches()
    timed = [time_search(phase, found[phase], *pair) for phase in AIMS for pair in PAIRS]
    frontier = time_frontier()
    sys.stdout.write(report(timed, frontier))
    if arguments.json:
        when = datetime.now(UTC).date().isoformat()
        figures: dict[str, Any] = {"date": when, "machine": machine_words(), "core": core, "aims": AIMS}
        figures |= {"searches": [asdict(row) for row in timed], "frontier": frontier}
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
