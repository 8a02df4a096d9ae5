"""The race judged on what came: 80 % bands from inputs dated before the start, beside those of constant growth.

An actual is itself an estimate. Both bands therefore carry the relative error of the estimate published for the start
(p5 and p95, lognormal), and nothing newer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist, fmean, stdev

import numpy as np

from exaplan.domain.errors import InputError, Problem
from exaplan.domain.quarter import Quarter
from exaplan.domain.race import RaceFile
from exaplan.domain.race_result import Grown, Point, Prediction, Race, Spread
from exaplan.domain.uncertain import Z95
from exaplan.economy.sampling import stream
from exaplan.simulate.race import run_race

Z90 = NormalDist().inv_cdf(0.90)
LEVEL = 0.80
_STUDENT_90 = {2: 1.886, 3: 1.638, 4: 1.533, 5: 1.476, 6: 1.440, 7: 1.415, 8: 1.397, 9: 1.383}
"""90 % quantile of Student's t by degrees of freedom."""


def interval_score(actual: float, low: float, high: float, *, level: float = LEVEL) -> float:
    """Score a central interval: its width, and 2 / (1 - level) times by how much it misses; smaller is better.

    Proper for the two quantiles (Winkler 1972; Gneiting and Raftery 2007, doi 10.1198/016214506000001437).

    Examples
    --------
    >>> interval_score(2.0, 1.0, 3.0), round(interval_score(4.0, 1.0, 3.0), 6)
    (2.0, 12.0)
    """
    return high - low + 2 / (1 - level) * (max(low - actual, 0.0) + max(actual - high, 0.0))


def _scores(actual: float, band: Spread) -> tuple[float, float]:
    """Score in natural logs, where a large lab does not outweigh a small one, and in H100-equivalents."""
    logs = interval_score(math.log(actual), math.log(band.p10), math.log(band.p90))
    return logs, interval_score(actual, band.p10, band.p90)


def constant_growth(start: float, years: float, factors: Sequence[float], error: float) -> Spread:
    """Let a level grow on at last year's rate, with the spread of that rate among ``factors`` as its band.

    ln growth ~ Student's t on the factors (mean, standard deviation, the predictive widening sqrt(1 + 1/n)), constant
    over ``years``; ``error`` is the log standard deviation of the estimate itself.
    """
    logs = [math.log(factor) for factor in factors]
    wide = _STUDENT_90[len(logs) - 1] / Z90 * stdev(logs) * math.sqrt(1 + 1 / len(logs))
    sd = math.hypot(wide * years, error)
    middle = math.log(start) + fmean(logs) * years
    return Spread(*(math.exp(middle + side * Z90 * sd) for side in (-1, 0, 1)))


def backtest(
    files: Mapping[str, RaceFile],
    points: Sequence[Point],
    history: Sequence[Grown],
    *,
    paths: int,
    seed: int,
) -> tuple[Prediction, ...]:
    """Predict every point from its file, with the race and with constant growth.

    Raises
    ------
    InputError
        A point not after the date of its file, outside its horizon, or history newer than the start.
    """
    races = {name: run_race(file, paths=paths, seed=seed) for name, file in files.items()}
    _check(files, points, history)
    return tuple(_predict(files[point.file], races[point.file], point, history, seed) for point in points)


def _check(files: Mapping[str, RaceFile], points: Sequence[Point], history: Sequence[Grown]) -> None:
    faults = [
        Problem(f"{point.lab} on {point.day} is not after {files[point.file].as_of}", suggestion="predict what comes")
        for point in points
        if point.day.isoformat() <= files[point.file].as_of or _place(files[point.file], point) < 1
    ] + [
        Problem(f"history of {grown.buyer} is of {grown.known}, after {files[grown.file].as_of}")
        for grown in history
        if grown.known.isoformat() > files[grown.file].as_of
    ]  # fmt: skip
    if faults:
        raise InputError(*faults)


def _place(file: RaceFile, point: Point) -> int:
    return Quarter(point.day.year, (point.day.month - 1) // 3 + 1) - file.horizon.first


def _predict(file: RaceFile, race: Race, point: Point, history: Sequence[Grown], seed: int) -> Prediction:
    lab, place = race.labs.index(point.lab), _place(file, point)
    error = math.log(point.start_high / point.start_low) / (2 * Z95)
    noise = stream(seed, "report", f"race.backtest.{point.file}.{point.lab}.{place}").standard_normal(
        race.paths
    )
    seen = race.compute[:, lab, place] * np.exp(error * noise)
    band = Spread(*(float(value) for value in np.percentile(seen, [10, 50, 90])))
    factors = [grown.factor for grown in history if grown.file == point.file]
    naive = constant_growth(file.labs[lab].fleet, place / 4, factors, error)
    own, other = _scores(point.actual, band), _scores(point.actual, naive)
    return Prediction(
        start=file.as_of,
        lab=point.lab,
        date=point.day.isoformat(),
        actual=point.actual,
        race=band,
        inside=band.p10 <= point.actual <= band.p90,
        score=own[0],
        score_h100e=own[1],
        naive=naive,
        naive_inside=naive.p10 <= point.actual <= naive.p90,
        naive_score=other[0],
        naive_score_h100e=other[1],
    )
