"""Seconds and memory of building and solving against size, a thousand to a million columns, as JSON and a picture.

    python benchmarks/scaling.py [--quick] [--lab FILE] [--json FILE] [--plot FILE.svg|FILE.png ...]

Multistage instances of ``instances.py``, each size in fresh processes with two threads allowed: exaplan builds and solves by the
route it chooses itself, to a certified gap of 1 %; HiGHS solves the extensive form by the dual simplex up to 60,000 columns and by
its interior point above, until a size takes it longer than 300 s. Seconds are medians of three runs below 100,000 columns, of one
above. ``--plot`` draws a picture; ``--from FILE`` draws figures written before, without running anything.
"""

from __future__ import annotations

import argparse
import json
import math
import pickle
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import engines
from instances import FRONTIER, multistage
from measured import medians, reference_s
from one_core import machine_words

SIZES = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
QUICK_SIZES = SIZES[:4]
GAP, LIMIT_S = 1e-2, 300.0
SIMPLEX_UP_TO, THRICE_UP_TO = 60_000, 99_000


def time_size(columns: int, lab: Path, *, extensive: bool, quick: bool) -> dict[str, Any]:
    """Time one size."""
    instance = multistage(columns, path=lab)
    repeats = 3 if columns <= THRICE_UP_TO and not quick else 1
    method = "simplex" if columns <= SIMPLEX_UP_TO else "ipx"
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "inputs.pickle"
        file.write_bytes(pickle.dumps(instance.inputs))
        ours = medians([engines.run(file, "ours", gap=GAP, limit=LIMIT_S) for _ in range(repeats)])
        whole: dict[str, Any] = {"failed": "skipped: a smaller size had no answer within the limit"}
        if extensive:
            whole = medians(
                [engines.run(file, "extensive", limit=LIMIT_S, method=method) for _ in range(repeats)]
            )
    return {"asked": columns, "instance": instance.words, "ours": ours, "extensive": whole}


def answered(row: dict[str, Any]) -> bool:
    """Whether a side has a value."""
    return "failed" not in row and row.get("objective") is not None


def report(row: dict[str, Any]) -> str:
    """Lay one size out as text."""
    parts = [row["instance"]]
    for side in ("ours", "extensive"):
        found = row[side]
        if "failed" in found:
            parts.append(f"{side} {found['failed']}")
            continue
        value = f"value {found['objective']:,.1f}" if answered(found) else "no answer"
        gap = f" gap {100 * found['gap']:.3f} %" if found.get("gap") is not None else ""
        parts.append(
            f"{side} {found['columns']:,.0f} columns, build {found['build_s']:.2f} s, solve {found['solve_s']:.2f} s, {value}{gap}, "
            f"peak {found['peak_mib']:.0f} MiB"
        )
    return "; ".join(parts) + "\n"


def points(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """List what is drawn: one point per size, side and measure."""
    drawn = []
    for row in rows:
        for side, name in (("ours", "exaplan"), ("extensive", "HiGHS, extensive form")):
            found = row[side]
            if "failed" in found:
                continue
            point = {"columns": found["columns"], "who": name}
            if answered(found):
                drawn.append(point | {"panel": "solve", "value": found["solve_s"]})
                drawn.append(point | {"panel": "memory", "value": found["peak_mib"]})
            if side == "ours" or "failed" in row["ours"]:
                drawn.append(point | {"who": "exaplan", "panel": "build", "value": found["build_s"]})
    return drawn


def chart(rows: list[dict[str, Any]]) -> Any:
    """Draw the panels, both axes logarithmic."""
    import altair as alt

    from exaplan.report.drawing import data, panel_title
    from exaplan.report.theme import ACCENT, QUIET

    drawn = points(rows)
    panels = []
    for panel, title, unit in (
        ("build", "Build", "seconds"),
        ("solve", "Solve", "seconds"),
        ("memory", "Peak memory", "MiB"),
    ):
        some = [point for point in drawn if point["panel"] == panel]
        if not some:
            continue
        color = alt.Color(
            "who:N",
            scale=alt.Scale(domain=["exaplan", "HiGHS, extensive form"], range=[ACCENT, QUIET]),
            title=None,
        )
        x, y = (
            {
                "axis": alt.Axis(values=decades, format=style, title=None),
                "scale": alt.Scale(type="log", domain=[decades[0], decades[-1]], nice=False),
            }
            for decades, style in (
                (decades_of([point["columns"] for point in some]), "~s"),
                (decades_of([point["value"] for point in some]), ",~r"),
            )
        )
        panels.append(
            alt.Chart(data(some))
            .mark_line(point=True)
            .encode(x=alt.X("columns:Q", **x), y=alt.Y("value:Q", **y), color=color)
            .properties(width=190, height=190, title=panel_title(title, f"{unit} against columns"))
        )
    return alt.hconcat(*panels)


def decades_of(values: list[float]) -> list[float]:
    """List the powers of ten that enclose the values."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return [10.0**power for power in range(low, max(high, low + 1) + 1)]


def draw(rows: list[dict[str, Any]], files: list[Path]) -> None:
    """Write the picture to each file, by its ending."""
    from exaplan.report.drawing import chart_png, themed

    for file in files:
        if file.suffix == ".png":
            file.write_bytes(chart_png(chart(rows)))
        else:
            import vl_convert

            file.write_text(str(vl_convert.vegalite_to_svg(themed(chart(rows)))), encoding="utf-8")


def main() -> None:
    """Run, print, and write the figures and the picture where asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help=f"up to {QUICK_SIZES[-1]:,} columns, one run each"
    )
    parser.add_argument("--lab", type=Path, default=FRONTIER, metavar="FILE")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    parser.add_argument(
        "--from", dest="given", type=Path, metavar="FILE", help="draw these figures, run nothing"
    )
    parser.add_argument("--plot", type=Path, nargs="+", default=[], metavar="FILE", help=".svg or .png")
    arguments = parser.parse_args()
    if arguments.given:
        draw(json.loads(arguments.given.read_text(encoding="utf-8"))["sizes"], arguments.plot)
        return
    sys.stdout.write(f"{machine_words()}; two threads\n")
    before, rows, extensive = reference_s(), [], True
    for columns in QUICK_SIZES if arguments.quick else SIZES:
        row = time_size(columns, arguments.lab, extensive=extensive, quick=arguments.quick)
        extensive = extensive and answered(row["extensive"])
        rows.append(row)
        sys.stdout.write(report(row))
        sys.stdout.flush()
    reference = (before, reference_s())
    sys.stdout.write(f"reference solve {reference[0]:.2f} s before, {reference[1]:.2f} s after\n")
    if arguments.json:
        when = datetime.now(UTC).date().isoformat()
        figures = {
            "date": when,
            "machine": machine_words(),
            "reference_s": reference,
            "gap": GAP,
            "sizes": rows,
        }
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    draw(rows, arguments.plot)


if __name__ == "__main__":
    main()
