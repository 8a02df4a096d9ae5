"""The futures of a lab as a sheet: the words and the tables."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from exaplan.domain.futures_shown import FuturesShown, Moment
from exaplan.report.futures_charts import fan_charts
from exaplan.report.sheet import Picture, Section, Sheet
from exaplan.report.wording import percent, plural

SHOWN_STATES = 24
"""Rows of the fit that the text shows; the table of the run folder has all."""


def futures_sheet(record: FuturesShown) -> Sheet:
    """Say how wide the futures are, what moves together and why, and how well the tree sees it."""
    pictures = fan_charts(record)
    return Sheet(
        kicker="Futures",
        lab=record.lab,
        source=(
            f"{record.lab_file} · {plural(record.quarters, 'quarter')} from {record.first_quarter} · "
            f"{record.paths:,} paths, seed {record.seed}"
        ),
        say=_sentence(record),
        facts=(
            (
                "Errors",
                "half widths of 95 % intervals of the sampling; theory in closed form where there is one",
            ),
            ("Tree", _tree(record)),
        ),
        sections=tuple(_sections(record)),
        pictures=(
            Picture(
                "fans",
                "Fans of the futures",
                "Bands: 90 % and 50 % of the paths, line: their median; dots: lowest and highest node of the tree.",
                pictures,
            ),
        )
        if pictures is not None
        else (),
        remarks=record.remarks,
        command=f"exaplan futures {shlex.quote(record.lab_file)} --paths {record.paths} --seed {record.seed}",
        timings=tuple(record.timings.items()),
    )


def _sentence(record: FuturesShown) -> str:
    joined = plural(len(record.correlations), "pair")
    say = f"{plural(len(record.factors), 'source')} of uncertainty, {joined} of them correlated"
    last = [row for row in record.moments if row.quantity.startswith("demand.")]
    if last:
        row = last[-1]
        first = next(each for each in record.fans if each.quantity == row.quantity) if record.fans else None
        if first is not None and first.p50 > 0:
            ends = [f"{value / first.p50:.3g}" for value in (row.p05, row.p95)]
            say += (
                f"; {row.quantity} in {row.quarter} is {ends[0]} to {ends[1]} times today's (90 % of paths)"
            )
    checked = [_off(row) for row in record.moments if row.theory_mean is not None and row.mean_error > 0]
    if checked:
        inside = sum(each <= 1 for each in checked)
        say += f"; {inside} of {len(checked)} sampled means lie within their error of theory"
    return say + "."


def _tree(record: FuturesShown) -> str:
    leaves = "1 leaf" if record.tree_leaves == 1 else f"{record.tree_leaves} leaves"
    return f"{record.tree_nodes} nodes, {leaves}, from {record.tree_samples:,} paths"


def _off(row: Moment) -> float:
    assert row.theory_mean is not None  # noqa: S101 - asked of rows with theory alone
    return abs(row.mean - row.theory_mean) / row.mean_error


def _sections(record: FuturesShown) -> Iterable[Section]:
    yield _matrix(record)
    if record.correlations:
        rows = tuple(
            (f"{row.one} with {row.other}", f"{row.stated:+.2f}", f"{row.used:+.2f}", row.source)
            for row in record.correlations
        )
        yield Section("Where each correlation comes from", ("pair", "stated ", "used ", "source"), rows)
    yield from _processes(record)
    if record.named:
        futures = tuple(
            (row.id, percent(row.probability), f"{row.paths:,}", row.holds, f"{row.demand:.3g}", f"{row.price:.3g}", f"{row.rental:.3g}")
            for row in record.named
        )  # fmt: skip
        heads = ("", "probability ", "paths ", "holds", "demand ", "price ", "rental ")
        yield Section(
            "Named futures", heads, futures, "Means of the last quarter against today's; news stay random."
        )
    if record.rents:
        rents = tuple(
            (row.quarter, f"{row.usd_per_chip_h:.2f}", f"{row.p05:.2f}", f"{row.p50:.2f}", f"{row.p95:.2f}", percent(row.quantile))
            for row in record.rents
        )  # fmt: skip
        yield Section(
            "Would this rental market have made the published H100 rents?",
            ("", "published ", "5 % ", "50 % ", "95 % ", "quantile "),
            rents,
            "USD per chip-hour, one-year contracts, from 2.99 in 2024-Q4 on (SemiAnalysis' index, surveys).",
        )
    yield _fit(record)


def _matrix(record: FuturesShown) -> Section:
    """Write the copula's matrix, lower triangle; columns bear the numbers of the rows, independent sources a note."""
    joined = {name for row in record.correlations for name in (row.one, row.other)}
    shown = [number for number, name in enumerate(record.factors) if name in joined]
    heads = ("", *(f"{place} " for place in range(1, len(shown) + 1)))
    rows = []
    for place, number in enumerate(shown):
        numbers = [record.matrix[number][other] for other in shown[: place + 1]]
        cells = [f"{value:.2f}" if value else "." for value in numbers]
        rows.append((f"{place + 1} {record.factors[number]}", *cells, *[""] * (len(shown) - place - 1)))
    alone = [name for name in record.factors if name not in joined]
    note = f"Independent of everything: {', '.join(alone)}." if alone else ""
    return Section("Correlations as used (one Gaussian copula)", heads, tuple(rows), note)


