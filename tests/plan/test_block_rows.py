"""Work that keeps its chips, work that comes and goes, and chips held ready: by hand."""

from __future__ import annotations

import pytest
from tests.plan import toy
from tests.plan.labs import contracts_lab, developer_lab
from tests.plan.subject_golden import same_as_golden
from tests.plan.test_load_blocks import PEAKY
from tests.simulate.test_replay import other_futures, own_futures

from exaplan.domain.lab import Floor, Policy
from exaplan.plan.block_result import block_use_of
from exaplan.plan.block_rows import reserve, steady
from exaplan.plan.inputs import collect
from exaplan.plan.result import to_plan
from exaplan.plan.solve import solve_plan
from exaplan.plan.stage_rows import power, technology, use
from exaplan.simulate.replay import replay


def near(value):
    return pytest.approx(value, rel=1e-6)


def developing(**training):
    """1500 chips, 30 % of them for development in every block; what serving leaves develops too."""
    return toy.lab(
        quarters=2, load=PEAKY, workloads=(toy.serve(sensitivity=0.5), toy.train(**training)),
        policy=Policy(floor=Floor(workloads=("pretrain",), share=0.3)), contracts=(toy.owned(chips=1500, term=2),),
        capability=toy.capability(parity_flop_per_quarter=2e24),
    )  # fmt: skip


def trained(lab) -> tuple[list[float], float]:
    """Chips at work on development in the blocks of the first quarter, and what they do, in chip-quarters."""
    plan = toy.planned(lab)
    (arc,) = (
        number for number, (_, workload) in enumerate(plan.arcs) if plan.workloads[workload] == "pretrain"
    )
    return plan.at_work[0, arc], plan.output[0, 1].sum() / toy.FLOP_PER_CHIP_QUARTER


def test_a_run_that_cannot_be_stopped_keeps_its_chips():
    chips, done = trained(developing(preemptible=False))
    # serving takes 1050, 1050 and 600 of 1500: 450 are left in the peak, so 450 always
    assert chips == near([450, 450, 450])
    assert done == near(450)


def test_work_that_may_stop_takes_what_the_trough_leaves():
    chips, done = trained(developing(preemptible=True))
    assert chips == near([450, 450, 900])
    assert done == near(0.2 * 450 + 0.3 * 450 + 0.5 * 900)


def test_stops_and_restarts_cost_their_share_of_what_comes_and_goes():
    chips, done = trained(developing(preemptible=True, restart_loss=0.2))
    assert chips == near([450, 450, 900])
    # 450 run through; the 450 more in half of the hours do 80 % of their work
    assert done == near(450 + 0.5 * 450 * 0.8)


def test_without_blocks_nothing_comes_and_goes():
    lab = developing(preemptible=True, restart_loss=0.9).model_copy(update={"load": None})
    _, done = trained(lab)
    assert done == near(500)


def serving(*, chips: float, **more):
    given = {
        "quarters": 1,
        "workloads": (toy.serve(reserve=0.2),),
        "contracts": (toy.owned(chips=chips, term=1),),
    }
    return toy.lab(**{**given, **more})


def served(lab, **rates) -> float:
    """Chips' worth of serving, all workloads together."""
    plan = toy.planned(lab, **rates)
    return float(plan.output[0, : len(lab.serve)].sum() / toy.TOKENS_PER_CHIP_QUARTER)


def test_chips_held_ready_stand_idle():
    # x + 0.2 x = 1140
    assert served(serving(chips=1140)) == near(950)
    assert served(serving(chips=1200)) == near(1000)


@pytest.mark.parametrize(("preemptible", "chips"), [(True, 880), (False, 880 / 1.2), (None, 880 / 1.2)])
def test_only_preemptible_development_may_fill_the_reserve(preemptible, chips):
    workloads = (toy.serve(reserve=0.2), toy.train(preemptible=preemptible))
    policy = Policy(floor=Floor(workloads=("pretrain",), share=0.2))
    # 220 of 1100 develop: they cover the 176 held ready for 880, or nothing and 880 = x + 0.2 x
    assert served(serving(chips=1100, workloads=workloads, policy=policy)) == near(chips)


def test_ready_chips_count_by_their_serving_rate():
    chips = {"a": toy.chip("a"), "b": toy.chip("b")}
    fleet = (toy.owned(chips=900, term=1), toy.owned("fast", chip="b", chips=50, term=1))
    # 50 chips of twice the rate: all idle they hold ready for 500; x = 900 + 2 (50 - i), 0.2 x = 2 i: x = 1000 / 1.2
    lab = toy.lab(quarters=1, chips=chips, workloads=(toy.serve(reserve=0.2),), contracts=fleet)
    assert served(lab, speed={"b": 2.0}) == near(1000 / 1.2)


