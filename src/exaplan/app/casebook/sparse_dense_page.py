"""The page of 'sparse suits GPUs, dense suits TPUs': its sentence, where it flips, its tables and its plot."""

from __future__ import annotations

import numpy as np

from exaplan.app.casebook.asking import percentiles
from exaplan.domain.casebook import Plot, Table, Threshold, Value
from exaplan.perf.codesign.contested import Contested
from exaplan.perf.codesign.sparsity import Contest, Verdict
from exaplan.perf.shapes import Array, Mask


def sentence(contest: Contest, found: Verdict) -> str:
    """Say the answer with its numbers."""
    ratio = np.where(np.isfinite(contest.ratio), contest.ratio, np.nan)
    arrays, cores = ratio[contest.systolic], ratio[~contest.systolic]
    wins, played = [int(np.nansum(kind > 1)) for kind in (arrays, cores)], int(np.isfinite(arrays).sum())
    return (
        f"The claim {found.word}. At equal loss dense is cheaper at {wins[0]} of {played} points of systolic chips and at "
        f"{wins[1]} of {int(np.isfinite(cores).sum())} of GPUs: what decides is the expert width, since coarse experts need more tokens to the same loss. Sparse gains more on "
        f"GPUs than on systolic chips at {found.comparative_share:.0%} of {found.points} points{_where(contest, found)}."
    )


def _where(contest: Contest, found: Verdict) -> str:
    """Say along which axis the advantage changes most."""
    axes = (
        ("expert width", contest.sweep.widths),
        ("domain", contest.sweep.domains),
        ("batch", contest.sweep.batches),
    )
    spans = []
    for axis, (name, values) in enumerate(axes):
        others = tuple(other for other in range(3) if other != axis)
        means = _mean(found.advantage, axis=others)
        spans.append((float(np.ptp(means)), name, values, means))
    _, name, values, means = max(spans, key=lambda span: span[0])
    best, worst = values[int(np.argmax(means))], values[int(np.argmin(means))]
    return f", most at {name} {best:g}, least at {worst:g}"


def thresholds(played: Contested, found: Verdict, draws: int) -> tuple[Threshold, ...]:
    """Find where the verdict and the order of costs change."""
    contest = played.contest
    widths = np.log(np.array(contest.sweep.widths, dtype=float))
    flips = [_needed(contest)]
    meaning = "sparse and dense cost the same, mean over chips, domains, batches"
    for kind, chosen in (("GPUs", ~contest.systolic), ("systolic chips", contest.systolic)):
        turns = [_crossing(widths, _mean_log(played.drawn(draw), chosen)) for draw in range(draws)]
        ends = percentiles([np.inf if turn is None else float(np.exp(turn)) for turn in turns])
        flips.append(_turn(f"expert width on {kind}", widths, _mean_log(contest, chosen), meaning, ends))
    meaning = "the gain of sparse changes sides between GPUs and systolic chips, mean over domains"
    for row, batch in enumerate(contest.sweep.batches):
        mean = _mean(found.advantage[:, :, row], axis=(1,))
        flips.append(_turn(f"expert width at {batch:g} sequences per chip", widths, mean, meaning))
    return tuple(flips)


def _mean_log(contest: Contest, chosen: Mask) -> Array:
    """Mean log ratio by width over some chips, domains and batches."""
    ratio = contest.ratio[chosen]
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(np.isfinite(ratio) & (ratio > 0), np.log(ratio), np.nan)
    return _mean(logs, axis=(0, 2, 3))


