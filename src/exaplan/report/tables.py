"""Tidy rows of an answer: polars frames for Parquet, CSV text for the page, one object for ``--json``."""

from __future__ import annotations

import csv
import io
import typing
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from exaplan.domain.answer import (
    Allocation,
    Answer,
    Assumption,
    Capacity,
    CashBand,
    DecidingInput,
    Decision,
    Development,
    Kpi,
    Limit,
    Price,
    Service,
    Story,
    Verdict,
)
from exaplan.domain.conduct import BlockUse, InternalUse, Lump, MarginalChip
from exaplan.domain.demand import OfferedPrice, RoutedShare, TrustEarned
from exaplan.report.plainjson import finite
from exaplan.report.wording import quantity, substituted

if TYPE_CHECKING:
    import polars as pl

SCHEMA_VERSION = 2
PHASES = ("load", "technology", "tree", "build", "solve", "replay", "report")
RECORDS: dict[str, type[Any]] = {
    "decisions": Decision,
    "allocation": Allocation,
    "capacity": Capacity,
    "service": Service,
    "development": Development,
    "cash": CashBand,
    "prices": Price,
    "limits": Limit,
    "deciding_inputs": DecidingInput,
    "kpis": Kpi,
    "stories": Story,
    "assumptions": Assumption,
}
CONDUCT: dict[str, type[Any]] = {
    "started": Lump,
    "routing": RoutedShare,
    "price_points": OfferedPrice,
    "trust": TrustEarned,
    "blocks": BlockUse,
    "internal_use": InternalUse,
    "margins": MarginalChip,
}
"""Tables that only a lab with such a choice has."""


def columns(table: str) -> dict[str, type[Any]]:
    """Give column names and Python types of one table, in order; KeyError for a table that does not exist.

    Types come from the record's annotations, so that an empty table has the schema of a full one.
    """
    record = (RECORDS | CONDUCT)[table]
    hints = typing.get_type_hints(record)
    plain: dict[str, type[Any]] = {}
    for item in fields(record):
        if item.name == "derivation":
            plain |= {"formula": str, "substituted": str, "operands": str}
            continue
        options = [kind for kind in typing.get_args(hints[item.name]) if kind is not type(None)]
        plain[item.name] = options[0] if options else hints[item.name]
    return plain


def _row(record: Any) -> dict[str, Any]:
    if not isinstance(record, Kpi):
        return {item.name: getattr(record, item.name) for item in fields(record)}
    row = {item.name: getattr(record, item.name) for item in fields(record) if item.name != "derivation"}
    how = record.derivation
    row["formula"] = how.formula if how else None
    row["substituted"] = substituted(how) if how else None
    row["operands"] = (
        "; ".join(f"{part.name} = {quantity(part.value, part.unit)} [{part.source}]" for part in how.operands)
        if how
        else None
    )
    return row


def table_rows(answer: Answer, table: str) -> list[dict[str, Any]]:
    """List the rows of one table as plain dicts, in the answer's own order."""
    return [_row(record) for record in records_of(answer, table)]


def records_of(answer: Answer, table: str) -> tuple[Any, ...]:
    """Give the records of one table of the answer, or of what it decided beside signatures."""
    found: tuple[Any, ...] = getattr(answer if table in RECORDS else answer.conduct, table)
    return found


def tables_of(answer: Answer) -> tuple[str, ...]:
    """Name the tables that an answer has: those that every answer has, and of the others those with rows."""
    return (*RECORDS, *(table for table in CONDUCT if records_of(answer, table)))


def frames(answer: Answer) -> dict[str, pl.DataFrame]:
    """Make one tidy frame per table, for Parquet; units as in the records of ``exaplan.domain.answer``.

    An empty table keeps its columns and types; a table of ``CONDUCT`` is there only where it has rows.
    """
    import polars as pl

    kinds = {str: pl.String, float: pl.Float64, int: pl.Int64, bool: pl.Boolean}
    return {
        table: pl.DataFrame(
            table_rows(answer, table), schema={name: kinds[kind] for name, kind in columns(table).items()}
        )
        for table in tables_of(answer)
    }


def csv_text(answer: Answer, table: str) -> str:
    """Write one table as CSV with a header line; floats at six significant digits, which is what a chart shows."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    names = list(columns(table))
    writer.writerow(names)
    for row in table_rows(answer, table):
        writer.writerow(f"{row[name]:.6g}" if isinstance(row[name], float) else row[name] for name in names)
    return target.getvalue()


def _verdict(verdict: Verdict | None) -> dict[str, Any] | None:
    return asdict(verdict) if verdict else None


def document(answer: Answer) -> dict[str, Any]:
    """Build the object that ``exaplan plan --json`` prints and ``run.json`` holds.

    Deterministic: the same answer gives the same object, key order included; only ``timings`` may differ
    between two runs of one file and seed. NaN and infinity become null. Dollars, shares of 0..1, seconds.

    Returns
    -------
    dict
        JSON-ready; ``schema_version`` counts changes that break a reader.
    """
    kpis = {
        item.name: {key: value for key, value in asdict(item).items() if key != "name"}
        for item in answer.kpis
    }
    whole = {
        "schema_version": SCHEMA_VERSION,
        "version": answer.version,
        "lab": answer.lab,
        "lab_file": answer.lab_file,
        "seed": answer.seed,
        "horizon": {"first_quarter": answer.first_quarter, "quarters": answer.quarters},
        "status": answer.status,
        "objective": answer.objective,
        "bound": answer.bound,
        "gap": answer.gap,
        "certificate": asdict(answer.certificate),
        "replay": asdict(answer.replay),
        "benchmark": asdict(answer.benchmark),
        "tree": {
            "nodes": answer.nodes,
            "leaves": answer.leaves,
            "value": answer.tree_value,
            "p_rescue": answer.tree_p_rescue,
            "rescue_price": answer.rescue_price,
            "largest_cash_price": answer.largest_cash_price,
        },
        "decisions": table_rows(answer, "decisions"),
        "allocation": table_rows(answer, "allocation"),
        "prices": table_rows(answer, "prices"),
        "kpis": kpis,
        "limits": table_rows(answer, "limits"),
        "deciding_inputs": table_rows(answer, "deciding_inputs"),
        **{table: table_rows(answer, table) for table in CONDUCT if records_of(answer, table)},
        "verdict": _verdict(answer.verdict),
        "remarks": list(answer.remarks),
        "timings": {phase: answer.timings.get(phase) for phase in PHASES}
        | {phase: seconds for phase, seconds in sorted(answer.timings.items()) if phase not in PHASES},
    }
    cleaned: dict[str, Any] = finite(whole)
    return cleaned
