"""A path follows its own news, not its node's: renewals, windows of capital, rates, recipes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.app.test_futures_cli import text_with
from tests.plan import silicon_lab, toy
from tests.plan.test_futures_rows import with_news
from tests.simulate.test_replay import own_futures

from exaplan.domain.deals import Renewal
from exaplan.domain.futures_input import Pinned
from exaplan.domain.lab import Ends, FixedCost, Futures, Round
from exaplan.domain.silicon import Respin
from exaplan.domain.uncertain import Uncertain
from exaplan.economy.sampling import sample_world
from exaplan.economy.tree import grow_tree
from exaplan.io.labfile import read_lab
from exaplan.perf.rate_table import fill_rates
from exaplan.plan.inputs import collect
from exaplan.plan.result import to_plan
from exaplan.plan.solve import solve_plan
from exaplan.simulate.baselines import rent_only
from exaplan.simulate.replay import replay

CHAIN = {"parent": [-1, 0, 1], "probability": [1, 1, 1]}


def renewing(*, refused=0.2, jump=1.0, clause=None):
    """100 chips for a quarter at 4000, then kept for two more; a fifth of what ends is refused on average."""
    again = clause or Renewal(
        term_quarters=2, price_usd_per_chip_h=toy.hourly(5000), payment_usd_per_chip=100
    )
    offer = toy.reserved(lead=0, term=1, most=100, renewal=again, last=toy.FIRST)
    lab = toy.lab(quarters=3, offers=(offer,), ends=Ends(fade=0.0, quarters=1))
    news = {"jump": [[1], [jump], [1]], "refused": [[0], [refused], [0]]}
    return solve_plan(with_news(lab, branches=CHAIN, **news))


def test_on_the_tree_renewals_with_news_are_worth_what_the_plan_said():
    plan_solved = renewing()
    outcome = replay(plan_solved, own_futures(plan_solved.program.inputs.tree), seed=1, absorbing=False)
    assert outcome.value_usd[0] == pytest.approx(to_plan(plan_solved).value_usd)
    assert outcome.at_work[0] == pytest.approx([100, 80, 80])


def test_a_path_keeps_all_where_its_supplier_grants_and_nothing_where_it_refuses():
    plan_solved = renewing()
    own = own_futures(plan_solved.program.inputs.tree)
    two = type(own)(**{name: np.repeat(values, 2, axis=0) for name, values in vars(own).items()})
    two.refused[:, 1, 0] = 0.0, 1.0
    outcome = replay(plan_solved, two, seed=1, absorbing=False)
    assert outcome.at_work == pytest.approx(np.array([[100, 100, 100], [100, 0, 0]]))
    # 100 chips earn 6000 once; kept, they earn 5000 for two quarters and cost 100 on renewal
    start = plan_solved.program.inputs.lab.finance.cash_usd
    assert outcome.value_usd - start == pytest.approx([600e3 + 100 * (2 * 5000 - 100), 600e3], abs=1)


def test_a_path_pays_its_own_price_of_renewal():
    plan_solved = renewing(refused=0.0)
    own = own_futures(plan_solved.program.inputs.tree)
    two = type(own)(**{name: np.repeat(values, 2, axis=0) for name, values in vars(own).items()})
    two.jump[:, 1, 0] = 1.0, 1.5
    value = replay(plan_solved, two, seed=1, absorbing=False).value_usd
    assert value[0] - value[1] == pytest.approx(100 * 2 * 2500)


def test_what_a_path_has_renewed_beyond_the_horizon_earns_and_owes_its_own_annuities():
    clause = Renewal(term_quarters=4, price_usd_per_chip_h=toy.hourly(5000))
    plan_solved = renewing(clause=clause, refused=0.5)
    own = own_futures(plan_solved.program.inputs.tree)
    two = type(own)(**{name: np.repeat(values, 2, axis=0) for name, values in vars(own).items()})
    two.refused[:, 1, 0] = 0.0, 1.0
    value = replay(plan_solved, two, seed=1, absorbing=False).value_usd
    # kept in quarters 1 to 4: one quarter of the tail earns 10 000, two are owed at 5000
    assert value[0] - value[1] == pytest.approx(100 * (2 * 5000 + 10_000 - 2 * 5000), rel=1e-5)


def test_a_closed_window_ruins_the_path_that_counted_on_it():
    staff = FixedCost(id="staff", amount_usd_per_quarter=(0.0, 4e6))
    chance = Round(id="C", first=toy.FIRST, last=toy.FIRST + 1, max_usd=5e6)
    lab = toy.lab(quarters=2, finance=toy.finance(cash_usd=1e6, fixed_costs=(staff,), rounds=(chance,)))
    plan_solved = solve_plan(
        with_news(lab, branches={"parent": [-1, 0], "probability": [1, 1]}, open_round=[[0.0], [0.8]])
    )
    own = own_futures(plan_solved.program.inputs.tree)
    two = type(own)(**{name: np.repeat(values, 2, axis=0) for name, values in vars(own).items()})
    two.open_round[:, 1, 0] = 1.0, 0.0
    outcome = replay(plan_solved, two, seed=1)
    assert outcome.ruined_in.tolist() == [-1, 1]


def own_silicon(*, late=0, respun=0, respin=True):
    """Two paths of a program that is released in quarter 1: one as planned, one with its own slip or re-spin."""
    agreed = Respin(probability=0.5, delay_quarters=1, cost_usd=2e5)
    made = silicon_lab.lab(
        silicon_lab.program(slip=0.5, respin=agreed if respin else None),
        quarters=3,
        ends=Ends(fade=0.0, quarters=1),
    )
    plan_solved = toy.solved(made)
    own = own_futures(plan_solved.program.inputs.tree)
    two = type(own)(**{name: np.repeat(values, 2, axis=0) for name, values in vars(own).items()})
    two.slip[1, 1, made.suppliers.index("asic")] = late
    if respin:
        two.slip[1, 1, made.suppliers.index("asic re-spin")] = respun
    return replay(plan_solved, two, seed=1, absorbing=False)


def test_a_program_that_slips_on_its_path_delivers_later_there():
    outcome = own_silicon(late=1)
    # 300 chips in quarter 1 and 600 in quarter 2; a quarter later: none and 300, less a little for want of cash
    assert outcome.at_work == pytest.approx(np.array([[0, 300, 600], [0, 0, 300]]), rel=3e-3)
    assert outcome.value_usd[0] - outcome.value_usd[1] == pytest.approx(600 * 6000, rel=3e-3)
    never = own_silicon(late=2)
    assert never.at_work[1] == pytest.approx([0, 0, 0])


def test_a_respin_costs_its_masks_on_the_path_that_has_it():
    outcome = own_silicon(respun=1)
    assert outcome.at_work[1] == pytest.approx([0, 0, 300], rel=3e-3)
    assert outcome.value_usd[0] - outcome.value_usd[1] == pytest.approx(600 * 6000 + 2e5, rel=3e-3)


def test_a_slower_chip_serves_less_on_its_own_path():
    lab = toy.lab(quarters=2, contracts=(toy.owned(chips=100),), futures=Futures(rates="sampled"))
    rates = toy.rates(lab)
    rates = replace(rates, log_sd=np.full(rates.log_sd.shape, 0.5))
    plan_solved = solve_plan(with_news(lab, branches={"parent": [-1, 0], "probability": [1, 1]}, rates=rates))
    own = own_futures(plan_solved.program.inputs.tree)
    z = np.array([-1.0])
    outcome = replay(plan_solved, replace(own, rate_error=np.tile(z, (1, 2, 1))), seed=1)
    served = outcome.served_tokens[0, :, 0]
    assert served[1] / served[0] == pytest.approx(np.exp(-0.5 - 0.125))


def test_paths_of_a_named_future_can_be_told_apart_in_the_outcome():
    growing = toy.serve(growth=Uncertain(family="growth", low=-0.5, high=1.0))
    bear = Pinned(id="bear", probability=0.25, demand=0.05)
    lab = toy.lab(
        quarters=3, workloads=(growing,), offers=(toy.on_demand(),), futures=Futures(pinned=(bear,))
    )
    plan_solved = toy.solved(lab)
    world = sample_world(lab, paths=200, seed=1)
    outcome = replay(plan_solved, world, seed=1)
    assert np.array_equal(outcome.future, world.future)
    assert (outcome.future == 0).sum() == 50
    assert outcome.value_usd[outcome.future == 0].mean() < outcome.value_usd[outcome.future < 0].mean()


def test_with_every_process_on_the_trees_own_futures_are_worth_what_the_plan_said(tmp_path):
    text = text_with().replace("algorithmic_progress: 100 %/year", "algorithmic_progress: 70 % to 200 %/year")
    (tmp_path / "lab.yaml").write_text(text, encoding="utf-8")
    lab = read_lab(tmp_path / "lab.yaml")
    tree = grow_tree(lab)
    plan_solved = solve_plan(collect(lab, fill_rates(lab), tree))
    outcome = replay(plan_solved, own_futures(tree), seed=1, absorbing=False)
    plan = to_plan(plan_solved)
    assert outcome.value_usd == pytest.approx(plan.leaf_value_usd, rel=1e-9)
    assert tree.probability[tree.leaves] @ outcome.value_usd == pytest.approx(plan.value_usd, rel=1e-9)
    seen = replay(plan_solved, sample_world(lab, paths=200, seed=1), seed=1)
    bear, bull = (seen.value_usd[seen.future == number].mean() for number in (0, 1))
    assert bear < bull


def test_who_has_signed_nothing_has_nothing_to_renew():
    plan_solved = renewing(refused=0.0)
    own = own_futures(plan_solved.program.inputs.tree)
    outcome = replay(plan_solved, own, seed=1, absorbing=False, orders=rent_only)
    assert outcome.at_work[0] == pytest.approx([0, 0, 0])
    assert outcome.value_usd[0] == pytest.approx(plan_solved.program.inputs.lab.finance.cash_usd)


@pytest.mark.parametrize("told", [True, False], ids=["with news of renewals", "without"])
def test_a_supplier_that_fails_on_a_path_renews_nothing_there(told):
    again = Renewal(term_quarters=2, price_usd_per_chip_h=toy.hourly(5000))
    offer = toy.reserved(lead=0, term=1, most=100, renewal=again, last=toy.FIRST)
    lab = toy.lab(quarters=3, offers=(offer,), ends=Ends(fade=0.0, quarters=1))
    nothing = [[0], [0], [0]]
    news = {"jump": [[1], [1], [1]], "refused": nothing} if told else {}
    plan_solved = solve_plan(with_news(lab, branches=CHAIN, gone=nothing, **news))
    own = own_futures(plan_solved.program.inputs.tree)
    two = type(own)(**{name: np.repeat(values, 2, axis=0) for name, values in vars(own).items()})
    failing = replace(two, gone=np.array([[[0], [0], [0]], [[0], [1], [1]]]))
    outcome = replay(plan_solved, failing, seed=1, absorbing=False)
    assert outcome.at_work == pytest.approx(np.array([[100, 100, 100], [100, 0, 0]]))
    start = lab.finance.cash_usd
    assert outcome.value_usd - start == pytest.approx([600e3 + 100 * 2 * 5000, 600e3], abs=1)


def test_chips_that_came_late_are_renewed_when_they_end():
    again = Renewal(term_quarters=1, price_usd_per_chip_h=toy.hourly(5000))
    offer = toy.reserved(lead=1, term=1, most=100, renewal=again, last=toy.FIRST)
    lab = toy.lab(quarters=4, offers=(offer,), ends=Ends(fade=0.0, quarters=1))
    plan_solved = toy.solved(lab)
    own = own_futures(plan_solved.program.inputs.tree)
    two = type(own)(**{name: np.repeat(values, 2, axis=0) for name, values in vars(own).items()})
    two.slip[1, 1, 0] = 1
    outcome = replay(plan_solved, two, seed=1, absorbing=False)
    assert outcome.at_work == pytest.approx(np.array([[0, 100, 100, 0], [0, 0, 100, 100]]))
