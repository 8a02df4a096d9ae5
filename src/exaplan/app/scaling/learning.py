"""Reinforcement learning: a sigmoid fitted to one's own points, its ceiling, and where more compute stops paying."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.capability.drawn import quantile
from exaplan.capability.forms import Array
from exaplan.capability.rl import FittedSigmoid, Sigmoid, fit_sigmoid, stops_paying
from exaplan.domain.casebook import Plot, Table, Value
from exaplan.domain.finding import Finding

_MULTIPLES = (1.0, 2.0, 4.0, 10.0, 100.0)


@dataclass(frozen=True)
class Points:
    """Reward against compute, as measured. Axis: point."""

    compute: Array
    reward: Array
    sd: Array | None
    unit: str  # FLOP or chip-hours
    source: str


@dataclass(frozen=True)
class RlAsk:
    """What is known and what a gain is worth."""

    points: Points | None
    curve: Sigmoid | None  # typed, where there are no points
    unit: str
    start: float | None
    value_usd: float | None  # of a reward of 1 instead of 0
    usd_per_compute: float | None
    draws: int = 1000
    seed: int = 1


def rl_finding(ask: RlAsk) -> Finding:
    """Fit where there are points, and say what more compute brings and where it stops paying.

    Raises
    ------
    ValueError
        Where the points do not fix the curve.
    """
    fitted: FittedSigmoid | None = None
    generator = np.random.default_rng(ask.seed)
    if ask.points is not None:
        fitted = fit_sigmoid(ask.points.compute, ask.points.reward, sd=ask.points.sd, start=ask.start)
        curve, drawn = fitted.curve, fitted.drawn(generator, ask.draws)
        last = float(ask.points.compute.max())
    elif ask.curve is not None:
        curve, drawn, last = ask.curve, None, float(ask.curve.midpoint)
    else:
        raise ValueError("a curve needs points or its four numbers")
    tables = [_parameters(curve, drawn, ask.unit), _gains(curve, drawn, last, ask.unit)]
    answer = f"Ceiling {float(curve.ceiling):.3g}, half of the gain at {float(curve.midpoint):.3g} {ask.unit}"
    if drawn is not None:
        ends = [quantile(np.asarray(drawn.ceiling), share) for share in (0.05, 0.95)]
        answer += f" (90 % of ceilings: {ends[0]:.3g} to {ends[1]:.3g})"
    values: dict[str, object] = {
        "start": float(curve.start), "ceiling": float(curve.ceiling), "exponent": float(curve.exponent),
        "midpoint": float(curve.midpoint), "unit": ask.unit, "fitted": fitted is not None,
    }  # fmt: skip
    if fitted is not None:
        values |= {"covariance": fitted.fit.covariance.tolist(), "residual_sd": fitted.fit.residual_sd}
    if ask.value_usd is not None and ask.usd_per_compute is not None:
        stop = float(stops_paying(curve, ask.value_usd, ask.usd_per_compute))
        answer += (
            f"; more stops paying at {stop:.3g} {ask.unit}, reward {float(curve.reward(stop)):.3g}"
            if stop
            else "; none of it pays"
        )
        tables.append(_stop(ask, drawn, stop, last))
        values["stops_paying"] = stop
    return Finding(
        f"{answer}.", tuple(tables), (_plot(ask, curve, drawn, last),), _notes(ask, fitted), values
    )


def _parameters(curve: Sigmoid, drawn: Sigmoid | None, unit: str) -> Table:
    rows: list[tuple[Value, ...]] = []
    for name, key in (
        ("start R0", "start"), ("ceiling A", "ceiling"), ("exponent B", "exponent"), (f"midpoint C_mid, {unit}", "midpoint"),
    ):  # fmt: skip
        ends = (
            (None, None)
            if drawn is None
            else tuple(quantile(getattr(drawn, key), share) for share in (0.05, 0.95))
        )
        rows.append((name, float(getattr(curve, key)), *ends))
    return Table("R(C) = R0 + (A - R0) / (1 + (C_mid/C)^B)", ("", "value", "5 %", "95 %"), tuple(rows))


def _gains(curve: Sigmoid, drawn: Sigmoid | None, last: float, unit: str) -> Table:
    rows: list[tuple[Value, ...]] = []
    for times in _MULTIPLES:
        at = times * last
        ends: tuple[Value, ...] = (None, None)
        if drawn is not None:
            reward = drawn.reward(at)
            ends = (quantile(reward, 0.05), quantile(reward, 0.95))
        rows.append((times, at, float(curve.reward(at)), *ends))
    of = "the last point" if drawn is not None else "the midpoint"
    return Table("Reward with more compute", (f"times {of}", unit, "reward", "5 %", "95 %"), tuple(rows))


def _stop(ask: RlAsk, drawn: Sigmoid | None, stop: float, last: float) -> Table:
    value, price = ask.value_usd or 0.0, ask.usd_per_compute or 0.0
    ends: tuple[Value, ...] = (None, None)
    chance: Value = None
    if drawn is not None:
        stops = stops_paying(drawn, value, price)
        ends = (quantile(stops, 0.05), quantile(stops, 0.95))
        chance = float(np.mean(stops > last))
    rows: tuple[tuple[Value, ...], ...] = (
        (f"compute, {ask.unit}", stop, *ends),
        ("cost there, M USD", stop * price / 1e6, None, None),
        ("P(more than the last point pays)", chance, None, None),
    )
    return Table("Where more stops paying", ("", "value", "5 %", "95 %"), rows)


def _plot(ask: RlAsk, curve: Sigmoid, drawn: Sigmoid | None, last: float) -> Plot:
    low = float(ask.points.compute.min()) if ask.points is not None else last / 100
    grid = np.geomspace(low, 100 * last, 40)
    points = [("curve", float(np.log10(c)), float(r)) for c, r in zip(grid, curve.reward(grid), strict=True)]
    if drawn is not None:
        spread = drawn.reward(grid)
        for name, share in (("5 %", 0.05), ("95 %", 0.95)):
            points += [(name, float(np.log10(c)), quantile(spread[:, i], share)) for i, c in enumerate(grid)]
    marks: tuple[tuple[str, float | str, float], ...] = ()
    if ask.points is not None:
        marks = tuple(
            ("curve", float(np.log10(c)), float(r))
            for c, r in zip(ask.points.compute, ask.points.reward, strict=True)
        )
    return Plot("Reward against compute", f"{ask.unit}, power of ten", "reward", tuple(points), marks=marks)


def _notes(ask: RlAsk, fitted: FittedSigmoid | None) -> tuple[str, ...]:
    form = "Form of ScaleRL (arXiv 2510.13786), whose recipe had a ceiling of 0.61 on its validation set."
    if fitted is None:
        return (
            form,
            "Typed, not fitted: B and C_mid belong to a model, a task and a recipe. Give points to fit them.",
        )
    source = ask.points.source if ask.points is not None else ""
    weights = (
        "weighted by their errors"
        if ask.points is not None and ask.points.sd is not None
        else "equally weighted"
    )
    return (
        form,
        f"Fitted to {source}, {weights}; intervals from the covariance of the fit, {ask.draws} draws.",
    )