def _mean(values: Array, axis: tuple[int, ...]) -> Array:
    """Mean of what is known; NaN where nothing is."""
    known = np.isfinite(values)
    count = known.sum(axis=axis)
    total = np.where(known, values, 0.0).sum(axis=axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _needed(contest: Contest) -> Threshold:
    """Factor on the cost of sparse on systolic chips with which dense would win there, where sparse wins on GPUs."""
    with np.errstate(invalid="ignore"):
        ratio = contest.ratio
        played = np.isfinite(ratio).all(axis=0) & (ratio[~contest.systolic] < 1).all(axis=0)
    least = ratio[contest.systolic].min(axis=0)[played]
    return Threshold(
        "cost of sparse on systolic chips",
        "times as modelled",
        float(np.percentile(1 / least, 90)) if least.size else None,
        "with this dense would win on every systolic chip at 90 % of the points where sparse wins on every GPU",
    )


def _turn(
    name: str,
    widths: Array,
    mean: Array,
    meaning: str,
    ends: tuple[float | None, float | None] = (None, None),
) -> Threshold:
    turn = _crossing(widths, mean)
    if turn is not None:
        return Threshold(name, "columns", float(np.exp(turn)), meaning, *ends)
    known = mean[np.isfinite(mean)]
    side = "above" if known.size and known.mean() > 0 else "below"
    return Threshold(
        name, "columns", None, f"{meaning}: at no width swept, the mean log ratio stays {side} 0"
    )


def _crossing(x: Array, y: Array) -> float | None:
    """First place where y changes sign, linear between points."""
    for i in np.flatnonzero(np.sign(y[1:]) * np.sign(y[:-1]) < 0):
        return float(x[i] - y[i] * (x[i + 1] - x[i]) / (y[i + 1] - y[i]))
    return None


def by_chip(contest: Contest, found: Verdict) -> Table:
    """Tabulate costs and fill by chip."""
    rows: list[tuple[Value, ...]] = []
    for chip, name in enumerate(contest.chips):
        ratio = contest.ratio[chip][np.isfinite(contest.ratio[chip])]
        split = contest.split_fill[chip]
        narrow = int(np.argmin(np.abs(np.array(contest.sweep.widths) - 768)))
        rows.append(
            (
                name,
                "systolic" if contest.systolic[chip] else "tensor cores",
                f"{contest.tiles[chip]:.0f}",
                float(ratio.min()) if ratio.size else None,
                float(np.median(ratio)) if ratio.size else None,
                float(ratio.max()) if ratio.size else None,
                float(split[narrow, -1]),
                found.threshold_width[chip],
            )
        )
    split = contest.sweep.splits[-1]
    return Table(
        "Cost of sparse over dense at equal loss, by chip",
        (
            "chip",
            "unit",
            "tile",
            "least",
            "median",
            "most",
            f"fill at width {contest.sweep.widths[narrow]} / {split}",
            "full from width",
        ),
        tuple(rows),
        f"Below 1 sparse is cheaper. Fill: useful share of the matrix unit in an expert's last product, the expert cut {split} "
        "ways by tensor parallelism; 'full from' is the narrowest width swept that still fills 95 % so cut.",
    )


def by_point(contest: Contest, found: Verdict) -> Table:
    """Tabulate who gains more by width, domain and batch."""
    rows: list[tuple[Value, ...]] = []
    for column, width in enumerate(contest.sweep.widths):
        for place, domain in enumerate(contest.sweep.domains):
            values = [
                float(value) if np.isfinite(value) else None for value in found.advantage[column, place]
            ]
            rows.append((width, domain, *values))
    return Table(
        "Where sparse gains more on GPUs: mean log cost ratio of systolic chips over that of GPUs",
        ("expert width", "domain", *(f"batch {batch:g}/chip" for batch in contest.sweep.batches)),
        tuple(rows),
        "Positive: sparse gains more on GPUs; 0.10 is about 10 % of cost.",
    )


def plot(contest: Contest) -> Plot:
    """Plot the cost of sparse over dense against the batch."""
    domain = min(1, len(contest.sweep.domains) - 1)
    width = min(1, len(contest.sweep.widths) - 1)
    points = tuple(
        (name, float(batch), float(contest.ratio[chip, width, domain, row]))
        for chip, name in enumerate(contest.chips)
        for row, batch in enumerate(contest.sweep.batches)
        if np.isfinite(contest.ratio[chip, width, domain, row])
    )
    return Plot(
        f"Cost of sparse over dense, experts of {contest.sweep.widths[width]}, domain of {contest.sweep.domains[domain]}",
        "sequences in flight per chip, at most",
        "sparse / dense",
        points,
        log_x=True,
        level=1.0,
        level_name="equal cost",
    )