STEADY = ("slip", "standstill", "renewal", "refusal")
"""Quantities that are alike in every quarter: one date tells all."""


def _processes(record: FuturesShown) -> Iterable[Section]:
    """Write means beside theory, then quantiles beside theory."""
    last = record.moments[-1].quarter if record.moments else ""
    rows = [
        row for row in record.moments if row.quarter == last or row.quantity.partition(".")[0] not in STEADY
    ]
    means = tuple(
        (row.quantity, row.quarter, *map(_number, (row.mean, row.mean_error, row.theory_mean)))
        for row in rows
    )
    yield Section(
        "Means of each process, sampled and in theory",
        ("", "quarter", "mean ", "± ", "theory "),
        means,
        "Tokens per quarter, USD per token, factors on today; chances as shares. A dash: no closed form (switching regimes, demand "
        "that comes later) or held by a named future.",
    )
    spread = tuple(
        (row.quantity, row.quarter,
         *map(_number, (row.p05, row.theory_p05, row.p50, row.theory_p50, row.p95, row.theory_p95)))
        for row in rows
        if row.quantity.partition(".")[0] not in COUNTED
    )  # fmt: skip
    yield Section(
        "Their quantiles",
        ("", "quarter", "5 % ", "theory ", "50 % ", "theory ", "95 % ", "theory "),
        spread,
        "With the error of the sampling in tables/moments.parquet.",
    )


COUNTED = ("slip", "default", "standstill", "refusal", "window")
"""Quantities that are counted: their mean says all."""


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3g}".replace("e+", "e")


def _fit(record: FuturesShown) -> Section:
    """Write how the tree stands to its samples in the last quarter, and the distance of all states over the quarters."""
    last = record.quarters - 1
    rows = tuple(
        (row.state, f"{row.mean_error:+.1e}" if abs(row.mean_error) > 1e-9 else "0", percent(row.sd_ratio), f"{row.distance:.3g}")
        for row in record.fit
        if row.quarter == last and (row.distance > 0 or row.sd_ratio != 1)
    )[:SHOWN_STATES]  # fmt: skip
    far = ", ".join(
        f"{each.distance:.2f} ({each.quarter})" for each in record.distances[1 :: max(1, last // 4)]
    )
    note = (
        "Error of the mean relative to the samples'; share of their standard deviation that the tree keeps; Wasserstein distance "
        "of the logarithm (of counts: the count). All quarters: tables/fit.parquet. Distance of paths from their nodes, root mean "
        f"square in log money still to come: {far}."
    )
    return Section(
        "How well the tree matches its paths, last quarter",
        ("", "mean error ", "spread kept ", "distance "),
        rows,
        note,
    )
