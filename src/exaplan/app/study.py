"""The handles that users hold: a study over a frozen lab, and the plan it makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exaplan.app.again import Made, make_base
from exaplan.app.fanout import thread_map
from exaplan.app.pipeline import Clock, Planned, Settings, make_plan
from exaplan.domain.answer import Answer, Replay
from exaplan.domain.explored import Against
from exaplan.domain.lab import Lab
from exaplan.domain.options import OptionsAnswer
from exaplan.io.labfile import read_lab

if TYPE_CHECKING:
    import polars as pl

    from exaplan.app.ground import Ground
    from exaplan.app.handles import StatementsHandle
    from exaplan.domain.simulated import Simulated
    from exaplan.domain.statements import FreeUsers, Impairment, LeaseTreatment, ResaleTreatment
    from exaplan.report.drawing import Chart
    from exaplan.report.explored import Explored
    from exaplan.report.sheet import Sheet


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

    def sweep(
        self, key: str, values: Sequence[str | float] | str, *, paths: int = 500, seed: int = 1
    ) -> ExploredHandle:
        """Plan the lab at each value of ``key``, solved from neighbor to neighbor; ``values`` may be ``"a..b:n"``."""
        from exaplan.app.sweep import run_sweep, settings_of
        from exaplan.io.asked import read_axis

        axis = read_axis(f"{key}={values if isinstance(values, str) else ','.join(map(str, values))}")
        labs = [self._changed(setting).lab for setting in settings_of([axis])]
        found = run_sweep(
            make_base(self.lab, Clock()),
            [axis],
            labs,
            Settings(paths, seed),
            Clock(),
            lab_file=str(self.path),
        )
        return ExploredHandle(found)

    def frontier(self, *, against: Against = "value", paths: int = 500, seed: int = 1) -> ExploredHandle:
        """Plan the lab at every caution and find the plans that no other beats in value (or lead) and P(ruin)."""
        from exaplan.app.efficient import run_frontier

        base = make_base(self.lab, Clock())
        settings = Settings(paths, seed)
        return ExploredHandle(run_frontier(base, settings, Clock(), lab_file=str(self.path), against=against))

    def raises(self, *, paths: int = 500, seed: int = 1) -> ExploredHandle:
        """Plan the lab with each round of equity raised later and later: the latest date that keeps P(ruin)."""
        from exaplan.app.raising import run_raises

        base = make_base(self.lab, Clock())
        return ExploredHandle(run_raises(base, Settings(paths, seed), Clock(), lab_file=str(self.path)))

    def options(self) -> OptionsAnswer:
        """Weigh what is started once or never: go, wait, never, last dates, and what a second source is worth."""
        from exaplan import __version__
        from exaplan.app.optioning import weigh

        return weigh(self.lab, Clock(), lab_file=str(self.path), version=__version__)

    def futures(self, *, paths: int = 20_000, seed: int = 1) -> Explained:
        """Show what is uncertain: correlations, each process beside its closed form, named futures, the tree's fit."""
        from exaplan import __version__
        from exaplan.app.futures import futures_of
        from exaplan.report.futures import futures_sheet

        found = futures_of(self.lab, paths=paths, seed=seed, lab_file=self.path, version=__version__)
        return Explained(found, futures_sheet)

    def _changed(self, changes: Mapping[str, str | float]) -> Study:
        return load(self.path, overrides={**self.overrides, **{key: str(v) for key, v in changes.items()}})


@dataclass(frozen=True)
class ExploredHandle:
    """Plans compared: as a frame, page, chart and text."""

    found: Explored

    @property
    def table(self) -> pl.DataFrame:
        """One row per plan."""
        from exaplan.report.explored import table_frame

        return table_frame(self.found)

    def chart(self) -> Chart:
        """Give the chart; it shows itself in a notebook."""
        from exaplan.report.explored_charts import explored_chart

        return explored_chart(self.found)

    def report(self, path: str | Path) -> Path:
        """Write the page as one offline HTML file."""
        from exaplan.report.explored_page import explored_page

        target = Path(path)
        target.write_text(explored_page(self.found, "made in Python"), encoding="utf-8")
        return target

    def __repr__(self) -> str:
        from exaplan.report.explored import explored_text

        return explored_text(self.found, width=140)


@dataclass(frozen=True)
class Simulation:
    """A plan on simulated futures; ``record`` holds all that was compared, where that was asked for."""

    summary: Replay
    record: Simulated | None = None

    @property
    def ruin(self) -> float:
        """P(ruin)."""
        return self.summary.p_ruin

    @property
    def value(self) -> float:
        """Mean value, USD."""
        return self.summary.value

    @property
    def frames(self) -> dict[str, pl.DataFrame]:
        """One frame per table of the comparison; none where nothing was compared."""
        from exaplan.report.sheet import record_frames

        return {} if self.record is None else record_frames(self.record)

    def report(self, path: str | Path) -> Path:
        """Write the page as one offline HTML file.

        Raises
        ------
        ValueError
            Where nothing was compared.
        """
        from exaplan.report.sheet import sheet_html
        from exaplan.report.simulated import simulated_sheet

        if self.record is None:
            raise ValueError("only a replay was made: simulate with compare=True to have a page")
        target = Path(path)
        target.write_text(sheet_html(simulated_sheet(self.record)), encoding="utf-8")
        return target

    def __repr__(self) -> str:
        from exaplan.report.sheet import sheet_text
        from exaplan.report.simulated import simulated_sheet

        if self.record is None:
            return f"Simulation({self.summary})"
        return sheet_text(simulated_sheet(self.record))


