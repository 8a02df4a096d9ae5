"""Key figures of statements as rows: value, Monte Carlo interval, spread over the paths."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from exaplan.domain.statements import FigureRow
from exaplan.economy.facts import USES, Facts
from exaplan.economy.figures import FIGURES, Figure
from exaplan.economy.tabled import LEVELS, quantiles

GROUPS = 20
"""Groups of paths whose values give the standard error of a figure."""

STUDENT_95 = 2.093
"""97.5 % quantile of Student's t with 19 degrees of freedom (tables; Student, Biometrika 6 (1908) 1)."""


def figure_rows(facts: Facts, *, sampled: bool) -> tuple[FigureRow, ...]:
    """Work out every figure of the table; ``sampled`` says that paths are a sample of equal weights."""
    rows = []
    for figure in FIGURES:
        if figure.per == "workload":
            each = [(w.id, replace(facts, workload=w.id)) for w in facts.lab.serve]
        elif figure.per == "use":
            each = [(use, replace(facts, use=use)) for use in USES if facts.workloads_of(use)]
        else:
            each = [("", facts)]
        rows += [_row(figure, item, about, sampled) for item, about in each]
    return tuple(rows)


def _row(figure: Figure, item: str, facts: Facts, sampled: bool) -> FigureRow:
    weight = facts.ledger.weight
    with np.errstate(invalid="ignore"):
        given = {name: np.asarray(operand(facts), dtype=float) for name, operand in figure.operands.items()}
    means = {name: _mean(values, weight) for name, values in given.items()}
    value = float(figure.value(**{name: np.asarray(mean) for name, mean in means.items()}))
    by_path = np.asarray(figure.value(**given), dtype=float)
    known = ~np.isnan(by_path)
    spread = quantiles(by_path[known], weight[known]) if known.any() else np.full(len(LEVELS), math.nan)
    p05, p50, p95 = (float(level) for level in spread)
    interval = _interval(figure, given, value) if sampled else None
    return FigureRow(
        figure.key, item, figure.label, figure.unit, figure.formula, figure.definition, value, interval,
        p05, p50, p95, tuple(means.items()),
    )  # fmt: skip


def _mean(values: np.ndarray, weight: np.ndarray) -> float:
    known = ~np.isnan(values)
    if not known.any():
        return math.nan
    return float(weight[known] @ values[known] / weight[known].sum())


def _interval(figure: Figure, given: dict[str, np.ndarray], value: float) -> tuple[float, float] | None:
    """95 % interval from groups of paths dealt in turn; None where there are too few paths, or no finite value."""
    paths = len(next(iter(given.values())))
    if paths < 2 * GROUPS or not math.isfinite(value):
        return None
    means = []
    for group in range(GROUPS):
        part = {
            name: _mean(values[group::GROUPS], np.ones(len(values[group::GROUPS])))
            for name, values in given.items()
        }
        means.append(float(figure.value(**{name: np.asarray(mean) for name, mean in part.items()})))
    each = np.array(means)
    if not np.isfinite(each).all():
        return None
    half = STUDENT_95 * float(each.std(ddof=1)) / math.sqrt(GROUPS)
    return value - half, value + half
