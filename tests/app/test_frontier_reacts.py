"""The frontier example reacts to its inputs the way its owner would expect, on a tree of eight futures."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from exaplan.app.variants import edit_offer
from exaplan.domain.lab import Lab
from exaplan.domain.uncertain import Uncertain
from exaplan.economy.sampling import sample_world
from exaplan.economy.tree import grow_tree
from exaplan.io.labfile import read_lab
from exaplan.perf.rate_table import fill_rates
from exaplan.plan.accounts import by_quarter, committed_usd, contract_value, development_share
from exaplan.plan.inputs import collect
from exaplan.plan.result import to_plan
from exaplan.plan.solve import Solved, solve_plan
from exaplan.simulate.replay import replay

EXAMPLE = Path(__file__).parents[2] / "examples" / "frontier-2026.yaml"
SITE = ("texas-gb300",)


@cache
def northlab() -> Lab:
    lab = read_lab(EXAMPLE)
    few = tuple(branch.model_copy(update={"into": 2}) for branch in lab.futures.branches[:3])
    return lab.model_copy(update={"futures": lab.futures.model_copy(update={"branches": few})})


@cache
def rates():
    return fill_rates(northlab())


def planned(lab: Lab) -> Solved:
    return solve_plan(collect(lab, rates(), grow_tree(lab)))


@cache
def base() -> Solved:
    return planned(northlab())


def serving(lab: Lab, **changes) -> Lab:
    """Change fields of every serving workload by functions of the old value."""
    edited = [
        w.model_copy(update={name: change(getattr(w, name)) for name, change in changes.items()})
        if w.kind == "serve" else w for w in lab.workloads
    ]  # fmt: skip
    return lab.model_copy(update={"workloads": tuple(edited)})


def policy(lab: Lab, **changes) -> Lab:
    return lab.model_copy(update={"policy": lab.policy.model_copy(update=changes)})


def take_or_pay(solved: Solved) -> np.ndarray:
    """Expected take-or-pay dollars signed in each quarter."""
    inputs, plan = solved.program.inputs, to_plan(solved)
    rented = inputs.deals.terms.rented
    value = contract_value(inputs)[: inputs.tree_nodes]
    return by_quarter(inputs, (plan.ordered * value)[:, rented].sum(axis=1))


def site_orders(solved: Solved) -> np.ndarray:
    inputs, plan = solved.program.inputs, to_plan(solved)
    which = [plan.offers.index(offer) for offer in SITE]
    return by_quarter(inputs, plan.ordered[:, which].sum(axis=1))


def test_half_the_growth_commits_fewer_take_or_pay_dollars():
    def halved(growth: Uncertain) -> Uncertain:
        return Uncertain(family="growth", low=growth.low / 2, high=growth.high / 2)

    slow = planned(serving(northlab(), growth=halved))
    assert take_or_pay(slow).sum() < 0.8 * take_or_pay(base()).sum()


def test_customers_who_leave_when_unserved_pull_commitments_forward_and_up():
    # in the first year; later on fewer of them are left to commit for, whom no order in time could have served
    loyal, fickle = planned(serving(northlab(), churn_when_unserved=lambda kappa: 0.0)), base()
    early = slice(0, 4)
    before, after = (committed_usd(s.program.inputs, to_plan(s)) for s in (loyal, fickle))
    assert after[early].sum() > before[early].sum()
    assert fickle.solution.objective < loyal.solution.objective


def test_a_slower_site_is_signed_earlier_or_replaced_by_rent():
    slow = northlab()
    for offer in SITE:
        slow = edit_offer(slow, offer, lambda o: {"lead_quarters": o.lead_quarters + 2})
    late = planned(slow)
    quarters = np.arange(len(site_orders(base())))
    signed, late_signed = site_orders(base()), site_orders(late)
    mean = (signed * quarters).sum() / max(signed.sum(), 1.0)
    late_mean = (late_signed * quarters).sum() / max(late_signed.sum(), 1.0)
    rents_more = take_or_pay(late).sum() > take_or_pay(base()).sum()
    assert late_mean < mean or rents_more
    assert late.solution.objective <= base().solution.objective + 1e-6


def test_a_higher_floor_develops_more_and_is_never_worth_more():
    lab = northlab()
    assert lab.policy.floor is not None
    high = planned(policy(lab, floor=lab.policy.floor.model_copy(update={"share": 0.48})))
    shares = [development_share(s.program.inputs, to_plan(s)).mean() for s in (base(), high)]
    assert shares[1] > shares[0]
    assert high.solution.objective <= base().solution.objective + 1e-6


def test_a_heavier_tail_does_not_raise_the_chance_of_ruin():
    """On the whole tree: a CVaR of the worst tenth means nothing on eight leaves. Beyond the error of the same 400 futures."""
    lab = read_lab(EXAMPLE)
    world, tree = sample_world(lab, paths=400, seed=7), grow_tree(lab)
    ruined = []
    for weight in (0.0, 0.6):
        given = policy(lab, risk=lab.policy.risk.model_copy(update={"weight": weight}))
        solved = solve_plan(collect(given, rates(), tree))
        ruined.append((replay(solved, world, seed=7).ruined_in >= 0).astype(float))
    difference = ruined[1] - ruined[0]
    assert difference.mean() <= 2 * difference.std() / np.sqrt(len(difference))


def test_the_plan_beats_renting_on_futures_it_has_not_seen():
    from exaplan.app.variants import rent_only

    lab = northlab()
    world = sample_world(lab, paths=200, seed=3)
    own, rent = (replay(planned(given), world, seed=3).value_usd for given in (lab, rent_only(lab)))
    assert (own - rent).mean() > 0


def test_the_full_tree_is_as_large_as_the_example_promises():
    tree = grow_tree(read_lab(EXAMPLE))
    lab = read_lab(EXAMPLE)
    dates = [branch.date - lab.horizon.first for branch in lab.futures.branches]
    assert len(tree.parent) >= 300
    assert len(tree.leaves) >= 24
    assert sum(date <= 8 for date in dates) >= 3
    assert any(date >= 8 for date in dates)
