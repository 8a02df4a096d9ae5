"""Lumps beside each other: named, judged around a plan, and searched on dates."""

from __future__ import annotations

import numpy as np
import pytest
from tests.plan import toy
from tests.plan.silicon_lab import foundry, lab, program
from tests.plan.test_silicon_rows import TWO

from exaplan.domain.sitestep import SiteStep
from exaplan.optimize.branching import Brancher
from exaplan.optimize.highs import solve
from exaplan.plan.formulation import build_program
from exaplan.plan.inputs import collect
from exaplan.plan.lumps import lumps_of
from exaplan.plan.lumpy import branching_of, search
from exaplan.plan.real_options import real_options

HALL = SiteStep(id="hall", power_w=1e6, lead_quarters=1, life_quarters=8, cost_usd=5e6)
BOTH = program(foundries=(foundry("x"), foundry("y", usd=3000.0, slots=200.0)))


def built(made, **branches):
    return build_program(collect(made, toy.rates(made), toy.tree(made, **branches)))


def with_hall(**changes):
    given = lab(BOTH, **changes)
    site = given.sites[0].model_copy(update={"steps": (HALL,)})
    return given.model_copy(update={"sites": (site, *given.sites[1:])})


def test_halls_and_chips_are_named_as_in_the_lab_file():
    assert {lump.id for lump in lumps_of(built(with_hall()))} == {"hall", "asic", "asic-x", "asic-y"}


def test_a_hall_that_nobody_needs_loses_its_cost_and_is_never_built():
    made = built(with_hall())
    plan = solve(made.model, gap=0.0)
    hall = next(o for o in real_options(made, around=plan.x) if o.lump == "hall")
    assert (hall.begins, hall.latest) == ((), None)
    assert hall.go_usd is not None
    assert hall.go_usd - hall.never_usd == pytest.approx(-5e6, rel=0.3)


def test_a_lump_judged_around_the_plan_is_worth_no_more_than_the_free_search_says_it_can_be():
    made = built(with_hall(), demand=[1, 1.4, 0.5, 1.4, 0.5, 2, 0.2], **TWO)
    plan = solve(made.model, gap=0.0)
    free = {o.lump: o for o in real_options(made)}
    for held in real_options(made, around=plan.x):
        assert held.best_usd <= free[held.lump].best_usd * (1 + 1e-6)
        assert held.never_usd <= free[held.lump].never_usd * (1 + 1e-6)
        if held.lump in ("asic", "hall"):  # the optimum itself is among the plans that keep the others
            assert held.best_usd == pytest.approx(free[held.lump].best_usd, rel=1e-6)


def test_the_search_on_dates_finds_what_the_solver_finds():
    made = built(with_hall(), demand=[1, 1.4, 0.5, 1.4, 0.5, 2, 0.2], **TWO)
    found, how = search(made, gap=0.0)
    assert found.objective == pytest.approx(solve(made.model, gap=0.0).objective, rel=1e-7)
    assert found.bound >= found.objective - 1e-9
    assert "branch and bound on dates" in how


def test_guides_are_whole_wherever_the_starts_are():
    made = built(with_hall(), demand=[1, 1.4, 0.5, 1.4, 0.5, 2, 0.2], **TWO)
    guides, weight = branching_of(made)
    found = Brancher(made.model, guides=guides, weight=weight).best(gap=0.0)
    at = found.solution.x[guides]
    assert len(guides) > 0
    assert np.abs(at - np.round(at)).max() < 1e-6
