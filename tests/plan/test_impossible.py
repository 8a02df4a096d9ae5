"""Why a policy cannot be kept: the domain's check, the least to give up, and the lines that clash."""

from __future__ import annotations

import pytest
from tests.plan import toy

from exaplan.domain.lab import Floor, Policy
from exaplan.domain.quarter import SECONDS_PER_QUARTER
from exaplan.domain.runs import Run
from exaplan.plan.formulation import build_program
from exaplan.plan.impossible import clash_of, prechecks, relaxations
from exaplan.plan.inputs import collect


def near(value: float):
    return pytest.approx(value, rel=1e-6)


def hungry_lab(chips_asked: float, *, lead: int = 2, **more):
    """A floor of ``chips_asked`` chips from the first quarter; chips arrive after two quarters, 100 are there."""
    level = chips_asked * toy.FLOP_PER_CHIP_QUARTER / SECONDS_PER_QUARTER
    floor = Floor(workloads=("pretrain",), level_flop_per_s=level)
    return toy.lab(
        quarters=4, workloads=(toy.serve(), toy.train()), policy=Policy(floor=floor),
        offers=(toy.reserved(lead=lead, most=1000, first=toy.FIRST, last=toy.FIRST),), contracts=(toy.owned(chips=100, term=4),),
        **more,
    )  # fmt: skip


def program_of(lab):
    return build_program(collect(lab, toy.rates(lab), toy.tree(lab)))


def test_a_floor_beyond_what_can_arrive_is_named_before_anything_is_solved():
    (found,) = prechecks(program_of(hungry_lab(150)).inputs)
    # 100 chips are there until the third quarter, lead time two
    assert (found.policy, found.quarter) == ("development floor", str(toy.FIRST))
    assert found.asked == near(150 * toy.FLOP_PER_CHIP_QUARTER)
    assert found.possible == near(100 * toy.FLOP_PER_CHIP_QUARTER)
    assert "policy.floor.level" in found.keys


def test_a_floor_that_can_be_kept_is_not_complained_about():
    assert prechecks(program_of(hungry_lab(90)).inputs) == ()
    assert relaxations(program_of(hungry_lab(90))) == ()


def test_the_least_to_give_up_is_what_is_missing():
    (way, *others) = relaxations(program_of(hungry_lab(150)))
    # 50 chips' work is missing in each of two quarters: 2 x 50 x 1e21 FLOP
    assert (way.policy, way.quarters, way.worst_quarter) == ("development floor", 2, str(toy.FIRST))
    assert way.missed == near(2 * 50 * 1e-3)
    assert all(other.missed is None for other in others), "no other policy helps"


def test_the_rows_that_clash_are_those_of_the_floor_and_of_the_chips():
    members = clash_of(program_of(hungry_lab(150)))
    keys = {key for member in members for key in member.keys}
    assert "policy.floor.level" in keys
    assert any(key.startswith(("contracts.fleet", "offers.reserve")) for key in keys)


def test_a_run_that_is_due_before_its_compute_can_be_there_is_named():
    run = Run(id="next", workload="pretrain", flop=500 * toy.FLOP_PER_CHIP_QUARTER, due=toy.FIRST + 1)
    found = [
        row for row in prechecks(program_of(hungry_lab(10, runs=(run,))).inputs) if row.policy == "run next"
    ]
    # 100 chips for two quarters make 200 chip-quarters
    assert found[0].possible == near(200 * toy.FLOP_PER_CHIP_QUARTER)
    assert found[0].keys[0] == "runs.next.due"


def test_shares_that_add_up_to_more_than_everything_are_named():
    policy = Policy(
        floor=Floor(workloads=("pretrain",), share=0.7), safety=Floor(workloads=("oversight",), share=0.4)
    )
    lab = toy.lab(
        workloads=(toy.serve(), toy.train(), toy.safety()), policy=policy, contracts=(toy.owned(chips=10),)
    )
    assert "floors" in [row.policy for row in prechecks(program_of(lab).inputs)]
