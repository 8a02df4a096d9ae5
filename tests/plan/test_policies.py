"""Policies are kept, not sold; one that cannot be kept gives by the least amount, the development floor last."""

from __future__ import annotations

import pytest
from tests.plan import toy
from tests.plan.toy import planned

from exaplan.domain.errors import NoAnswerError
from exaplan.domain.lab import Floor, Policy, Risk
from exaplan.plan.formulation import LINKS, build_program
from exaplan.plan.inputs import collect
from exaplan.plan.result import to_plan
from exaplan.plan.solve import solve_program

UNIT = 1e3 * toy.FLOP_PER_CHIP_QUARTER / 1e24
"""Capacity of a thousand chips in the unit in which shortfalls are told, 1e24 FLOP a quarter."""


def level(chips: float) -> float:
    return chips * toy.FLOP_PER_CHIP_QUARTER / toy.SECONDS_PER_QUARTER


def needy(**policy):
    workloads = (toy.serve(), toy.train(), toy.safety())
    fleet = (toy.owned(chips=1000, term=1),)
    return toy.lab(quarters=1, workloads=workloads, contracts=fleet, policy=Policy(**policy))


def test_a_floor_beyond_all_chips_is_missed_by_what_is_missing():
    plan = planned(needy(floor=Floor(workloads=("pretrain",), level_flop_per_s=level(1500))))
    # 1000 chips of the 1500 asked for: every one on development, 500 short
    assert plan.status == "optimal"
    assert plan.relaxed == {"development floor": pytest.approx(0.5 * UNIT)}
    assert plan.at_work[0].sum() == pytest.approx(1000)
    assert plan.output[0, 0, 0] == pytest.approx(0, abs=1e-3 * toy.TOKENS_PER_CHIP_QUARTER)


def test_a_floor_that_can_be_met_is_met_at_any_price():
    lab = toy.lab(
        quarters=1, workloads=(toy.serve(), toy.train()), offers=(toy.on_demand(usd_per_quarter=1e6),),
        policy=Policy(floor=Floor(workloads=("pretrain",), level_flop_per_s=level(10))),
    )  # fmt: skip
    plan = planned(lab)
    assert plan.relaxed == {}
    assert plan.rented[0, 0, 0] == pytest.approx(10)


def test_the_development_floor_is_given_up_last():
    plan = planned(
        needy(
            floor=Floor(workloads=("pretrain",), level_flop_per_s=level(800)),
            safety=Floor(workloads=("oversight",), level_flop_per_s=level(300)),
        )
    )
    # 800 + 300 of 1000: development keeps its 800, safety gets 200 of 300
    assert plan.relaxed == {"safety floor": pytest.approx(0.1 * UNIT)}


def test_oversight_gives_way_to_both_floors():
    plan = planned(needy(floor=Floor(workloads=("pretrain",), level_flop_per_s=level(950)), oversight=0.1))
    # 950 chips of development ask for 95 of oversight; 50 are left
    assert plan.relaxed == {"oversight": pytest.approx(0.045 * UNIT)}


def test_only_the_future_that_cannot_keep_a_floor_misses_it():
    floor = Floor(workloads=("pretrain",), level_flop_per_s=level(100))
    lab = toy.lab(
        quarters=2, workloads=(toy.serve(), toy.train()), policy=Policy(floor=floor),
        contracts=(toy.owned(chips=100, due=(0,), term=1), toy.owned("next", chips=100, due=(1,), term=2, supplier="late")),
    )  # fmt: skip
    plan = planned(lab, parent=[-1, 0, 0], probability=[1, 0.75, 0.25], slip=[0, 0, 1])
    # in the one future of four in which the chips are late all 100 are missing: 25 expected
    assert plan.relaxed == {"development floor": pytest.approx(0.025 * UNIT)}
    assert plan.short[:3, 0, 0] == pytest.approx([0, 0, 100 * toy.FLOP_PER_CHIP_QUARTER], rel=1e-5)


def test_a_limit_on_the_tail_that_cannot_be_kept_is_missed_by_the_least():
    contract = toy.contract(chips=1000, term=1, usd_per_quarter=4000)
    policy = Policy(risk=Risk(level=0.5, limit_usd=-1006.5e6))
    lab = toy.lab(quarters=1, contracts=(contract,), policy=policy)
    plan = planned(lab)
    # 1000 + 6 M is the best there is: half a million less than asked for
    assert plan.relaxed == {"CVaR limit": pytest.approx(0.5, rel=1e-5)}


def test_relaxing_one_policy_still_finds_the_best_plan_under_the_others():
    lab = toy.lab(
        quarters=1, workloads=(toy.serve(), toy.train()), offers=(toy.on_demand(chip="b"),), chips={"a": toy.chip("a"), "b": toy.chip("b")},
        contracts=(toy.owned(chips=100, term=1),),
        policy=Policy(floor=Floor(workloads=("pretrain",), level_flop_per_s=level(200))),
    )  # fmt: skip
    plan = planned(lab, cannot=(("b", "pretrain"),))
    # the floor takes the 100 chips that can develop; serving rents its 1000 as if there were no floor
    assert plan.relaxed == {"development floor": pytest.approx(0.1 * UNIT)}
    assert plan.value_usd - 1e9 == pytest.approx(4e6, rel=1e-5)


def test_a_plan_that_no_relaxation_saves_names_the_rows_that_clash():
    def impossible(builder, columns, inputs):
        row = builder.rows("impossible", (1,), lower=1.0)
        builder.add(row, 0, columns.output.index[0, 0, 0], -1.0)

    lab = toy.lab(quarters=1)
    inputs = collect(lab, toy.rates(lab), toy.tree(lab))
    program = build_program(inputs, links=(*LINKS, impossible))
    with pytest.raises(NoAnswerError, match=r"(?s)no plan exists even with every policy relaxed.*impossible"):
        solve_program(program)


def test_the_proof_of_a_relaxed_plan_is_as_good_as_any():
    solved = toy.solved(needy(floor=Floor(workloads=("pretrain",), level_flop_per_s=level(1500))))
    assert max(solved.proof) < 1e-7
    assert to_plan(solved).gap < 1e-9
