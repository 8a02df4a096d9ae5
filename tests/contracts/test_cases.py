"""What every case of the casebook owes its reader: a dated question, known systems, and a verdict that its inputs decide."""

from __future__ import annotations

import re
from dataclasses import fields, replace

import pytest

from exaplan.app.casebook.registry import CASES
from exaplan.domain.casebook import SYSTEMS, WORDS


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_named_input_flips_the_verdict(case):
    flip = case.flip
    assert set(flip.changed) <= {field.name for field in fields(flip.question)}
    _, word = case.measure(flip.question)
    _, other = case.measure(replace(flip.question, **flip.changed))
    assert other == flip.becomes
    assert word != other


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_asks_a_question_and_names_its_systems(case):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", case.name)
    assert case.question.endswith("?")
    assert case.flip.becomes in WORDS
    assert case.systems
    assert all(1 <= number <= len(SYSTEMS) for number in case.systems)


def test_names_are_distinct():
    assert len({case.name for case in CASES}) == len(CASES)


def test_every_system_of_the_promise_has_a_case():
    answered = {number for case in CASES for number in case.systems}
    missing = [name for number, name in enumerate(SYSTEMS, 1) if number not in answered]
    assert not missing


def test_the_casebook_has_at_least_28_cases():
    assert len(CASES) >= 28
