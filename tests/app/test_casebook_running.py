"""Verdicts with their error, and answers that are kept: what is sampled, when it is enough, and what is computed anew."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exaplan.app.casebook import expert_width, running
from exaplan.app.casebook.estimate import Estimate, Rule, estimated, raised
from exaplan.app.casebook.inquiry import Detail, Input, Inputs, Inquiry, crossing
from exaplan.app.casebook.registry import CASES
from exaplan.app.fanout import process_stream
from exaplan.domain.casebook import SYSTEMS, Asked
from exaplan.io.kept_answers import keep_answer, read_answer
from exaplan.report.casebook import metric_words, page
from exaplan.report.casebook_summary import Answered, summary_text, uncovered

EVEN = Rule(0.5, 0.1, "")


@dataclass(frozen=True)
class Coin(Inputs):
    """A coin that comes up with a chance."""

    chance: float = 0.9


def tossed(question, batch):
    return np.random.default_rng([question.seed, batch]).random(200) < question.chance


COIN = Inquiry(
    name="a-coin",
    title="A coin",
    systems=(1,),
    asked=Asked("Does it come up?", "It comes up.", "2026-01", "here"),
    question=Coin(),
    metric=("share of heads", "share"),
    rule=EVEN,
    sample=tossed,
    inputs=(Input("chance", "chance", "share", "assumed", between=(0.02, 0.98), searched=(0.0, 1.0), below="tails"),),
    detail=lambda question, found, word: Detail(f"It {word}.", (), ()),
    assumed=("Tosses are independent",),
    flip=({"chance": 0.01}, "fails"),
)  # fmt: skip


# --- a value and its error


def test_a_word_needs_the_whole_interval_on_one_side():
    assert [EVEN.word(Estimate(*ends)) for ends in ((0.6, 0.5, 0.7), (0.6, 0.49, 0.7), (0.3, 0.2, 0.4), (0.05, 0.0, 0.09))] == [
        "holds", "depends", "depends", "fails",
    ]  # fmt: skip
    assert [EVEN.clear(Estimate(*ends)) for ends in ((0.6, 0.5, 0.7), (0.6, 0.49, 0.7), (0.3, 0.2, 0.4))] == [True, False, True]  # fmt: skip


@given(st.floats(-10, 10), st.floats(0.001, 5))
def test_a_certain_value_has_the_word_of_its_place(edge, margin):
    rule = Rule(edge, edge, "")
    assert rule.at(edge + margin) == "holds"
    assert rule.at(edge - margin) == "fails"
    assert rule.clear(Estimate(edge + margin, edge + margin, edge + margin))


def test_a_ratio_of_means_has_the_error_of_its_linear_part():
    above = np.array([1.0, 2.0, 3.0, 6.0])
    below = np.array([2.0, 2.0, 4.0, 4.0])
    found = estimated([np.stack([above, below])])
    assert found.value == 1.0
    # residuals above - below are -1, 0, -1, 2: pairs of neighbors -0.5 and 0.5, over a mean of 3
    half = 1.959964 * math.sqrt(2 * 0.25) / math.sqrt(2) / 3
    assert (found.low, found.high) == pytest.approx((1 - half, 1 + half), rel=1e-5)


def test_what_nothing_sampled_is_exact():
    assert estimated([0.25]) == Estimate(0.25, 0.25, 0.25, 0)


def test_paths_double_until_the_margin_exceeds_the_error_or_the_limit_is_reached():
    asked = []

    def near(batch):
        asked.append(batch)
        return np.arange(100) < 42  # 42 of 100 may be even odds, 84 of 200 are not

    found = raised(near, EVEN, most=1600)
    assert asked == [0, 1]
    assert found.paths == 200
    assert EVEN.clear(found)
    assert raised(lambda _: np.arange(100) % 2 == 0, EVEN, most=1600).paths == 1600


def test_the_same_seed_gives_the_same_estimate():
    assert COIN.estimate(Coin()) == COIN.estimate(Coin())
    assert COIN.estimate(Coin()) != COIN.estimate(Coin(seed=1))


# --- a case as data


def test_one_table_of_inputs_gives_draws_sensitivity_and_flip():
    record = COIN.answer()
    assert record.judgment.word == "holds"
    assert record.judgment.draws == 40
    assert 0.3 < record.judgment.chance("holds") < 0.7
    assert record.sways[0].words == ("fails", "holds")
    assert record.thresholds[0].value == pytest.approx(0.5, abs=0.1)
    assert record.metric.error == pytest.approx((0.9, 0.9), abs=0.1)


def test_draws_of_a_share_stay_shares_and_keep_their_interval():
    drawn = [each.chance for each in COIN.drawn(Coin(draws=400))]
    assert 0 < min(drawn) < max(drawn) < 1
    assert np.percentile(drawn, [5, 95]) == pytest.approx([0.02, 0.98], abs=0.01)


def test_a_function_of_one_sign_has_no_crossing():
    assert crossing(lambda x: x + 1, 0.0, 5.0) is None
    assert crossing(lambda x: 3.0 - x, 0.0, 5.0) == pytest.approx(3.0)


# --- answers that are kept


def test_an_answer_is_read_back_as_it_was_written(tmp_path):
    record = expert_width.answer(expert_width.Question(draws=20))
    odd = replace(record, sways=(replace(record.sways[0], values=(math.inf, -math.inf)),))
    keep_answer(tmp_path, record.name, "k", (odd, 1.5))
    found, seconds = read_answer(tmp_path, record.name, "k")
    assert (found, seconds) == (odd, 1.5)
    assert page(found, ("a.png",)) == page(odd, ("a.png",))
    assert read_answer(tmp_path, record.name, "other") is None


def test_a_file_cut_short_is_no_answer(tmp_path):
    (tmp_path / "a-case-k.json").write_text('1.0\n{"name"', encoding="utf-8")
    assert read_answer(tmp_path, "a-case", "k") is None


def test_a_kept_answer_is_not_computed_again(tmp_path, monkeypatch):
    case = next(case for case in CASES if case.name == expert_width.NAME)
    (first,) = running.answer_cases([case], folder=tmp_path)
    monkeypatch.setattr(running, "answer_named", lambda *_args, **_named: pytest.fail("computed again"))
    (again,) = running.answer_cases([case], folder=tmp_path)
    assert (first[1].kept, again[1].kept) == (False, True)
    assert again[1].record == first[1].record


def test_the_key_of_a_case_follows_its_own_file_and_no_other_case(monkeypatch):
    one, other = CASES[0], CASES[1]
    files = running._case_files()
    mine = [path for path in files if path.stem.startswith(one.module.rpartition(".")[2])]
    assert mine
    before = running.key_of(one), running.key_of(other)
    monkeypatch.setattr(running, "_case_files", lambda: tuple(path for path in files if path not in mine))
    assert running.key_of(one) != before[0]
    assert running.key_of(other) == before[1]


def test_processes_give_what_one_process_gives():
    assert sorted(process_stream(math.factorial, range(5))) == [(n, math.factorial(n)) for n in range(5)]


# --- what is printed


def test_the_summary_has_a_line_per_case_with_verdict_and_flip():
    text = summary_text([Answered(COIN.answer(), 3.0), Answered(COIN.answer(), 4.0, kept=True)])
    lines = text.splitlines()
    assert lines[0].split() == ["case", "verdict", "P(verdict)", "metric", "flips", "at", "seconds"]
    assert "a-coin" in lines[1]
    assert "holds" in lines[1]
    assert "chance = " in lines[1]
    assert lines[2].endswith("4 kept")


def test_a_sampled_metric_says_its_error_and_its_spread():
    words = metric_words(COIN.answer().metric)
    assert "at 95 % on 200 futures" in words
    assert "over draws of the inputs" in words


def test_systems_without_a_case_are_named():
    assert uncovered([tuple(range(1, 22))]) == ("22 reality: quotas, bills, actuals",)
    assert len(SYSTEMS) == 22
