"""Seconds and memory to build a million columns and hand them to HiGHS: exaplan, linopy, Pyomo and PyPSA.

    python benchmarks/build.py [--peers-python PATH] [--columns N] [--quick] [--lab FILE] [--json FILE]

Three things are built, each run in a fresh process, all on one core and one thread:

- the whole program of a multistage instance (``instances.py``), by exaplan alone: the aim of 1.5 s and of a peak at no more than 1.5
  times the memory at rest;
- the core of such a plan (``core_rows.py``), the same rows by exaplan, linopy and Pyomo, with equal optima checked at a
  fiftieth of the size;
- another problem of like size by PyPSA (``run_pypsa.py``), since its language is another.

Time runs from the arrays in memory until the solver holds the model; imports are not in it. Exaplan and linopy are medians of five runs,
Pyomo and PyPSA of one (a run takes minutes). Ratios are of processor seconds, because programs that share the machine stretch the
clock; a fixed reference solve before and after says how fast the machine was. ``--peers-python`` is a Python that has linopy, pyomo,
pypsa and highspy (``pip install linopy pyomo pypsa highspy``); without it the peers are left out and the output says so.
"""

from __future__ import annotations

import argparse
import json
import pickle
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from one_core import machine_words, take_one_core

HERE = Path(__file__).resolve().parent
COLUMNS, QUICK_COLUMNS, CHECKED_SHARE = 1_000_000, 50_000, 50
AIM_S, AIM_PEAK = 1.5, 1.5
AIMS = {"linopy": 2.0, "Pyomo": 50.0, "PyPSA": 15.0}
EQUAL = 1e-6


def whole_here(file: Path) -> None:
    """Build the program of pickled inputs in this process, which the caller has just started, and print what it took."""
    from measured import as_json, use_of

    from exaplan.optimize.handover import loaded
    from exaplan.plan.formulation import build_program

    inputs = pickle.loads(file.read_bytes())  # noqa: S301 - written by the caller a moment ago
    seconds = []

    def work() -> Any:
        import time

        start = time.perf_counter()
        program = build_program(inputs)
        seconds.append(time.perf_counter() - start)
        return program, loaded(program.model)

    used, (program, _) = use_of(work)
    model = program.model
    sys.stdout.write(
        as_json(
            used,
            build_s=seconds[0],
            columns=model.column_count,
            rows=model.row_count,
            entries=model.entry_count,
        )
    )


def time_whole(columns: int, lab: Path, folder: Path, repeats: int) -> dict[str, Any]:
    """Time the whole program."""
    from instances import multistage
    from measured import in_fresh_process, medians

    instance = multistage(columns, path=lab)
    file = folder / "inputs.pickle"
    file.write_bytes(pickle.dumps(instance.inputs))
    command = [sys.executable, __file__, "--whole-here", str(file)]
    return {"instance": instance.words, **medians([in_fresh_process(command) for _ in range(repeats)])}


