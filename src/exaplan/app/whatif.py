"""What changes if: the plan of the file beside the plans of separate changes, on the same random numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import perf_counter

from exaplan.app.again import Made, make_again, point_of, see
from exaplan.app.pipeline import Clock, Settings
from exaplan.domain.explored import Asked, WhatIf
from exaplan.domain.lab import Lab

Changes = Mapping[str, str]
Case = tuple[dict[str, str], Lab]


def compare_changes(
    base: Made, cases: Sequence[Case], settings: Settings, clock: Clock, *, lab_file: str
) -> WhatIf:
    """Plan each change from the base plan's basis and replay all of them.

    ``cases`` holds for each what-if the changes as written and the lab that they make.

    Raises
    ------
    InputError, NoAnswerError
        As :func:`exaplan.app.again.make_again`.
    """
    begin = perf_counter()
    with clock.phase("what-if"):
        made = [make_again(base, lab) for _, lab in cases]
    with clock.phase("replay"):
        seen = [see(item, paths=settings.paths, seed=settings.seed) for item in (base, *made)]
    return WhatIf(
        asked=asked_of(base.lab, settings, lab_file, base.seconds + perf_counter() - begin),
        base=point_of("as given", {}, seen[0], None),
        cases=tuple(
            point_of(name_of(changes), changes, found, seen[0])
            for (changes, _), found in zip(cases, seen[1:], strict=True)
        ),
    )


def read_cases(read: Callable[[Changes], Lab], given: Sequence[Changes]) -> list[Case]:
    """Read the lab once for each set of changes; ``read`` takes the overrides."""
    return [(dict(changes), read(changes)) for changes in given]


def name_of(changes: Changes) -> str:
    """Name a what-if by what it changes."""
    return ", ".join(f"{key} = {value}" for key, value in changes.items()) or "as given"


def asked_of(lab: Lab, settings: Settings, lab_file: str, seconds: float) -> Asked:
    """Head a comparison."""
    from exaplan import __version__

    limit = lab.policy.ruin
    return Asked(
        lab=lab.lab,
        lab_file=Path(lab_file).name,
        version=__version__,
        paths=settings.paths,
        seed=settings.seed,
        ruin_within_quarters=limit.within_quarters if limit else None,
        ruin_limit=limit.probability if limit else None,
        seconds=seconds,
    )
