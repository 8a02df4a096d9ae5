"""What cases on the race share: the shipped race of five labs with changes to one of them, run on common futures."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from exaplan.app.casebook.planned import BATCH
from exaplan.domain.race import RaceFile, RaceLab
from exaplan.domain.race_result import CAUSES, Race
from exaplan.domain.uncertain import Uncertain
from exaplan.io.examples import race_example
from exaplan.io.racefile import read_race
from exaplan.simulate.race import run_race


@lru_cache(maxsize=1)
def five_labs() -> RaceFile:
    """Read the race of five labs from public estimates.

    Raises
    ------
    InputError
        As :func:`exaplan.io.racefile.read_race`.
    """
    return read_race(race_example())


def names() -> tuple[str, ...]:
    """Names of the labs, in order."""
    return tuple(lab.id for lab in five_labs().labs)


def changed(file: RaceFile, labs: Mapping[str, RaceLab], **market: Any) -> RaceFile:
    """Put other labs in the place of those of the same name, and other figures into the market."""
    raced = tuple(labs.get(lab.id, lab) for lab in file.labs)
    return file.model_copy(update={"labs": raced, "market": file.market.model_copy(update=market)})


def lab_in(file: RaceFile, name: str) -> RaceLab:
    """Find a lab by name."""
    return next(lab for lab in file.labs if lab.id == name)


def times(value: Uncertain, factor: float) -> Uncertain:
    """Scale a positive uncertain number: both ends, so the shape stays.

    Examples
    --------
    >>> times(Uncertain(family="lognormal", low=1.0, high=4.0), 2.0).high
    8.0
    """
    return value.model_copy(update={"low": factor * value.low, "high": factor * value.high})


def pushed(lab: RaceLab, factor: float) -> RaceLab:
    """Give a lab so many times the chips, the new power and the money that it can get; what it has stays."""
    sites = tuple(site.model_copy(update={"power": factor * site.power}) for site in lab.power.sites)
    return lab.model_copy(
        update={
            "chips": lab.chips.model_copy(update={"share": times(lab.chips.share, factor)}),
            "power": lab.power.model_copy(update={"sites": sites, "build": times(lab.power.build, factor)}),
            "funding": factor * lab.funding,
            "cash": factor * lab.cash,
        }
    )


def later(lab: RaceLab, quarters: int) -> RaceLab:
    """Let everything that a lab has not signed yet come so many quarters later: chips, sites, new power."""
    sites = tuple(site.model_copy(update={"ready": site.ready + quarters}) for site in lab.power.sites)
    return lab.model_copy(
        update={
            "chips": lab.chips.model_copy(update={"lead": lab.chips.lead + quarters}),
            "power": lab.power.model_copy(update={"sites": sites, "lead": lab.power.lead + quarters}),
        }
    )


def race_on(
    file: RaceFile, seed: int, *, paths: int = BATCH, free: Mapping[str, tuple[str, ...]] | None = None
) -> Race:
    """Run a race; ``free`` names by lab the causes of ``CAUSES`` that no longer limit it."""
    relaxed = np.zeros((len(CAUSES), len(file.labs)))
    for place, lab in enumerate(file.labs):
        for cause in (free or {}).get(lab.id, ()):
            relaxed[CAUSES.index(cause), place] = np.inf
    return run_race(file, paths=paths, seed=seed, relaxed=relaxed)