@dataclass(frozen=True)
class Explained:
    """An explanation of a plan: its record, and the same as frames, text and page."""

    record: Any
    sheet: Callable[[Any], Sheet]

    @property
    def frames(self) -> dict[str, pl.DataFrame]:
        """One frame per table of the record."""
        from exaplan.report.sheet import record_frames

        return record_frames(self.record)

    def report(self, path: str | Path) -> Path:
        """Write the page as one offline HTML file."""
        from exaplan.report.sheet import sheet_html

        target = Path(path)
        target.write_text(sheet_html(self.sheet(self.record)), encoding="utf-8")
        return target

    def __repr__(self) -> str:
        from exaplan.report.sheet import sheet_text

        return sheet_text(self.sheet(self.record))


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

    def simulate(
        self,
        *,
        paths: int = 2000,
        seed: int = 1,
        compare: bool = False,
        rolling: int = 0,
        every: int = 1,
    ) -> Simulation:
        """Replay the plan on new futures; with ``compare`` beside its alternatives and simple rules, as the command does.

        ``rolling`` futures are planned again ``every`` so many quarters.
        """
        from exaplan.app.simulating import Asked, simulate_plan
        from exaplan.economy.sampling import sample_world
        from exaplan.simulate.replay import replay
        from exaplan.simulate.summary import replay_of

        made = self.planned
        if compare or rolling:
            asked = Asked(paths=paths, seed=seed, rolling=rolling, every=every)
            found = simulate_plan(self._made, asked, Clock(), lab_file=self.study.path, version=self._version)
            return Simulation(found.replay, found)
        world = sample_world(made.lab, paths=paths, seed=seed, purpose="report")
        return Simulation(replay_of(made.lab, replay(made.solved, world, seed=seed, map=thread_map)))

    def statements(
        self, *, paths: int | None = None, seed: int | None = None, life_years: int = 5, lease: LeaseTreatment = "service",
        resale: ResaleTreatment = "net", free_users: FreeUsers = "cost-of-sales", impairment: Impairment = "off",
    ) -> StatementsHandle:  # fmt: skip
        """Draw up income, cash flow, balance sheet and key figures; ``paths`` and ``seed`` are the plan's unless given.

        ``paths=0`` takes the futures of the tree. The switches are those of ``exaplan statements``.
        """
        from exaplan.app.finance import Asked, run_statements, switches_for
        from exaplan.app.handles import StatementsHandle

        made, settings = self.planned, self.planned.settings
        chosen = switches_for(
            made.lab,
            life_years=life_years,
            lease=lease,
            resale=resale,
            free_users=free_users,
            impairment=impairment,
        )
        asked = Asked(
            settings.paths if paths is None else paths,
            settings.seed if seed is None else seed,
            chosen,
            str(self.study.path),
        )
        return StatementsHandle(run_statements(made.solved, asked, Clock()))

    def what_if(self, *changes: Mapping[str, str | float]) -> ExploredHandle:
        """Compare with the plans of separate changes, each solved from this plan: ``({"finance.cash": "30 GUSD"}, ...)``."""
        from exaplan.app.whatif import compare_changes

        made = self.planned
        written = [{key: str(value) for key, value in one.items()} for one in changes]
        cases = [(one, self.study._changed(one).lab) for one in written]
        found = compare_changes(self._made, cases, made.settings, Clock(), lab_file=str(self.study.path))
        return ExploredHandle(found)

    def alternatives(self, *, slack: float = 0.01) -> Explained:
        """Least and most of each decision among plans within ``slack`` of this one's objective."""
        from exaplan.app.alternatives import Asked, alternatives_of
        from exaplan.report.explained import alternatives_sheet

        found = alternatives_of(self._ground, Asked(slack), lab_file=self.study.path, version=self._version)
        return Explained(found, alternatives_sheet)

    def sensitivity(self, *, trajectories: int = 8, seed: int = 1) -> Explained:
        """Which inputs the value turns on: each low and high, and all together by Morris trajectories."""
        from exaplan.app.sensitivity import Screened, sensitivity_of
        from exaplan.report.explained import sensitivity_sheet

        asked = Screened(trajectories, seed)
        found = sensitivity_of(self._ground, asked, lab_file=self.study.path, version=self._version)
        return Explained(found, sensitivity_sheet)

    def offer(self, name: str, *, paths: int = 500, seed: int = 1) -> Explained:
        """One offer to the end: walk-away price, worth of each clause, sign-by date, change in P(ruin)."""
        from exaplan.app.offering import Examined, examine_offer
        from exaplan.report.offered import offer_sheet

        asked = Examined(paths=paths, seed=seed)
        found = examine_offer(self._ground, name, asked, lab_file=self.study.path, version=self._version)
        return Explained(found, offer_sheet)

    @property
    def _made(self) -> Made:
        made = self.planned
        return Made(made.lab, made.rates, made.tree, made.solved)

    @property
    def _ground(self) -> Ground:
        from exaplan.app.ground import ground_of_plan

        return ground_of_plan(self.planned)

    @property
    def _version(self) -> str:
        from exaplan import __version__

        return __version__

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
