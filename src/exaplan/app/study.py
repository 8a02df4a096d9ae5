"""The handles that users hold: a study over a frozen lab, and the plan it makes."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from exaplan.app.fanout import thread_map
from exaplan.app.pipeline import Clock, Planned, Settings, make_plan
from exaplan.domain.answer import Answer, Replay
from exaplan.domain.lab import Lab
from exaplan.io.labfile import read_lab

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Study:
    """A lab file, read; every change makes a new study."""

    path: Path
    lab: Lab
    overrides: dict[str, str] = field(default_factory=dict)

    def replace(self, key: str, value: str | float) -> Study:
        """Return a study with one value of the file replaced, for example ``("policy.floor.share", "45 %")``."""
        return load(self.path, overrides={**self.overrides, key: str(value)})

    def plan(self, *, paths: int = 500, seed: int = 1, search_ruin: bool = False) -> PlanHandle:
        """Plan the lab and replay the plan on ``paths`` futures; ``search_ruin`` meets the limit on P(ruin)."""
        return PlanHandle(self, make_plan(self.lab, Settings(paths, seed, search_ruin), Clock()))


@dataclass(frozen=True)
class Simulation:
    """A plan on simulated futures."""

    summary: Replay

    @property
    def ruin(self) -> float:
        """P(ruin)."""
        return self.summary.p_ruin

    @property
    def value(self) -> float:
        """Mean value, USD."""
        return self.summary.value


@dataclass(frozen=True)
class PlanHandle:
    """A finished plan: its answer as frames, page and text."""

    study: Study
    planned: Planned

    @cached_property
    def answer(self) -> Answer:
        """Everything the plan found, as plain rows."""
        from exaplan import __version__
        from exaplan.app.answering import gather

        return gather(self.planned, lab_file=str(self.study.path), version=__version__)

    @property
    def decisions(self) -> pl.DataFrame:
        """What to sign and by which date."""
        return self._frame("decisions")

    @property
    def prices(self) -> pl.DataFrame:
        """What one more unit is worth, by quarter."""
        return self._frame("prices")

    def report(self, path: str | Path) -> Path:
        """Write the page as one offline HTML file."""
        from exaplan.report.page import page_html

        target = Path(path)
        target.write_text(page_html(self.answer), encoding="utf-8")
        return target

    def simulate(self, *, paths: int = 2000, seed: int = 1) -> Simulation:
        """Replay the plan on new futures."""
        from exaplan.economy.sampling import sample_world
        from exaplan.simulate.replay import replay
        from exaplan.simulate.summary import replay_of

        world = sample_world(self.planned.lab, paths=paths, seed=seed, purpose="report")
        return Simulation(
            replay_of(self.planned.lab, replay(self.planned.solved, world, seed=seed, map=thread_map))
        )

    def _frame(self, name: str) -> pl.DataFrame:
        from exaplan.report.tables import frames

        return frames(self.answer)[name]

    def __repr__(self) -> str:
        from exaplan.report.terminal import answer_text

        return answer_text(self.answer)


def load(path: str | Path, *, overrides: dict[str, str] | None = None) -> Study:
    """Read a lab file.

    Raises
    ------
    InputError
        With every fault of the file at once.
    """
    given = dict(overrides or {})
    return Study(Path(path), read_lab(Path(path), overrides=given), given)