def time_core(
    columns: int, lab: Path, folder: Path, repeats: int, peers: str | None
) -> dict[str, dict[str, Any]]:
    """Time the core of a plan in each language, and solve a small one in each."""
    import numpy as np
    from core_rows import core_data
    from measured import in_fresh_process, medians

    files = {}
    for size in (columns, max(columns // CHECKED_SHARE, 3_000)):
        files[size] = folder / f"core-{size}.npz"
        np.savez(files[size], **core_data(size, lab))  # type: ignore[arg-type]
    large, small = files.values()
    sides = {"exaplan": (sys.executable, "core_rows.py", repeats)}
    if peers:
        sides |= {"linopy": (peers, "run_linopy.py", repeats), "Pyomo": (peers, "run_pyomo.py", 1)}
    found = {}
    for name, (python, script, times) in sides.items():
        command = [python, str(HERE / script), "--data"]
        row = medians([in_fresh_process([*command, str(large)]) for _ in range(times)])
        checked = in_fresh_process([*command, str(small), "--solve"])
        found[name] = row | {
            "small_columns": checked.get("columns"),
            "small_objective": checked.get("objective"),
        }
    return found


def compare(found: dict[str, dict[str, Any]]) -> None:
    """Add to each side how many times our seconds it takes, per column, and whether its optimum is ours."""
    ours = found["exaplan"]
    for row in found.values():
        if "failed" in row:
            continue
        for kind in ("wall_s", "cpu_s"):
            row[f"times_our_{kind}"] = (row[kind] / row["columns"]) / (ours[kind] / ours["columns"])
        if row.get("small_objective") is not None:
            row["equal"] = abs(row["small_objective"] / ours["small_objective"] - 1) < EQUAL


def report(whole: dict[str, Any], found: dict[str, dict[str, Any]]) -> str:
    """Lay the figures out as text."""
    build, peak = whole["wall_s"], whole["peak_mib"] / whole["rest_mib"]
    head = (
        f"whole program  {whole['instance']}: {whole['columns']:,.0f} columns, {whole['entries']:,.0f} coefficients: built in "
        f"{whole['build_s']:.2f} s, with HiGHS in {build:.2f} s ({whole['cpu_s']:.2f} s of processor), aim {AIM_S} s: "
        f"{verdict(whole['build_s'] <= AIM_S)}; memory {whole['before_mib']:.0f} MiB before, peak {whole['peak_mib']:.0f}, at rest "
        f"{whole['rest_mib']:.0f}: peak {peak:.2f} x, aim {AIM_PEAK}: {verdict(peak <= AIM_PEAK)}"
    )
    lines = [head]
    for name, row in found.items():
        if "failed" in row:
            lines.append(f"{name:8}  failed: {row['failed']}")
            continue
        aim = AIMS.get(name)
        says = f", aim {aim:g} x: {verdict(row['times_our_cpu_s'] >= aim)}" if aim else ""
        same = {True: ", same optimum", False: ", ANOTHER OPTIMUM", None: ""}[row.get("equal")]
        lines.append(
            f"{name:8}  {row['columns']:,.0f} columns, {row['entries']:,.0f} coefficients: {row['wall_s']:.2f} s, "
            f"{row['cpu_s']:.2f} s of processor; memory {row['before_mib']:.0f} MiB before, peak {row['peak_mib']:.0f}, at rest "
            f"{row['rest_mib']:.0f}; per column {row['times_our_cpu_s']:.1f} x our processor seconds "
            f"({row['times_our_wall_s']:.1f} x on the clock){says}{same}  {row.get('versions', '')}"
        )
    return "\n".join(lines) + "\n"


def verdict(met: bool) -> str:
    """Say whether an aim is met."""
    return "met" if met else "missed"


def main() -> None:
    """Run, print, and write the figures where asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--peers-python", metavar="PATH", help="a Python with linopy, pyomo, pypsa and highspy"
    )
    parser.add_argument("--columns", type=int, help=f"default: {COLUMNS:,}")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_COLUMNS:,} columns, one run each")
    parser.add_argument(
        "--lab", type=Path, default=HERE.parent / "examples" / "frontier-2026.yaml", metavar="FILE"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    parser.add_argument("--whole-here", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    core = take_one_core()
    if arguments.whole_here:
        whole_here(arguments.whole_here)
        return
    from measured import in_fresh_process, reference_s

    columns = arguments.columns or (QUICK_COLUMNS if arguments.quick else COLUMNS)
    repeats, peers = 1 if arguments.quick else 5, arguments.peers_python
    sys.stdout.write(f"{machine_words()}; {core}; medians of {repeats}\n")
    if not peers:
        sys.stdout.write(
            "peers are left out: --peers-python names no Python that has linopy, pyomo and pypsa\n"
        )
    before = reference_s()
    with tempfile.TemporaryDirectory() as name:
        whole = time_whole(columns, arguments.lab, Path(name), repeats)
        found = time_core(columns, arguments.lab, Path(name), repeats, peers)
    if peers:
        found["PyPSA"] = in_fresh_process([peers, str(HERE / "run_pypsa.py"), "--columns", str(columns)])
    compare(found)
    reference = (before, reference_s())
    sys.stdout.write(report(whole, found))
    sys.stdout.write(f"reference solve {reference[0]:.2f} s before, {reference[1]:.2f} s after\n")
    if arguments.json:
        when = datetime.now(UTC).date().isoformat()
        figures = {
            "date": when,
            "machine": machine_words(),
            "core": core,
            "reference_s": reference,
            "whole": whole,
        }
        arguments.json.write_text(
            json.dumps({**figures, "core_rows": found}, indent=1) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
