"""Our predictions and those of other programs for the same published measurements, in one run on one core.

    python benchmarks/perf_peers.py [--measured DIR] [--cache DIR] [--only NAME] [--json FILE]

Peers are installed from the package index into environments of their own under the cache folder (about 1 GB); nothing of
them is imported here. Errors are of log(predicted / measured) on the rows that the program answered, and ours on those same
rows stand in the line below.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from one_core import machine_words, take_one_core
from peer_cases import MEASURED, Row, cases_of, measured_in, read_rows
from peer_rooms import ABSENT, PEERS, Peer, UnavailableError, ask

HINDSIGHT = "one efficiency per chip fitted to these very rows"


@dataclass(frozen=True)
class Score:
    """How one program did on the rows it was compared on."""

    task: str
    program: str
    answered: int
    asked: int
    median_abs_log_error: float
    mape: float
    bias: float  # median of log(predicted / measured)
    seconds_per_configuration: float
    note: str = ""


def score(
    task: str,
    program: str,
    predicted: Mapping[str, float],
    *,
    measured: Mapping[str, float],
    asked: int,
    seconds: float,
    note: str = "",
) -> Score:
    """Compare predictions with measurements on the rows that both have."""
    import numpy as np

    names = [name for name in measured if name in predicted]
    logs = np.log([predicted[name] / measured[name] for name in names])
    return Score(
        task=task,
        program=program,
        answered=len(names),
        asked=asked,
        median_abs_log_error=float(np.median(np.abs(logs))),
        mape=float(np.mean(np.abs(np.expm1(logs)))),
        bias=float(np.median(logs)),
        seconds_per_configuration=seconds,
        note=note,
    )


def peer_answers(peer: Peer, told: dict[str, Any], rows: list[Row]) -> list[tuple[str, dict[str, Any], str]]:
    """Name, answers in the unit of the measurement and a note for every way in which a peer was asked."""
    if peer.task == "serving":
        shipped = median(told["seconds_as_shipped"])
        note = f"YAML kept in memory; as shipped {shipped:.2f} s a call"
        return [(f"{peer.name} {mode}", answers, note) for mode, answers in told["modes"].items()]
    jobs = {case["id"]: case for case in cases_of(peer.task, rows)}
    rates = {
        name: jobs[name]["global_batch"] * jobs[name]["sequence_tokens"] / (step_s * jobs[name]["chips"])
        for name, step_s in told["answers"].items()
    }
    return [(peer.name, told | {"answers": rates}, f"efficiency {told['efficiency']} as its source suggests")]


def with_hindsight(
    rates: Mapping[str, float], measured: Mapping[str, float], rows: list[Row]
) -> dict[str, float]:
    """Rates with the one efficiency per chip that suits these very rows: about the best that guessing can reach."""
    chips = {row["id"]: row["chip"] for row in rows}
    scale = {
        chip: median(measured[name] / rate for name, rate in rates.items() if chips[name] == chip)
        for chip in {chips[name] for name in rates}
    }
    return {name: rate * scale[chips[name]] for name, rate in rates.items()}


def compare(peer: Peer, folder: Path, cache: Path) -> tuple[list[Score], list[str]]:
    """Scores of a peer and of ours on the rows it answered, and what was refused or missing."""
    from our_side import our_measured, our_prediction, our_seconds

    task = peer.task
    rows, missing = read_rows(task, folder)
    remarks = [f"{peer.name}: {peer.license}, asked in an environment of its own"]
    remarks += [f"{len(missing)} of the listed rows are not in {folder}"] if missing else []
    measured = measured_in(task, rows) | our_measured(task, folder)
    told = ask(peer, cases_of(task, rows), cache)
    ours, reasons = our_prediction(task, folder)
    each_s, row_s = our_seconds(task, folder)
    note = f"in a search; {1e6 * row_s:,.0f} us a row when the whole table is predicted"
    scores = []
    for name, part, how in peer_answers(peer, told, rows):
        remarks += refused(name, part["refusals"])
        if not part["answers"]:
            continue
        title, answers, seconds = f"{name} {told['version']}", part["answers"], median(part["seconds"])
        scores.append(
            score(task, title, answers, measured=measured, asked=len(rows), seconds=seconds, note=how)
        )
        if task == "training":
            tuned = with_hindsight(answers, measured, rows)
            scores.append(
                score(task, title, tuned, measured=measured, asked=len(rows), seconds=seconds, note=HINDSIGHT)
            )
        both = {row: measured[row] for row in answers if all(row in way for way in ours.values())}
        for way, values in {f"{title}, shared rows": answers, **ours}.items():
            own = way in ours
            scores.append(
                score(
                    task,
                    f"{way}, shared rows" if own else way,
                    values,
                    measured=both,
                    asked=len(both),
                    seconds=each_s if own else seconds,
                    note=note if own else "",
                )
            )
    scores += [
        score(task, f"{way}, all rows", values, measured=measured, asked=len(rows), seconds=each_s)
        for way, values in ours.items()
    ]
    return scores, remarks + refused("exaplan", reasons)


def refused(name: str, reasons: Mapping[str, str]) -> list[str]:
    """Reasons of a program with how often it gave them, commonest first."""
    counts = Counter(reason[:160] for reason in reasons.values())
    return [f"{name} refused {count}: {reason}" for reason, count in counts.most_common(6)]


def report(scores: list[Score]) -> str:
    """Lay scores out as a table; the speed column is how many of ours pass while the program times one."""
    own = {row.task: row.seconds_per_configuration for row in scores if row.program.startswith("exaplan")}
    lines = [
        "task      program                                                    rows      med|log|   MAPE    bias  time/config  ours is"
    ]
    for row in scores:
        ratio = row.seconds_per_configuration / own[row.task]
        times = "" if row.program.startswith("exaplan") else f"{ratio:,.0f} x faster"
        lines.append(
            f"{row.task:9} {row.program:56} {row.answered:4}/{row.asked:<4} {row.median_abs_log_error:8.1%} "
            f"{row.mape:7.1%} {row.bias:+7.1%} {1e6 * row.seconds_per_configuration:10,.1f} us  {times:18} {row.note}"
        )
    return "\n".join(line.rstrip() for line in lines) + "\n"


def main() -> None:
    """Compare with every peer that can be had; say why where one cannot."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--measured", type=Path, default=MEASURED, help="folder of the measured tables")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "exaplan-peers")
    parser.add_argument("--only", choices=[peer.name for peer in PEERS], help="one peer")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    arguments = parser.parse_args()
    core = take_one_core()
    sys.stdout.write(f"{machine_words()}; {core}\n")
    arguments.cache.mkdir(parents=True, exist_ok=True)
    scores: list[Score] = []
    remarks = [f"{name}: {reason}" for name, reason in ABSENT.items()]
    for peer in PEERS:
        if arguments.only not in (None, peer.name):
            continue
        try:
            found, told = compare(peer, arguments.measured, arguments.cache)
        except UnavailableError as reason:
            remarks.append(f"{peer.name} not compared: {reason}")
            continue
        scores += found
        remarks += told
    sys.stdout.write(report(scores) + "\n".join(remarks) + "\n")
    if arguments.json:
        figures: dict[str, Any] = {
            "date": datetime.now(UTC).date().isoformat(),
            "machine": machine_words(),
            "core": core,
        }
        figures |= {"scores": [asdict(row) for row in scores], "remarks": remarks}
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
