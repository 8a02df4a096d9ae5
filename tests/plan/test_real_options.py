"""Go, wait and never by hand arithmetic, on the chip program of ``silicon_lab``; and against full enumeration."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
import pytest
from tests.plan import toy
from tests.plan.silicon_lab import foundry, lab, program
from tests.plan.test_silicon_rows import TWO

from exaplan.optimize.highs import solve
from exaplan.plan.formulation import build_program
from exaplan.plan.inputs import collect
from exaplan.plan.lumps import lumps_of
from exaplan.plan.real_options import real_options

NEWS = [1, 1, 0, 1, 0, 1, 0]
"""Demand stays or vanishes in the second quarter, with equal chance."""


def built(made, **branches):
    return build_program(collect(made, toy.rates(made), toy.tree(made, **branches)))


def test_waiting_is_worth_what_a_now_or_never_decision_would_lose():
    # engineering 4 M$, 600 chips a quarter from a quarter after the start, 6,000 each; 1,000 M$ of cash stand there anyway
    (option,) = real_options(built(lab(program(nre=((0, 4e6),), ramp=(600.0,))), demand=NEWS, **TWO))
    assert option.never_usd == pytest.approx(1000e6, abs=10)
    assert option.go_usd - option.never_usd == pytest.approx(0.5 * 1800 * 6000 - 4e6, abs=10)
    assert option.wait_usd - option.never_usd == pytest.approx(0.5 * (1200 * 6000 - 4e6), abs=10)
    assert option.worth_usd == pytest.approx(1.6e6, abs=10)
    assert option.waiting_usd == pytest.approx(1.6e6 - 1.4e6, abs=10)
    assert [(b.quarter, b.probability) for b in option.begins] == [("2027-Q2", pytest.approx(0.5))]


def test_the_last_date_is_the_last_quarter_that_still_pays():
    # started in quarter 0, 1 or 2 it makes 1800, 1200 or 600 chips worth 10.8, 7.2 or 3.6 M$; engineering is 4
    (option,) = real_options(built(lab(program(nre=((0, 4e6),), ramp=(600.0,)))))
    assert [d.above_never_usd for d in option.by_quarter] == pytest.approx([6.8e6, 3.2e6, 0, 0], abs=10)
    assert option.latest == "2027-Q2"


def test_a_lump_that_never_pays_has_no_last_date_and_begins_nowhere():
    (option,) = real_options(built(lab(program(nre=((0, 1e9),)))))
    assert (option.latest, option.begins, option.worth_usd) == (None, (), pytest.approx(0.0, abs=10))


def test_each_foundry_is_judged_as_if_it_were_the_only_one():
    both = program(foundries=(foundry("x"), foundry("y", usd=3000.0, slots=200.0)))
    whole, x, y = real_options(built(lab(both)))
    assert [o.lump for o in (whole, x, y)] == ["asic", "asic-x", "asic-y"]
    assert x.worth_usd == pytest.approx(1500 * 6000 - 1.5e6, abs=10)
    assert y.worth_usd == pytest.approx(600 * 7000 - 1.5e6, abs=10)
    assert whole.worth_usd == pytest.approx(x.worth_usd, abs=10)


def test_a_window_that_opens_later_knows_no_now():
    (option,) = real_options(built(lab(program(first=toy.FIRST + 1, last=toy.FIRST + 1))))
    assert option.go_usd is None
    assert option.best_usd == pytest.approx(option.wait_usd)


def test_the_best_plan_is_the_best_of_all_adapted_strategies():
    made = lab(program(nre=((0, 4e6),), ramp=(600.0,), last=toy.FIRST + 1))
    branched = built(made, demand=[1, 1.4, 0.5, 1.4, 0.5, 2, 0.2], **TWO)
    (option,) = real_options(branched)
    model, variable = branched.model, branched.model.columns["silicon_start"]
    values = []
    for root, up, down in product((0.0, 1.0), repeat=3):
        fixed = np.zeros(variable.shape)
        fixed[:3, 0] = root, up, down
        solved = solve(model.with_changes(lower={"silicon_start": fixed}, upper={"silicon_start": fixed}))
        values.append(solved.objective if solved.status == "optimal" else -np.inf)
    assert option.best_usd / 1e6 == pytest.approx(max(values), rel=1e-9)


def test_threads_give_the_same_values():
    both = program(foundries=(foundry("x"), foundry("y", usd=3000.0, slots=200.0)))
    made = built(lab(both), demand=NEWS, **TWO)
    with ThreadPoolExecutor(2) as pool:
        assert real_options(made, map=pool.map) == real_options(made)


def test_families_without_names_are_numbered_and_a_lab_without_lumps_has_none():
    assert lumps_of(built(toy.lab())) == ()
    assert real_options(built(toy.lab())) == ()