def test_one_chip_is_not_held_ready_for_two():
    workloads = (toy.serve(reserve=0.2, demand_chips=500), toy.serve("api", reserve=0.1, demand_chips=500))
    # api pays the same and needs less in reserve: 550 for 500 of it, the other 490 hold 490 / 1.2
    assert served(serving(chips=1040, workloads=workloads)) == near(500 + 490 / 1.2)


def test_ready_chips_must_have_power():
    lab = toy.lab(
        quarters=1, workloads=(toy.serve(reserve=0.25),), sites=(toy.site(power_w=1e6),),
        contracts=(toy.owned(chips=2000, term=1, pool="here", site="here"),),
    )  # fmt: skip
    # 1 kW a chip: x + 0.25 x = 1000
    assert served(lab) == near(800)


def test_the_reserve_stands_in_every_block():
    lab = serving(chips=1500, load=PEAKY)
    # 1250 of the 1500 wanted in the peak, 1250 of 1333 in the shoulder, 600 in the trough
    assert served(lab) == near(0.2 * 1250 + 0.3 * 1250 + 0.5 * 600)


def swinging(lab):
    """The same lab in blocks: the first training workload steady, the second coming and going, serving with a reserve."""
    edits = {
        "pretrain": {"preemptible": False},
        "rl": {"preemptible": True, "restart_loss": 0.1},
        "chat": {"reserve": 0.1},
    }
    workloads = tuple(w.model_copy(update=edits.get(w.id, {})) for w in lab.workloads)
    return lab.model_copy(update={"load": PEAKY, "workloads": workloads})


@pytest.mark.parametrize("make", [contracts_lab, developer_lab], ids=lambda make: make.__name__)
def test_on_the_trees_own_futures_such_a_plan_is_worth_what_it_said(make):
    lab, rates, tree = make()
    solved = solve_plan(collect(swinging(lab), rates, tree))
    outcome = replay(solved, own_futures(tree), seed=1, absorbing=False)
    assert tree.probability[tree.leaves] @ outcome.value_usd == pytest.approx(
        to_plan(solved).value_usd, rel=1e-6
    )
    off = replay(solved, other_futures(tree), seed=1, absorbing=False)
    assert off.served_tokens.sum() > 0


def test_the_rows_of_blocks_read_as_they_did():
    lab = toy.lab(
        quarters=1, load=PEAKY, sites=(toy.site(power_w=5e5),),
        workloads=(toy.serve(reserve=0.1), toy.train(preemptible=False), toy.train("rl", preemptible=True, restart_loss=0.25)),
        contracts=(toy.owned(chips=500, term=1, pool="here", site="here"),),
    )  # fmt: skip
    inputs = collect(lab, toy.rates(lab), toy.tree(lab))
    same_as_golden("load_blocks", inputs, stage_rows=(use, technology, power, steady, reserve))


def test_what_never_stops_has_no_restart_loss():
    with pytest.raises(ValueError, match="restart_loss needs preemptible: true"):
        toy.train(preemptible=False, restart_loss=0.1)


def test_a_plan_tells_what_it_does_in_each_block():
    lab = serving(chips=1500, load=PEAKY)
    assert block_use_of(toy.solved(lab.model_copy(update={"load": None, "workloads": (toy.serve(),)}))) == ()
    told = block_use_of(toy.solved(lab))
    assert [row.block for row in told] == ["peak", "shoulder", "trough"]
    assert [row.serving_chips for row in told] == near([1250, 1250, 600])
    assert [row.ready_chips >= 0.2 * row.serving_chips - 1e-6 for row in told] == [True] * 3
    assert told[0].unserved_tokens == near(0.2 * (1500 - 1250) * toy.TOKENS_PER_CHIP_QUARTER)


def worth(lab, rates, tree) -> float:
    return to_plan(solve_plan(collect(lab, rates, tree))).objective_usd


def test_every_string_attached_costs_something_and_never_pays():
    lab, rates, tree = developer_lab()
    lab = lab.model_copy(update={"load": PEAKY})

    def with_(**edits):
        workloads = tuple(
            w.model_copy(update=edits)
            if w.kind != "serve"
            else w.model_copy(update={"reserve": edits.get("reserve", 0.0)})
            for w in lab.workloads
        )
        return worth(lab.model_copy(update={"workloads": workloads}), rates, tree)

    free, lossy = with_(preemptible=True), with_(preemptible=True, restart_loss=0.3)
    steady_, ready = with_(preemptible=False), with_(preemptible=True, reserve=0.2)
    slack = 1e-7 * abs(free)
    assert free == pytest.approx(worth(lab, rates, tree), rel=1e-9)
    assert steady_ <= lossy + slack
    assert lossy <= free + slack
    assert ready <= free + slack
    assert steady_ < free - 1e3
