"""Runs, rules and loans of suppliers in the lab file: as lists, as mappings by name, and told where they are wrong."""

from __future__ import annotations

import pytest
from ruamel.yaml import YAML
from tests.io.test_demand_file import TEXT, told, written
from tests.io.test_lint_and_schema import fits

from exaplan.domain.quarter import Quarter
from exaplan.io.labfile import read_lab
from exaplan.io.schema import lab_schema

NAMED = """
runs:
  next: {workload: pretrain, flop: 1e24 FLOP, uplift: 20 %, uplift_workloads: [chat], fade: 10 %/quarter, first: 2026-Q4}
  after: {workload: pretrain, flop: 5e24 FLOP, due: 2028-Q1}
rules:
  act: {threshold: 2e24 FLOP, workload: evals, evaluation: 1e23 FLOP, delay: 1 quarter}

policy:
"""
LISTED = """
runs:
  - {id: next, workload: pretrain, flop: 1e24 FLOP, uplift: 20 %, uplift_workloads: [chat], fade: 10 %/quarter, first: 2026-Q4}
  - {id: after, workload: pretrain, flop: 5e24 FLOP, due: 2028-Q1}
rules:
  - {id: act, threshold: 2e24 FLOP, workload: evals, evaluation: 1e23 FLOP, delay: 1 quarter}

policy:
"""
TERMS = "share: 40 %, rate: 8 %/year, term: 8 quarters, limit: 30 MUSD"
DEBT = "  debt: {limit: 20 MUSD"
LENT = f"  supplier_finance: {{nvidia: {{{TERMS}}}}}\n{DEBT}"
LENT_LIST = f"  supplier_finance: [{{supplier: nvidia, {TERMS}}}]\n{DEBT}"


def both(tmp_path, runs: str, loans: str):
    return read_lab(written(tmp_path, ("\npolicy:\n", runs), (DEBT, loans)))


def test_a_mapping_by_name_says_what_a_list_with_names_says(tmp_path):
    named, listed = both(tmp_path, NAMED, LENT), both(tmp_path, LISTED, LENT_LIST)
    assert named.runs == listed.runs
    assert named.rules == listed.rules
    assert named.finance == listed.finance
    assert [(run.id, run.flop, run.fade) for run in named.runs] == [
        ("next", 1e24, 0.1),
        ("after", 5e24, 0.0),
    ]
    assert (named.runs[0].first, named.runs[1].due) == (Quarter(2026, 4), Quarter(2028, 1))
    (lender,) = named.finance.supplier_finance
    assert (lender.supplier, lender.share, lender.term_quarters) == ("nvidia", 0.4, 8)


def test_what_is_written_by_name_is_reached_by_a_dotted_path(tmp_path):
    path = written(tmp_path, ("\npolicy:\n", NAMED), (DEBT, LENT))
    lab = read_lab(path, overrides={"runs.next.uplift": "30 %", "rules.act.delay": "2 quarters"})
    assert (lab.runs[0].uplift, lab.rules[0].delay_quarters) == (0.3, 2)


def test_the_schema_takes_both_forms():
    schema, plain = lab_schema(), YAML(typ="safe", pure=True)
    for runs, loans in ((NAMED, LENT), (LISTED, LENT_LIST)):
        assert fits(plain.load(TEXT.replace("\npolicy:\n", runs).replace(DEBT, loans)), schema, schema)


@pytest.mark.parametrize("runs", [NAMED, LISTED], ids=["by name", "as a list"])
@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("flop: 1e24 FLOP", "flop: 1e24 FLOP/s", "does not measure this"),
        ("uplift: 20 %", "uplfit: 20 %", "did you mean 'uplift'?"),
        ("workload: pretrain, flop: 1e24", "workload: pretrian, flop: 1e24", "did you mean 'pretrain'?"),
        ("workload: pretrain, flop: 1e24", "workload: chat, flop: 1e24", "'chat' is of kind serve"),
        ("[chat]", "[pretrain]", "'pretrain' is of kind train"),
        ("workload: evals", "workload: pretrain", "rules.act.workload takes workloads of kind safety"),
        ("due: 2028-Q1", "due: 2028-Q4", "2028-Q4 is outside the horizon"),
        ("fade: 10 %/quarter, ", "fade: 110 %/quarter, ", "must be at most"),
    ],
)  # fmt: skip
def test_a_run_that_cannot_be_is_told_at_its_line(tmp_path, runs, old, new, reason):
    line = TEXT[: TEXT.index("\npolicy:\n")].count("\n") + runs[: runs.index(old)].count("\n") + 1
    message = told(tmp_path, ("\npolicy:\n", runs), (old, new))
    assert reason in message
    assert f"lab.yaml:{line}:" in message


@pytest.mark.parametrize("loans", [LENT, LENT_LIST], ids=["by name", "as a list"])
def test_a_lender_that_supplies_nothing_is_told(tmp_path, loans):
    line = TEXT[: TEXT.index(DEBT)].count("\n") + 1
    message = told(tmp_path, (DEBT, loans), (loans, loans.replace("nvidia", "nvidai")))
    assert "finance.supplier_finance refers to no supplier: 'nvidai'" in message
    assert "did you mean 'nvidia'?" in message
    assert f"lab.yaml:{line}:" in message
