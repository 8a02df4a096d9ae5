"""The workbook of the statements: every formula comes to the value beside it, and the life of chips is live."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from tests.io.spreadsheet import Workbook
from tests.plan.labs import contracts_lab, owner_lab
from tests.simulate.test_replay import other_futures, solved

from exaplan.app.finance import Asked, report_of
from exaplan.domain.errors import InputError
from exaplan.domain.statements import FinanceReport, Switches
from exaplan.io.workbook import workbook_bytes, write_workbook
from exaplan.report.statements_sheets import sheets_of
from exaplan.simulate.replay import replay

CHOSEN = {
    "plain": Switches(),
    "other": Switches(3, "lease", "gross", "marketing"),
    "impaired": Switches(6, "service", "net", "marketing", "use"),
}


@cache
def ledger_of(make):
    plan = solved(make)
    return plan, replay(plan, other_futures(plan.program.inputs.tree, 60), seed=1, itemize=True).ledger


@cache
def report(make, name: str) -> FinanceReport:
    plan, ledger = ledger_of(make)
    return report_of(plan, ledger, Asked(60, 1, CHOSEN[name], "lab.yaml"))


def written(found: FinanceReport, folder: Path) -> Workbook:
    return Workbook(write_workbook(folder / "book.xlsx", sheets_of(found)))


def find(book: Workbook, sheet: str, label: str, found: FinanceReport) -> list[float]:
    """Numbers of the row of a label, by evaluation."""
    (page,) = [each for each in sheets_of(found) if each.name == sheet]
    row = next(r for (r, c), cell in page.cells.items() if cell.value == label and c == 1)
    columns = sorted(
        c for (r, c), cell in page.cells.items() if r == row and c >= 2 and not isinstance(cell.value, str)
    )
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return [book.value(sheet, f"{letters[c]}{row + 1}") for c in columns]


EACH = pytest.mark.parametrize(
    ("make", "name"), [(m, n) for m in (contracts_lab, owner_lab) for n in CHOSEN], ids=lambda x: getattr(x, "__name__", x)
)  # fmt: skip


@EACH
def test_every_formula_comes_to_the_value_beside_it(make, name, tmp_path):
    book = written(report(make, name), tmp_path)
    assert len(book.formulas) > 100
    for place, cached in book.cached.items():
        assert book.value(*place) == pytest.approx(cached, rel=1e-9, abs=1e-9), place


@EACH
def test_the_workbook_says_what_the_statements_say(make, name, tmp_path):
    found = report(make, name)
    book = written(found, tmp_path)
    for sheet, key, label in (("Income", "net_income", "Net income"), ("Income", "gross_profit", "Gross profit"), ("Cash flow", "closing_cash", "Cash at the end"), ("Balance", "total_assets", "Total assets"), ("Balance", "total_equity", "Total equity")):  # fmt: skip
        row = next(row for row in found.rows if row.key == key)
        assert np.array(find(book, sheet, label, found)) * 1e6 == pytest.approx(
            np.array(row.mean), abs=0.01
        ), key


@pytest.mark.parametrize("name", ["plain", "other"])
@pytest.mark.parametrize("years", [1, 3, 6])
def test_another_life_in_the_cell_gives_the_statements_of_that_life(name, years, tmp_path):
    found = report(owner_lab, name)
    book = written(found, tmp_path)
    before = find(book, "Balance", "Chips, servers and network", found)
    book.set("Summary", "B4", float(years))
    after = find(book, "Balance", "Chips, servers and network", found)
    plan, ledger = ledger_of(owner_lab)
    other = report_of(plan, ledger, Asked(60, 1, replace(CHOSEN[name], life_years=years)))
    chips = next(row for row in other.rows if row.key == "chips")
    income = next(row for row in other.rows if row.key == "net_income")
    assert np.array(after) * 1e6 == pytest.approx(np.array(chips.mean), abs=0.01)
    assert np.array(find(book, "Income", "Net income", found)) * 1e6 == pytest.approx(
        np.array(income.mean), abs=0.01
    )
    if years != CHOSEN[name].life_years:
        assert after != pytest.approx(before)
    for label in ("Assets less liabilities less equity", "Cash by the cash flow statement less the books"):
        assert np.abs(find(book, "Balance", label, found)).max() < 1e-8


def test_a_number_changed_by_hand_shows_in_the_check(tmp_path):
    found = report(owner_lab, "plain")
    book = written(found, tmp_path)
    place = next(place for place in book.numbers if place[0] == "Flows" and abs(book.numbers[place]) > 1)
    book.set(*place, book.numbers[place] + 1)
    (cell,) = [place for place in book.formulas if place[0] == "Summary"]
    assert book.value(*cell) == pytest.approx(1.0, rel=0.5)


def test_the_same_report_gives_the_same_bytes():
    sheets = sheets_of(report(owner_lab, "plain"))
    assert workbook_bytes(sheets) == workbook_bytes(sheets)


def test_a_workbook_has_its_ending(tmp_path):
    with pytest.raises(InputError, match="xlsx"):
        write_workbook(tmp_path / "book.csv", ())
    with pytest.raises(InputError, match="another place"):
        write_workbook(tmp_path / "nowhere" / "book.xlsx", ())


@pytest.mark.skipif(shutil.which("soffice") is None, reason="no LibreOffice (soffice) on this machine")
def test_libreoffice_comes_to_the_same_values(tmp_path):
    found = report(owner_lab, "plain")
    path = write_workbook(tmp_path / "book.xlsx", sheets_of(found))
    subprocess.run(
        ["soffice", "--headless", "--convert-to", "ods", "--outdir", str(tmp_path), str(path)], check=True
    )
    subprocess.run(["soffice", "--headless", "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(tmp_path / "again"), str(tmp_path / "book.ods")], check=True)  # fmt: skip
    ours, theirs = Workbook(path), Workbook(tmp_path / "again" / "book.xlsx")
    for place, cached in ours.cached.items():
        assert theirs.cached[place] == pytest.approx(cached, rel=1e-9, abs=1e-9)
