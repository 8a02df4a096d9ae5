"""What must hold of every plan: more of a good thing never hurts, and a price lies between the gain and the loss."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.plan import toy

from exaplan.domain.futures import Tree
from exaplan.domain.lab import Debt, Ends, FixedCost, Floor, Lab, Policy, Risk, Round
from exaplan.optimize.highs import duals, solve
from exaplan.plan.formulation import build_program
from exaplan.plan.inputs import collect
from exaplan.plan.solve import Solved, solve_program

PARENT = [-1, 0, 0, 1, 1, 2]


few = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
"""Each example solves two or three plans, so there are few of them."""


@dataclass(frozen=True)
class Case:
    """A random small lab and the futures it faces, three quarters and three leaves."""

    lab: Lab = field(repr=False)
    futures: dict[str, list[float]]

    def tree(self, **factors) -> Tree:
        chance = [1.0, 0.6, 0.4, 0.25, 0.35, 0.4]
        return toy.tree(self.lab, parent=PARENT, probability=chance, **{**self.futures, **factors})

    def value(self, lab: Lab | None = None, tree: Tree | None = None) -> float:
        """Objective, M$."""
        return self.solved(lab, tree).solution.objective

    def solved(self, lab: Lab | None = None, tree: Tree | None = None) -> Solved:
        lab = lab or self.lab
        rates = toy.rates(lab, cannot=(("junk", "pretrain"),), speed={"junk": 0.6}, idle_w=100.0)
        solved = solve_program(build_program(collect(lab, rates, tree or self.tree())))
        assert solved.relaxed == {}
        return solved


def spread(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high).map(lambda value: round(value, 3))


@st.composite
def cases(draw) -> Case:
    per_node = {
        name: draw(st.lists(spread(0.3, 2.0), min_size=6, max_size=6))
        for name in ("demand", "price", "rental")
    }
    per_node["slip"] = draw(st.lists(st.integers(0, 2), min_size=6, max_size=6))
    workloads = (
        toy.serve(demand_chips=1000, churn_when_unserved=draw(spread(0, 1)), recovery=draw(spread(0.1, 1))),
        toy.serve("extra", demand_chips=400, usd_per_chip_quarter=draw(spread(3000, 12_000))),
        toy.train(),
    )
    offers = (
        toy.on_demand(usd_per_quarter=draw(spread(3000, 12_000)), most=draw(spread(0, 900)), market_exposure=1.0),
        toy.reserved(
            usd_per_quarter=draw(spread(2000, 8000)), lead=draw(st.integers(0, 2)), term=draw(st.integers(1, 4)),
            take_or_pay=draw(st.sampled_from([1.0, 0.5])), deposit=draw(spread(0, 0.4)), most=draw(spread(0, 900)),
        ),
        toy.purchase(usd=draw(spread(6000, 30_000)), lead=draw(st.integers(0, 1)), life=draw(st.integers(1, 5)),
                     deposit=draw(spread(0, 1)), most=draw(spread(0, 900))),
    )  # fmt: skip
    money = toy.finance(
        cash_usd=draw(spread(0, 20)) * 1e6, cash_rate=0.02, cost_of_equity=0.12, tax_rate=draw(st.sampled_from([0.0, 0.3])),
        fixed_costs=(FixedCost(id="staff", amount_usd_per_quarter=(draw(spread(0, 4)) * 1e6,)),),
        collection_lag_quarters=draw(st.integers(0, 1)), debt=Debt(limit_usd=draw(spread(0, 4)) * 1e6, rate=0.15),
        rounds=(Round(id="B", first=toy.FIRST + 1, last=toy.FIRST + 1, max_usd=3e6, dilution_cost=0.3),),
    )  # fmt: skip
    lab = toy.lab(
        quarters=3, chips={"a": toy.chip("a"), "junk": toy.chip("junk")}, workloads=workloads, offers=offers, finance=money,
        sites=(toy.site(power_w=draw(spread(0.2, 1.0)) * 1e6, electricity_usd_per_j=0.1 / 3.6e6),),
        contracts=(toy.contract(due=(0, 1), chips=draw(spread(10, 400)), exit_fee=draw(st.sampled_from([None, 0.2]))),
                   toy.owned("anchor", due=(-1,), chips=20, term=12), toy.owned("junk", chip="junk", chips=200.0, term=4)),
        policy=Policy(risk=Risk(weight=draw(st.sampled_from([0.0, 0.3])), level=0.5), cover_quarters=draw(st.sampled_from([0.0, 1.0])),
                      floor=Floor(workloads=("pretrain",), level_flop_per_s=10 * toy.FLOP_PER_CHIP_QUARTER / toy.SECONDS_PER_QUARTER)),
        ends=Ends(fade=0.3, quarters=3),
    )  # fmt: skip
    return Case(lab, per_node)


def changed(lab: Lab, **parts) -> Lab:
    return lab.model_copy(update=parts)


def not_less(after: float, before: float) -> bool:
    return after >= before - 1e-6 * max(1.0, abs(before))


@few
@given(cases(), spread(0.1, 50))
def test_more_cash_is_never_worse(case, more):
    richer = case.lab.finance.model_copy(update={"cash_usd": case.lab.finance.cash_usd + more * 1e6})
    assert not_less(case.value(changed(case.lab, finance=richer)), case.value())


@few
@given(cases(), st.integers(1, 2), spread(1, 500))
def test_a_higher_cap_on_orders_is_never_worse(case, which, more):
    offers = list(case.lab.offers)
    offers[which] = offers[which].model_copy(update={"max_order": (offers[which].max_order[0] + more,)})
    assert not_less(case.value(changed(case.lab, offers=tuple(offers))), case.value())


@few
@given(cases(), st.integers(0, 2), spread(0.3, 0.99))
def test_a_lower_price_is_never_worse(case, which, factor):
    # scrap is worth nothing here, so that terminal prices do not fall with the price of an order
    offers, name = list(case.lab.offers), "price_usd_per_chip" if which == 2 else "price_usd_per_chip_h"
    cheaper = tuple(price * factor for price in getattr(offers[which], name))
    offers[which] = offers[which].model_copy(update={name: cheaper})
    assert not_less(case.value(changed(case.lab, offers=tuple(offers))), case.value())


@few
@given(cases(), st.integers(0, 5), spread(1.01, 3))
def test_more_demand_that_nobody_must_serve_is_never_worse(case, node, factor):
    tree = case.tree()
    tokens = tree.world.demand_tokens.copy()
    tokens[node, 1] *= factor  # the workload without churn
    more = Tree(**{**vars(tree), "world": type(tree.world)(**{**vars(tree.world), "demand_tokens": tokens})})
    assert not_less(case.value(tree=more), case.value())


@few
@given(cases(), spread(1, 500))
def test_a_larger_fleet_under_a_floor_in_flop_is_never_worse(case, more):
    bigger = (*case.lab.contracts, toy.owned("more", chips=more, term=5))
    assert not_less(case.value(changed(case.lab, contracts=bigger)), case.value())


@few
@given(cases(), spread(1, 500), spread(0.05, 0.6))
def test_chips_that_cannot_develop_are_never_worse_under_a_floor_in_shares(case, more, share):
    policy = case.lab.policy.model_copy(update={"floor": Floor(workloads=("pretrain",), share=share)})
    before = changed(case.lab, policy=policy)
    bigger = (*case.lab.contracts, toy.owned("more", chip="junk", chips=more, term=5))
    assert not_less(case.value(changed(before, contracts=bigger)), case.value(before))


@few
@given(cases(), st.sampled_from(["cash_balance", "chips", "power", "demand"]), st.integers(0, 10_000))
def test_a_price_lies_between_the_gain_of_one_more_and_the_loss_of_one_less(case, name, pick):
    solved = case.solved()
    model, rows = solved.model, solved.model.rows[name]
    at, step = pick % rows.size, 0.05
    price = duals(solved.solution, rows).ravel()[at]
    base = solved.solution.objective
    moved = []
    for sign in (1, -1):
        lower, upper = (side[rows.span].copy() for side in (model.row_lower, model.row_upper))
        lower[at], upper[at] = lower[at] + sign * step, upper[at] + sign * step
        shape = rows.shape
        other = model.with_changes(
            row_lower={name: lower.reshape(shape)}, row_upper={name: upper.reshape(shape)}
        )
        found = solve(other)
        moved.append(found.objective if found.status == "optimal" else -np.inf)
    gain, loss = moved[0] - base, base - moved[1]
    slack = 1e-6 * max(1.0, abs(base))
    assert gain - slack <= price * step <= loss + slack


@few
@given(cases())
def test_every_optimum_is_proven_by_our_own_arithmetic(case):
    solved = case.solved()
    assert max(solved.proof) < 1e-7
    assert solved.solution.bound == pytest.approx(solved.solution.objective)
