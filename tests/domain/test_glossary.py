"""The words of the field."""

from __future__ import annotations

import pytest

from exaplan.domain.errors import InputError
from exaplan.domain.glossary import GLOSSARY, UNITS, define
from exaplan.domain.quarter import HOURS_PER_QUARTER


def test_the_glossary_is_sorted_and_names_each_thing_once():
    assert list(GLOSSARY) == sorted(GLOSSARY)
    assert list(UNITS) == sorted(UNITS)
    names = [term.name.casefold() for term in GLOSSARY.values()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "word", ["MFU", "TPOT", "goodput", "take-or-pay", "CVaR", "lead time", "shadow price", " Cvar "]
)
def test_a_planner_finds_his_words(word):
    assert define(word).name.casefold() == word.strip().casefold()


def test_a_misspelt_word_gets_the_nearest_one():
    with pytest.raises(InputError, match=r"'take or pai' is not in the glossary; did you mean take-or-pay"):
        define("take or pai")


def test_the_quarter_of_the_glossary_is_the_quarter_of_the_arithmetic():
    assert HOURS_PER_QUARTER == 2190
    assert "2,190" in GLOSSARY["quarter"].definition
    assert "2,190" in UNITS["quarter"]
