"""One calibration from published rows: fit, refits that leave out sources and models, and the spread they show."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np

from exaplan.domain.calibration import Calibration, Effect, Spread
from exaplan.domain.measured import Measurements
from exaplan.perf.calibration.fit import fit, sample_of
from exaplan.perf.calibration.interval import fit_spreads
from exaplan.perf.calibration.validate import FoldMap, Left, Predictions, cross_validate, known_of

UNSEEN: tuple[Left, ...] = ("group", "model", "source")


def calibrate(
    measured: Measurements,
    date: str,
    *,
    map: FoldMap = map,  # noqa: A002 - the word of every room for a parallel map
    tell: Callable[[str], None] = lambda _: None,
) -> Calibration:
    """Fit every coefficient to published rows.

    Parameters
    ----------
    measured : Measurements
        Rows.
    date : str
        Day of the fit, ISO; engines do not read the clock.
    map : callable
        Serial by default; any ``map(function, folds)`` that keeps the order.
    tell : callable
        Told what is being done.

    Returns
    -------
    Calibration
        Effects with covariance; spreads hold 80 % of the rows predicted by refits that had not seen their group, their
        model or their source.
    """
    tell("fitting all rows")
    sample = sample_of(measured)
    full = fit(sample)
    spreads: list[Spread] = []
    for left in UNSEEN:
        tell(f"refitting without each {left}")
        found = cross_validate(measured, left, full=full, map=map)
        sure = found.doubts == ""
        spreads += fit_spreads(
            found.tasks[sure],
            found.families[sure],
            found.kinds[sure],
            found.groups[sure],
            found.errors[sure],
            found.variance[sure],
            left,
        )
    count = len(full.keys)
    effects = tuple(
        Effect(name, level, member, float(value))
        for (name, level, member), value in zip(full.keys, full.effects, strict=True)
    )
    return Calibration(
        date=date,
        data=_described(measured, found),
        effects=effects,
        covariance=full.covariance[:count, :count],
        spreads=tuple(spreads),
        known=known_of(found),
    )


def _described(measured: Measurements, rows: Predictions) -> str:
    digest = hashlib.sha256()
    for identity, value in zip(rows.ids.tolist(), rows.log_measured.tolist(), strict=True):
        digest.update(f"{identity}:{value:.9g};".encode())
    groups, sources = np.unique(rows.groups).size, np.unique(rows.sources).size
    return (
        f"{len(measured.training)} training and {len(measured.serving)} serving measurements, "
        f"{groups} groups, {sources} sources, SHA-256 {digest.hexdigest()[:16]}"
    )
