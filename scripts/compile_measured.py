"""Copy the compiled tables of published measurements into src/exaplan/data/measured, in the catalogue's words.

    python scripts/compile_measured.py MEASURED_DIRECTORY

Figures and columns stay as they are; remarks of the compiler to himself and paths of other people's machines go.
"""

from __future__ import annotations

import csv
import re
import sys
from pathlib import Path

from catalogue_words import clean

DATA = Path(__file__).resolve().parents[1] / "src" / "exaplan" / "data" / "measured"
TABLES = ("training", "inference", "serving_points")
REMARKS = [
    (r"; search corpus docs\)", ")"),
    (r"\s*\(?(stored page|abstract)? ?(via )?search corpus (\"?(pages|docs)\"?)?\)?", ""),
    (r"; primary: arXiv ([\d.]+) Table (\d+) \(not opened here\)", r"; primary: arXiv \1, Table \2"),
    (r"; primary arXiv ([\d.]+) Table (\d+) \(not opened\)", r"; primary: arXiv \1, Table \2"),
    (r"in (the )?page opened", "in the secondary page"),
    (r"\(not transcribed\)", "(not in this table)"),
    (r"(?<=source_file=)/[\w/]+/projects/", ""),
    (r"^ ", ""),
]


def main(measured: Path) -> None:
    """Write the three tables."""
    DATA.mkdir(parents=True, exist_ok=True)
    for table in TABLES:
        with (measured / f"{table}.csv").open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            columns, rows = list(reader.fieldnames or []), list(reader)
        with (DATA / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows({column: worded(text) for column, text in row.items()} for row in rows)


def worded(text: str) -> str:
    """Put one cell into the catalogue's words."""
    for pattern, words in REMARKS:
        text = re.sub(pattern, words, text)
    return clean(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
