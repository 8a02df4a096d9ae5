"""``--plan RUN``: the solved plan of a run folder in place of a new one, for every command that looks at a plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from exaplan.app.cli.explained import read_given
from exaplan.app.cli.runs import changes, inputs_of

if TYPE_CHECKING:
    from exaplan.app.again import Made
    from exaplan.app.kept_plan import Kept
    from exaplan.app.pipeline import Clock
    from exaplan.domain.lab import Lab


@dataclass(frozen=True)
class Taken:
    """A lab that is read, and the plan of the run that was given, if one was."""

    path: Path
    lab: Lab
    overrides: tuple[str, ...]  # KEY=VALUE as typed, those of the run included
    kept: Kept | None

    def plan(self, clock: Clock) -> Made:
        """Take up the plan of the run, without solving; else plan the lab.

        Raises
        ------
        InputError
            Where the run is stale, or the lab's data cannot be planned with.
        NoAnswerError
            Where the solver finds no plan even with every policy relaxed.
        """
        from exaplan.app.again import make_base
        from exaplan.app.kept_plan import take_up

        if self.kept is None:
            return make_base(self.lab, clock)
        with clock.phase("kept plan"):
            inputs = inputs_of(self.path)
            return take_up(self.kept, self.lab, inputs=inputs, overrides=changes(self.overrides))


def plan_option(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command ``--plan RUN``, as ``run``."""
    return click.option(
        "--plan",
        "run",
        type=click.Path(path_type=Path),
        help="Run folder of `exaplan plan LAB`: take its plan and its --set instead of solving; a stale run is refused.",
    )(command)


def read_taken(
    lab: Path, run: Path | None, overrides: tuple[str, ...], out: Path | None, clock: Clock
) -> Taken:
    """Read the lab with its replaced values, those of the run first; refuse a bad place before any work."""
    from exaplan import __version__
    from exaplan.app.kept_plan import find_plan

    kept = None if run is None else find_plan(run, version=__version__)
    given = changes(overrides) if kept is None else {**kept.overrides, **changes(overrides)}
    written = tuple(f"{key}={value}" for key, value in given.items())
    return Taken(lab, read_given(lab, written, out, clock), written, kept)
