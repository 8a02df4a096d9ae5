"""Multistage, a million columns: exaplan's subtree decomposition, where the extensive form has no answer in 300 s.

    python benchmarks/multistage.py [--columns N] [--quick] [--skip-extensive] [--lab FILE] [--json FILE]

Both sides solve the same problem in the same run, each in a fresh process with two threads allowed: exaplan to a certified gap of 1 %
(the median of ``--repeats`` runs), HiGHS's interior point on the extensive form, stopped after 300 s. The bound is
checked where the extensive form can be solved, on a sibling of a tenth of the size, there with crossover: the optimum must lie between the value and the bound
that the decomposition states. VSS is computed on a smaller sibling.
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
from instances import FRONTIER, SIBLINGS, multistage, stochastic_value
from measured import medians, reference_s
from one_core import machine_words

COLUMNS, QUICK_COLUMNS, SIBLING = 1_000_000, 40_000, 10
GAP, LIMIT_S, AIM_S, HOPED_S = 1e-2, 300.0, 75.0, 45.0
SIBLING_LIMIT_S = 900.0
ROUNDING = 1e-6
LEAST_SIBLING = 10_000
"""Columns below which an instance hardly branches."""
SKIP = "skip"


def solve_both(
    columns: int, lab: Path, folder: Path, *, repeats: int, limit: float, method: str
) -> dict[str, Any]:
    """Solve with exaplan and with HiGHS on the extensive form."""
    instance = multistage(columns, path=lab)
    file = folder / f"multistage-{columns}.pickle"
    file.write_bytes(pickle.dumps(instance.inputs))
    ours = medians(
        [engines.run(file, "ours", route="subtree", gap=GAP, limit=LIMIT_S) for _ in range(repeats)]
    )
    whole = (
        {"failed": "skipped"}
        if method == SKIP
        else engines.run(file, "extensive", limit=limit, method=method)
    )
    found: dict[str, Any] = {"instance": instance.words, "ours": ours, "extensive": whole}
    if whole.get("objective") is not None and "failed" not in ours:
        value, slack = whole["objective"], ROUNDING * abs(whole["objective"])
        found["optimum_between_value_and_bound"] = bool(
            ours["objective"] - slack <= value <= ours["bound"] + slack
        )
        found["times_our_solve_s"] = whole["solve_s"] / ours["solve_s"]
    return found


def report(found: dict[str, Any]) -> str:
    """Lay the figures out as text."""
    lines = [found["instance"]]
    ours, whole = found["ours"], found["extensive"]
    if "failed" in ours:
        lines.append(f"  ours       {ours['failed']}")
    else:
        lines.append(
            f"  ours       {ours['columns']:,.0f} columns: solved in {ours['solve_s']:.1f} s ({ours['solve_cpu_s']:.1f} s of processor), value {ours['objective']:,.2f} M$, bound "
            f"{ours['bound']:,.2f} M$, gap {100 * ours['gap']:.3f} %, status {ours['status']}, peak {ours['peak_mib']:.0f} MiB"
        )
    if "failed" in whole:
        lines.append(f"  extensive  {whole['failed']}")
    else:
        value = f"value {whole['objective']:,.2f} M$" if whole["objective"] is not None else "no answer"
        lines.append(
            f"  extensive  {whole['solve_s']:.1f} s ({whole['solve_cpu_s']:.1f} s of processor), {value}, status {whole['status']}, {whole['iterations']} iterations, "
            f"peak {whole['peak_mib']:.0f} MiB"
        )
    if "optimum_between_value_and_bound" in found:
        between = "lies" if found["optimum_between_value_and_bound"] else "DOES NOT LIE"
        lines.append(
            f"  the optimum {between} between our value and our bound; the extensive form takes {found['times_our_solve_s']:.1f} x our seconds"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run, print, and write the figures where asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--columns", type=int, help=f"default: {COLUMNS:,}")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_COLUMNS:,} columns, one run")
    parser.add_argument("--repeats", type=int, help="default: five, one with --quick")
    parser.add_argument("--skip-extensive", action="store_true", help="of the large instance only")
    parser.add_argument("--lab", type=Path, default=FRONTIER, metavar="FILE")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    arguments = parser.parse_args()
    columns = arguments.columns or (QUICK_COLUMNS if arguments.quick else COLUMNS)
    repeats = arguments.repeats or (1 if arguments.quick else 5)
    sys.stdout.write(f"{machine_words()}; two threads; medians of {repeats}\n")
    before = reference_s()
    sibling = SIBLINGS["multistage"] // (3 if arguments.quick else 1)
    vss = stochastic_value(multistage(sibling, path=arguments.lab), path=arguments.lab)
    with tempfile.TemporaryDirectory() as name:
        small = solve_both(
            max(columns // SIBLING, LEAST_SIBLING),
            arguments.lab,
            Path(name),
            repeats=1,
            limit=SIBLING_LIMIT_S,
            method="ipx+crossover",
        )
        sys.stdout.write(report(small))
        large = solve_both(
            columns,
            arguments.lab,
            Path(name),
            repeats=repeats,
            limit=LIMIT_S,
            method=SKIP if arguments.skip_extensive else "ipx",
        )
        sys.stdout.write(report(large))
    reference = (before, reference_s())
    sys.stdout.write(
        f"aims for {COLUMNS:,} columns: {AIM_S:g} s, hoped for {HOPED_S:g} s; VSS {100 * vss['vss_share']:.1f} % at {vss['instance']}; "
        f"reference solve {reference[0]:.2f} s before, {reference[1]:.2f} s after\n"
    )
    if arguments.json:
        when = datetime.now(UTC).date().isoformat()
        figures = {"date": when, "machine": machine_words(), "reference_s": reference, "vss": vss}
        arguments.json.write_text(
            json.dumps({**figures, "sibling": small, "large": large}, indent=1) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
