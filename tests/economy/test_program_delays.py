"""Slips and re-spins of chip programs are sources of delay beside the suppliers', with random numbers of their own."""

from __future__ import annotations

import numpy as np
import pytest
from tests.plan import toy
from tests.plan.silicon_lab import foundry, lab, program

from exaplan.domain.lab import Branch, Futures, Slip
from exaplan.domain.silicon import Respin
from exaplan.economy.sampling import sample_world
from exaplan.economy.tree import grow_tree


def with_delays():
    late = program(
        slip=0.2,
        respin=Respin(probability=0.4, delay_quarters=2, cost_usd=1e6),
        foundries=(foundry(supplier="fab"),),
    )
    return lab(
        late,
        futures=Futures(slips=(Slip(supplier="fab", probability=0.1),)),
        workloads=(toy.serve(volatility=0.2),),
    )


def test_each_source_is_late_as_often_as_it_says():
    made = with_delays()
    world = sample_world(made, paths=20_000, seed=3)
    assert made.suppliers == ("asic", "asic re-spin", "fab")
    # one quarter late or one re-spin with probability p, two with p squared; nothing in the first quarter
    expected = [p + p**2 for p in (0.2, 0.4, 0.1)]
    assert world.slip[:, 1:].mean(axis=(0, 1)) == pytest.approx(expected, abs=0.01)
    assert not world.slip[:, 0].any()


def test_a_program_changes_no_draw_of_anything_else():
    made = with_delays()
    plain = made.model_copy(update={"silicon": (), "offers": (toy.reserved(supplier="fab"),)})
    one, other = (sample_world(each, paths=50, seed=3) for each in (made, plain))
    assert np.array_equal(one.demand_tokens, other.demand_tokens)
    assert np.array_equal(one.rental_index, other.rental_index)
    assert np.array_equal(one.slip[:, :, 2], other.slip[:, :, 0])


def test_the_tree_expects_as_many_respins_as_its_samples():
    made = with_delays()
    branches = (Branch(date=toy.FIRST + 1, into=4), Branch(date=toy.FIRST + 2, into=2))
    branched = made.model_copy(update={"futures": made.futures.model_copy(update={"branches": branches})})
    tree = grow_tree(branched)
    respins = tree.world.slip[:, branched.suppliers.index("asic re-spin")]
    expected = 3 * (0.4 + 0.16)  # three quarters after the first
    assert float(tree.probability @ respins) == pytest.approx(expected, abs=0.3)
