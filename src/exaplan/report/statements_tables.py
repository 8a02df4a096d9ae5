"""Statements and key figures as frames: one row per line and quarter, one per figure."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from exaplan.domain.statements import FinanceReport

if TYPE_CHECKING:
    import polars as pl


def statement_frames(report: FinanceReport) -> dict[str, pl.DataFrame]:
    """Lay out the statements, the ledger and the key figures as frames."""
    import polars as pl

    rows = []
    for row in (*report.rows, *report.flows):
        quarters = report.quarters if row.statement != "balance" else ("start", *report.quarters)
        for quarter, mean, p05, p50, p95 in zip(quarters, row.mean, row.p05, row.p50, row.p95, strict=True):
            rows.append(
                {
                    "statement": row.statement, "section": row.section, "key": row.key, "label": row.label,
                    "kind": row.kind, "quarter": quarter, "mean_usd": mean, "p05_usd": p05, "p50_usd": p50,
                    "p95_usd": p95,
                }
            )  # fmt: skip
    figures = []
    for figure in report.figures:
        plain = {key: value for key, value in asdict(figure).items() if key not in ("operands", "interval")}
        low, high = figure.interval or (None, None)
        figures.append({**plain, "interval_low": low, "interval_high": high})
    return {
        "statements": pl.DataFrame(rows, infer_schema_length=None),
        "key_figures": pl.DataFrame(figures, infer_schema_length=None),
    }
