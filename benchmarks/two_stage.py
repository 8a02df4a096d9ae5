"""Two-stage, a thousand scenarios: exaplan's decomposition against HiGHS on the extensive form, and against mpi-sppy.

    python benchmarks/two_stage.py [--peers-python PATH] [--scenarios N] [--quick] [--skip-extensive] [--lab FILE] [--json FILE]

All sides solve the same problem in the same run, each in a fresh process with two threads allowed:

- exaplan to a certified gap of 0.1 %, the median of five runs;
- HiGHS's interior point on the extensive form, once, stopped after 300 s;
- at a tenth of the scenarios, exaplan again, and mpi-sppy with the same solver: its extensive form and its L-shaped method (each
  stopped after 300 s). Time of the L-shaped method is that until its bound is within 0.1 % of the optimum; it certifies no gap.

Equal values are checked, and VSS is computed on a sibling of forty scenarios. ``--peers-python`` is a Python with mpi-sppy, pyomo, mpi4py,
openmpi and highspy; without it the peer is left out and the output says so.
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

import engines
import numpy as np
from instances import FRONTIER, SIBLINGS, TWO_STAGE_BRANCH, Instance, stochastic_value, two_stage
from measured import in_fresh_process, medians, reference_s
from one_core import machine_words

HERE = Path(__file__).resolve().parent
SCENARIOS, QUICK_SCENARIOS, PEER_SHARE = 1_000, 50, 10
GAP, LIMIT_S, AIM_S, AIM_TIMES = 1e-3, 300.0, 6.0, 20.0


def scenario_arrays(instance: Instance) -> dict[str, np.ndarray]:
    """Write the extensive form as arrays, with the scenario of every column (-1: common)."""
    from exaplan.plan.staging import staged_of

    program, inputs = instance.build(), instance.inputs
    model = program.model
    if model.sense != "max":
        raise ValueError("two_stage: the plan is expected to maximise")
    scenario = np.full(inputs.nodes, -1)
    for number, history in enumerate(inputs.at_quarter[inputs.leaves]):
        scenario[history[TWO_STAGE_BRANCH:]] = number
    scenario[inputs.tails] = np.arange(len(inputs.leaves))
    names = ("cost", "lower", "upper", "row_lower", "row_upper", "start", "index", "value")
    arrays = {name: getattr(model, name) for name in names}
    arrays["scenario"] = scenario[staged_of(program).column_node]
    return arrays | {"probability": inputs.probability[inputs.leaves]}


def against_extensive(scenarios: int, lab: Path, folder: Path, *, repeats: int, skip: bool) -> dict[str, Any]:
    """Solve with exaplan and with HiGHS on the extensive form."""
    instance = two_stage(scenarios, path=lab)
    file = folder / f"two-stage-{scenarios}.pickle"
    file.write_bytes(pickle.dumps(instance.inputs))
    ours = medians(
        [engines.run(file, "ours", route="two-stage", gap=GAP, limit=LIMIT_S) for _ in range(repeats)]
    )
    whole = {"failed": "skipped"} if skip else engines.run(file, "extensive", limit=LIMIT_S)
    return {"instance": instance.words, "ours": ours, "extensive": whole}


def against_peer(scenarios: int, lab: Path, folder: Path, *, repeats: int, peers: str) -> dict[str, Any]:
    """Solve with exaplan and with mpi-sppy."""
    found = against_extensive(scenarios, lab, folder, repeats=repeats, skip=False)
    file = folder / f"two-stage-{scenarios}.npz"
    np.savez(file, **scenario_arrays(two_stage(scenarios, path=lab)))  # type: ignore[arg-type]
    command = [peers, str(HERE / "run_mpisppy.py"), "--data", str(file), "--limit", str(LIMIT_S), "--method"]
    for method in ("ef", "lshaped"):
        found[f"mpi-sppy {method}"] = in_fresh_process([*command, method], timeout_s=2 * LIMIT_S)
    row = found["mpi-sppy lshaped"]
    known = value_of(found)
    if known is not None and "log" in row:
        near = [seconds for seconds, bound in row["log"] if abs(bound / known - 1) <= GAP]
        row["seconds_to_gap"] = near[0] if near else None
    return found


def value_of(found: dict[str, Any]) -> float | None:
    """Take the optimum from the extensive form where it has one, else from our answer."""
    return next(
        (
            found[side]["objective"]
            for side in ("extensive", "ours")
            if found[side].get("objective") is not None
        ),
        None,
    )


def said(name: str, row: dict[str, Any]) -> str:
    """Say what one side did."""
    if "failed" in row:
        return f"  {name:20} {row['failed']}"
    if name == "mpi-sppy lshaped":
        reached = row.get("seconds_to_gap")
        when = f"bound within 0.1 % after {reached:.1f} s" if reached else "bound not within 0.1 %"
        return f"  {name:20} {when}, stopped after {row['solve_s']:.1f} s and {row['iterations']} rounds, bound {row['bound']:,.2f}"
    value = f"value {row['objective']:,.2f} M$" if row.get("objective") is not None else "no answer"
    gap = f", gap {100 * row['gap']:.3f} %" if row.get("gap") is not None else ""
    return f"  {name:20} solved in {row['solve_s']:.2f} s ({row.get('solve_cpu_s', row['cpu_s']):.2f} s of processor), {value}{gap}, status {row.get('status', '')}, peak {row['peak_mib']:.0f} MiB"


def compared(found: dict[str, Any]) -> list[str]:
    """Compare every other side with ours: the same value, and how many times our seconds."""
    ours, lines = found["ours"], []
    if "failed" in ours:
        return lines
    for name, row in found.items():
        if name in ("ours", "instance") or "failed" in row:
            continue
        seconds = row.get("seconds_to_gap", row["solve_s"]) or row["solve_s"]
        row["times_our_solve_s"] = seconds / ours["solve_s"]
        row["times_our_cpu_s"] = row.get("solve_cpu_s", row["cpu_s"]) / ours["solve_cpu_s"]
        if row.get("objective") is not None:
            row["equal"] = abs(row["objective"] - ours["objective"]) <= GAP * abs(row["objective"])
            same = "same value to 0.1 %" if row["equal"] else "ANOTHER VALUE"
        else:
            same = "no value"
        lines.append(
            f"  {name:20} takes {row['times_our_solve_s']:.1f} x our seconds, {row['times_our_cpu_s']:.1f} x of processor, {same}"
        )
    return lines


def main() -> None:
    """Run, print, and write the figures where asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--peers-python", metavar="PATH", help="a Python with mpi-sppy, pyomo, mpi4py and highspy"
    )
    parser.add_argument("--scenarios", type=int, help=f"default: {SCENARIOS:,}")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_SCENARIOS} scenarios, one run each")
    parser.add_argument("--repeats", type=int, help="of exaplan's side; default: five, one with --quick")
    parser.add_argument("--skip-extensive", action="store_true")
    parser.add_argument("--lab", type=Path, default=FRONTIER, metavar="FILE")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    arguments = parser.parse_args()
    scenarios = arguments.scenarios or (QUICK_SCENARIOS if arguments.quick else SCENARIOS)
    repeats = arguments.repeats or (1 if arguments.quick else 5)
    sys.stdout.write(f"{machine_words()}; two threads; medians of {repeats}\n")
    before = reference_s()
    sibling = SIBLINGS["two_stage"] // (4 if arguments.quick else 1)
    vss = stochastic_value(two_stage(sibling, path=arguments.lab), path=arguments.lab)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        blocks = [
            against_extensive(
                scenarios, arguments.lab, folder, repeats=repeats, skip=arguments.skip_extensive
            )
        ]
        if arguments.peers_python:
            small = max(scenarios // PEER_SHARE, 5)
            blocks.append(
                against_peer(small, arguments.lab, folder, repeats=repeats, peers=arguments.peers_python)
            )
    for block in blocks:
        sides = {name: row for name, row in block.items() if name != "instance"}
        lines = [block["instance"], *(said(*side) for side in sides.items()), *compared(block)]
        sys.stdout.write("\n".join(lines) + "\n")
    if not arguments.peers_python:
        sys.stdout.write("mpi-sppy is left out: --peers-python names no Python that has it\n")
    reference = (before, reference_s())
    sys.stdout.write(
        f"aims: {AIM_S:g} s for {SCENARIOS:,} scenarios, mpi-sppy {AIM_TIMES:g} x; VSS {100 * vss['vss_share']:.1f} % at "
        f"{vss['instance']}; reference solve {reference[0]:.2f} s before, {reference[1]:.2f} s after\n"
    )
    if arguments.json:
        when = datetime.now(UTC).date().isoformat()
        figures = {
            "date": when,
            "machine": machine_words(),
            "reference_s": reference,
            "vss": vss,
            "blocks": blocks,
        }
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
