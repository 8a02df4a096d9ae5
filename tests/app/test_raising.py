"""The latest safe date of a round, on a lab whose date follows from a sum: cash, what it burns, and when it is gone."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.app import strangers
from tests.plan import toy

from exaplan.app.again import Made
from exaplan.app.cli.main import main
from exaplan.app.pipeline import Clock, Settings
from exaplan.app.raising import late_rounds, run_raises
from exaplan.domain.errors import InputError
from exaplan.domain.explored import Raises
from exaplan.domain.lab import FixedCost, Policy, Round, RuinLimit
from exaplan.io.runfolder import read_run
from exaplan.plan.solve import solve_plan
from exaplan.report.explored import explored_text, table_rows

DAYS = ["2027-Q1", "2027-Q2", "2027-Q3", "2027-Q4"]


def burning(*, cash: float = 10e6, policy: Policy | None = None, **more) -> Made:
    """1000 chips earn 5 M a quarter; staff costs 9 M for four quarters and nothing after: -4 M four times, then +5 M twice."""
    lab = toy.lab(
        quarters=6, workloads=(toy.serve(usd_per_chip_quarter=5000),), contracts=(toy.owned(term=6),),
        policy=policy or Policy(ruin=RuinLimit(probability=0.02, within_quarters=6)),
        finance=toy.finance(
            cash_usd=cash, rounds=(Round(id="ipo", first=toy.FIRST, last=toy.FIRST + 3, max_usd=50e6, dilution_cost=0.1),),
            fixed_costs=(FixedCost(id="staff", amount_usd_per_quarter=(9e6, 9e6, 9e6, 9e6, 0.0, 0.0)),), **more,
        ),
    )  # fmt: skip
    rates, tree = toy.rates(lab), toy.tree(lab)
    return Made(lab, rates, tree, solve_plan(toy.collect(lab, rates, tree)))


def found(made: Made) -> Raises:
    return run_raises(made, Settings(paths=4), Clock(), lab_file="burning.yaml")


def test_the_round_is_safe_until_the_quarter_in_which_cash_would_run_out():
    """10 M less 4 M a quarter: 6, 2, and 2 short in the third quarter, in which the round still helps."""
    (ipo,) = found(burning()).rounds
    assert [late.quarter for late in ipo.plans] == [*DAYS, None]
    assert [late.point.p_ruin for late in ipo.plans] == [0, 0, 0, 1, 1]
    assert [late.safe for late in ipo.plans] == [True, True, True, False, False]
    assert (ipo.latest_safe, ipo.needed) == ("2027-Q3", True)
    # 6 M are short after four quarters; they cost a tenth more: 10 - 16 + 10 + 6 - 6.6 M are left
    values = [late.point.value for late in ipo.plans[:3]]
    assert values == pytest.approx([10e6 - 16e6 + 10e6 - 0.6e6] * 3, rel=1e-5)


def test_four_millions_more_are_a_quarter_more():
    (ipo,) = found(burning(cash=14e6)).rounds
    assert ipo.latest_safe == "2027-Q4"


def test_enough_cash_leaves_no_date_to_keep():
    answer = found(burning(cash=16e6))
    (ipo,) = answer.rounds
    assert not ipo.needed
    assert all(late.safe for late in ipo.plans)
    assert "no date to keep" in explored_text(answer)


def test_no_date_helps_where_cash_is_gone_before_the_window_opens():
    made = burning(cash=3e6)
    late = made.lab.finance.rounds[0].model_copy(update={"first": toy.FIRST + 1})
    lab = made.lab.model_copy(update={"finance": made.lab.finance.model_copy(update={"rounds": (late,)})})
    answer = found(Made(lab, made.rates, made.tree, solve_plan(toy.collect(lab, made.rates, made.tree))))
    (ipo,) = answer.rounds
    assert ipo.latest_safe is None
    assert "no safe date: P(ruin) is above 2.0 % from 2027-Q2 on already" in explored_text(answer)


def test_without_a_limit_the_plan_as_given_is_the_measure():
    answer = found(burning(policy=Policy()))
    (ipo,) = answer.rounds
    assert ipo.latest_safe == "2027-Q3"
    assert [late.more_ruin for late in ipo.plans] == [0, 0, 0, 1, 1]
    assert "(not clearly above the plan as given)" in explored_text(answer)


def test_later_rounds_start_from_the_plan_before():
    made = burning()
    assert len(list(late_rounds(made.lab))) == 5
    plans = found(made).rounds[0].plans
    assert plans[0].point.start == "same program", "the first beginning is the plan as given"
    assert {late.point.start for late in plans} <= {"same program", "same matrix"}


def test_a_second_round_can_stand_in_for_the_first():
    bridge = Round(id="bridge", first=toy.FIRST + 2, last=toy.FIRST + 2, max_usd=50e6, dilution_cost=0.5)
    made = burning()
    both = made.lab.finance.model_copy(update={"rounds": (*made.lab.finance.rounds, bridge)})
    lab = made.lab.model_copy(update={"finance": both})
    answer = found(Made(lab, made.rates, made.tree, solve_plan(toy.collect(lab, made.rates, made.tree))))
    ipo, second = answer.rounds
    assert not ipo.needed
    assert ipo.plans[-1].point.value < ipo.plans[0].point.value, "the bridge is dearer"
    assert not second.needed
    rows = table_rows(answer)
    assert [row["round"] for row in rows] == ["ipo"] * 5 + ["bridge"] * 2
    assert rows[4]["raised_from"] == "never"


def test_the_table_marks_the_date():
    text = explored_text(found(burning()), width=160)
    assert "ipo: latest safe date 2027-Q3, P(ruin) 0.0 % (limit 2.0 %); from 2027-Q4 on: 100.0 %" in text
    (line,) = [line for line in text.splitlines() if "(latest safe date)" in line]
    assert "2027-Q3" in line
    assert text.count("(not safe)") == 2


def test_a_lab_without_rounds_is_told():
    made = burning()
    finance = made.lab.finance.model_copy(update={"rounds": ()})
    lab = made.lab.model_copy(update={"finance": finance})
    with pytest.raises(InputError, match=r"no round.*finance\.rounds"):
        run_raises(Made(lab, made.rates, made.tree, made.solved), Settings(paths=4), Clock(), lab_file="x")


def test_the_command_writes_page_chart_table_and_json(tmp_path: Path):
    lab = strangers.write_lab(tmp_path, strangers.short_lab())
    folder = tmp_path / "run"
    result = CliRunner().invoke(main, ["raises", str(lab), "--paths", "20", "--out", str(folder), "--json"])
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    (series,) = answer["rounds"]
    assert [late["quarter"] for late in series["plans"]] == ["2027-Q1", "2027-Q2", None]
    assert series["plans"][0]["more_ruin_ci"] == [0.0, 0.0]
    assert series["plans"][0]["point"]["value"] == answer["base"]["value"]
    held = read_run(folder)
    assert held.document["kind"] == "raises"
    assert "By when to raise" in held.page
    assert (folder / "chart.png").read_bytes().startswith(b"\x89PNG")
    rows = list(csv.DictReader(io.StringIO((folder / "table.csv").read_text(encoding="utf-8"))))
    assert [row["raised_from"] for row in rows] == ["2027-Q1", "2027-Q2", "never"]
