"""What users hold besides a study and its plan: statements, a race, the cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exaplan.domain.casebook import CaseRecord
from exaplan.domain.race_result import RaceAnswer
from exaplan.domain.statements import FinanceReport

if TYPE_CHECKING:
    import polars as pl

    from exaplan.app.casebook.registry import Case
    from exaplan.report.drawing import Chart


@dataclass(frozen=True)
class StatementsHandle:
    """Statements and key figures of a plan: as frames, page, workbook, chart and text."""

    record: FinanceReport

    @property
    def frames(self) -> dict[str, pl.DataFrame]:
        """``statements``: a row per line and quarter; ``key_figures``: a row per figure, with unit and interval."""
        from exaplan.report.statements_tables import statement_frames

        return statement_frames(self.record)

    @property
    def figures(self) -> pl.DataFrame:
        """The key figures."""
        return self.frames["key_figures"]

    def chart(self) -> Chart:
        """Give the chart; it shows itself in a notebook."""
        from exaplan.report.statements_page import statements_chart

        return statements_chart(self.record)

    def report(self, path: str | Path) -> Path:
        """Write the page as one offline HTML file."""
        from exaplan.report.statements_page import statements_page

        target = Path(path)
        target.write_text(statements_page(self.record), encoding="utf-8")
        return target

    def xlsx(self, path: str | Path) -> Path:
        """Write the workbook whose statements are live formulas.

        Raises
        ------
        InputError
            Where the name does not end in .xlsx.
        """
        from exaplan.io.workbook import check_ending, write_workbook
        from exaplan.report.statements_sheets import sheets_of

        target = Path(path)
        check_ending(target)
        write_workbook(target, sheets_of(self.record))
        return target

    def __repr__(self) -> str:
        from exaplan.report.statements import statements_text

        return statements_text(self.record, width=120)


@dataclass(frozen=True)
class RaceHandle:
    """A race that was run: as an object, chart and text."""

    record: RaceAnswer

    @property
    def document(self) -> dict[str, Any]:
        """Everything that was found, JSON-ready, as ``exaplan race --json`` prints it."""
        from exaplan.report.race import race_document

        return race_document(self.record)

    @property
    def frame(self) -> pl.DataFrame:
        """One row per lab and quarter, as in race.csv."""
        import polars as pl

        from exaplan.report.race import race_csv

        return pl.read_csv(race_csv(self.record).encode("utf-8"))

    def chart(self) -> Chart:
        """Give the fan charts; they show themselves in a notebook."""
        from exaplan.report.race_charts import race_chart

        return race_chart(self.record)

    def __repr__(self) -> str:
        from exaplan.report.race import race_text

        return race_text(self.record)


@dataclass(frozen=True)
class CaseHandle:
    """A question that was really asked."""

    name: str
    question: str

    def run(self, *, fresh: bool = False) -> CaseAnswer:
        """Answer it, or take what is kept from before; ``fresh`` computes it anew."""
        from exaplan.app.casebook.running import answer_cases
        from exaplan.io.kept_answers import answers_folder

        ((_, answered),) = answer_cases(chosen_cases([self.name]), folder=answers_folder(), fresh=fresh)
        return CaseAnswer(answered.record)

    def __repr__(self) -> str:
        return f"{self.name}: {self.question}"


@dataclass(frozen=True)
class CaseAnswer:
    """The computed answer to a case."""

    record: CaseRecord

    @property
    def verdict(self) -> str:
        """Say ``holds``, ``fails`` or ``depends``."""
        return self.record.judgment.word

    def charts(self) -> tuple[Chart, ...]:
        """Give the plots; each shows itself in a notebook."""
        from exaplan.report.casebook import plot_chart

        return tuple(plot_chart(plot) for plot in self.record.plots)

    def __repr__(self) -> str:
        from exaplan.report.casebook import chance_words, metric_words

        record = self.record
        head = f"{record.name}: {self.verdict} ({chance_words(record)})"
        return f"{head}\n  {record.answer}\n  {metric_words(record.metric)}."


def race(
    path: str | Path, *, paths: int = 10_000, seed: int = 1, shocks: Sequence[str] = (), critical_path: bool = False
) -> RaceHandle:  # fmt: skip
    """Race the labs of a race file: months behind, P(parity by date); ``critical_path`` finds what stands in the way.

    Raises
    ------
    InputError
        With every fault of the file at once.
    """
    from exaplan.app.racing import race_answer

    return RaceHandle(race_answer(Path(path), paths=paths, seed=seed, shocks=shocks, critical=critical_path))


def cases(*names: str) -> tuple[CaseHandle, ...]:
    """Give the cases of these names, or all of them.

    Raises
    ------
    InputError
        For a name that is not a case.
    """
    return tuple(CaseHandle(case.name, case.question) for case in chosen_cases(names))


def chosen_cases(names: Sequence[str]) -> tuple[Case, ...]:
    """Find cases by name, all where none is named.

    Raises
    ------
    InputError
        For every name that is not a case.
    """
    from exaplan.app.casebook.registry import CASES
    from exaplan.domain.errors import InputError, Problem

    known = {case.name: case for case in CASES}
    listed = "`exaplan cases list` names them"
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InputError(*(Problem(f"{name!r} is not a case", suggestion=listed) for name in unknown))
    return tuple(known[name] for name in names) if names else CASES
