"""The door of the race file: a path in, one frozen RaceFile out, or every fault of the file at once.

Beside every number stands a comment that begins with the date of the figure: ``# 2025-12-31, source`` or
``# assumed 2025-12-31: reason``. A figure without a date, or newer than ``as_of``, is refused: a race that is judged on
what came later cannot have looked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from exaplan.domain.errors import InputError, Problem
from exaplan.domain.lab import Horizon
from exaplan.domain.race import RaceFile
from exaplan.io.located import Faults, did_you_mean
from exaplan.io.recordreader import RecordReader
from exaplan.io.sugar import write_out_race
from exaplan.io.yamltree import Listing, Mapping, Node, Scalar, parse_tree, read_text

UNDATED = ("race", "as_of", "horizon")
_DATE = re.compile(r"^(?:assumed\s+)?(\d{4})-(\d{2})(?:-(\d{2}))?\b")
_NAMES = ("id", "kind", "region", "labs")
LONGEST_RACE = 80


def read_race(path: str | Path) -> RaceFile:
    """Read a race file.

    Raises
    ------
    InputError
        With every fault found, each at its line and column; a figure without a date, or newer than ``as_of``, is one.
    """
    return parse_race(read_text(Path(path)), str(path))


def parse_race(text: str, file: str) -> RaceFile:
    """Read the text of a race file; ``file`` names it in messages. Raises InputError as :func:`read_race`."""
    root = write_out_race(parse_tree(text, file))
    faults = Faults()
    if root.get("lab") is not None and root.get("labs") is None:
        faults.add(root, "this is the file of one lab, not a race of several", f"exaplan plan {file}")
        faults.raise_if_any()
    reader = RecordReader(Path(file).parent, faults)
    found = reader.record(RaceFile, root, "")
    _check_names(root, reader)
    _check_dates(root, faults)
    _check_horizon(root, found, faults)
    faults.raise_if_any()
    if not isinstance(found, RaceFile):
        raise InputError(*(faults.problems or [Problem("this is not a race", file)]))
    return found.model_copy(update={"origins": dict(reader.origins)})


def _check_names(root: Mapping, reader: RecordReader) -> None:
    """Check that every lab and region that a shock names is in the race."""
    listed = root.get("labs")
    labs = [
        item for item in (listed.items if isinstance(listed, Listing) else ()) if isinstance(item, Mapping)
    ]
    known = {name.text for item in labs if isinstance(name := item.get("id"), Scalar)}
    regions = {name.text for item in labs if isinstance(name := item.get("region"), Scalar)}
    for reference in reader.references:
        if reference.node.text not in known:
            reason = f"{reference.path} names no lab of this race: {reference.node.text!r}"
            reader.faults.add(reference.node, reason, did_you_mean(reference.node.text, known))
    shocks = root.get("shocks")
    for item in shocks.items if isinstance(shocks, Listing) else ():
        region = item.get("region") if isinstance(item, Mapping) else None
        if isinstance(region, Scalar) and region.text and region.text not in regions:
            reason = f"no lab of this race is in region {region.text!r}"
            reader.faults.add(region, reason, did_you_mean(region.text, regions))


def _check_horizon(root: Mapping, found: object, faults: Faults) -> None:
    node = root.get("horizon")
    if not isinstance(found, RaceFile) or node is None:
        return
    horizon: Horizon = found.horizon
    if horizon.quarters > LONGEST_RACE:
        faults.add(
            node, f"the race has {horizon.quarters} quarters; the limit is {LONGEST_RACE}", "look less far"
        )
    known = date.fromisoformat(found.as_of)
    if horizon.first.ordinal > 4 * known.year + (known.month - 1) // 3:
        faults.add(
            node,
            f"the first quarter, {horizon.first}, is known; it cannot begin after {found.as_of}",
            "begin with the quarter of as_of",
        )


def _check_dates(root: Mapping, faults: Faults) -> None:
    """Refuse figures without a date and figures that nobody could know on the day of ``as_of``."""
    written = root.get("as_of")
    try:
        known = date.fromisoformat(written.text) if isinstance(written, Scalar) else None
    except ValueError:
        faults.add(root.get("as_of") or root, "as_of is not a date", "write it like 2025-12-31")
        return
    if known is None:
        return
    for key, node in root.entries:
        if key.text not in UNDATED:
            for figure in _figures(node):
                _check_date(figure, known, faults)


def _figures(node: Node) -> Iterator[Scalar]:
    """Give every value below ``node`` that is a figure or a date."""
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, Listing):
        for item in node.items:
            yield from _figures(item)
    elif isinstance(node, Mapping):
        for key, value in node.entries:
            if key.text not in _NAMES:
                yield from _figures(value)


def _check_date(node: Scalar, known: date, faults: Faults) -> None:
    found = _DATE.match(node.note)
    if found is None:
        faults.add(
            node,
            f"{node.text!r} has no date",
            "begin the comment beside it with one: # 2025-12-31, source (or # assumed 2025-12-31: reason)",
        )
        return
    try:
        stated = date(int(found[1]), int(found[2]), int(found[3] or 1))
    except ValueError:
        faults.add(node, f"{found[0]!r} is not a date", "write it like 2025-12-31")
        return
    if stated > known:
        faults.add(node, f"this figure is of {stated}, after as_of {known}", "leave it out, or move as_of")
