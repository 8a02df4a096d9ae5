"""A changed plan solved from the old basis is the plan solved from nothing, and says how it started."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from tests.plan import labs, toy

from exaplan.domain.futures import Tree
from exaplan.domain.lab import Lab, Risk
from exaplan.optimize.certificate import certify
from exaplan.plan.formulation import build_program
from exaplan.plan.inputs import collect
from exaplan.plan.solve import CLOSE, Solved, effect_error, solve_plan, solve_program
from exaplan.plan.warm import on_the_line_of, solve_warm

LABS = {"contracts": labs.contracts_lab, "owner": labs.owner_lab, "developer": labs.developer_lab}


def finance(**fields: object) -> Callable[[Lab], Lab]:
    return lambda lab: lab.model_copy(update={"finance": lab.finance.model_copy(update=fields)})


def policy(**fields: object) -> Callable[[Lab], Lab]:
    return lambda lab: lab.model_copy(update={"policy": lab.policy.model_copy(update=fields)})


def offers(**fields: object) -> Callable[[Lab], Lab]:
    def change(lab: Lab) -> Lab:
        made = tuple(
            o.model_copy(update={name: value for name, value in fields.items() if hasattr(o, name)})
            for o in lab.offers
        )
        return lab.model_copy(update={"offers": made})

    return change


def dearer(lab: Lab) -> Lab:
    names = {
        name
        for o in lab.offers
        for name in ("price_usd_per_chip_h", "price_usd_per_chip")
        if hasattr(o, name)
    }
    made = tuple(
        o.model_copy(update={n: tuple(1.2 * p for p in getattr(o, n)) for n in names if hasattr(o, n)})
        for o in lab.offers
    )
    return lab.model_copy(update={"offers": made})


def without(place: int) -> Callable[[Lab], Lab]:
    return lambda lab: lab.model_copy(
        update={"offers": tuple(o for n, o in enumerate(lab.offers) if n != place % len(lab.offers))}
    )


def without_rounds_and_debt(lab: Lab) -> Lab:
    return finance(rounds=(), debt=None)(lab)


CHANGES: dict[str, Callable[[Lab], Lab]] = {
    "nothing": lambda lab: lab,
    "less cash": finance(cash_usd=3e6),
    "more cash at hand": finance(cash_minimum_usd=2.5e6),
    "a small market": offers(max_order=(300.0,), max_chips=(200.0,)),
    "a dear rescue": policy(rescue_price=30.0),
    "no weight on the tail": policy(risk=Risk()),
    "more weight on the tail": policy(risk=Risk(weight=0.6, level=0.8)),
    "cover": policy(cover_quarters=4.0),
    "no cover": policy(cover_quarters=0.0),
    "dear offers": dearer,
    "long leads": offers(lead_quarters=2),
    "flexible orders": offers(take_or_pay=0.5),
    "impatient owners": finance(cost_of_equity=0.3),
    "tax": finance(tax_rate=0.35),
    "no tax": finance(tax_rate=0.0),
    "the first offer gone": without(0),
    "the last offer gone": without(-1),
    "no rounds, no debt": without_rounds_and_debt,
}  # fmt: skip


@cache
def base(name: str) -> tuple[Solved, Tree]:
    lab, rates, tree = LABS[name]()
    return solve_plan(collect(lab, rates, tree)), tree


def changed(name: str, change: str):
    solved, tree = base(name)
    lab = CHANGES[change](solved.program.inputs.lab)
    return solved, on_the_line_of(solved, collect(lab, solved.program.inputs.rates, tree))


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", LABS)
def test_a_warm_plan_is_worth_what_the_cold_one_is(name: str, change: str) -> None:
    solved, inputs = changed(name, change)
    warm = solve_warm(solved, inputs)
    cold = solve_program(build_program(warm.solved.program.inputs))
    assert warm.solved.solution.objective == pytest.approx(cold.solution.objective, rel=1e-7, abs=1e-7)
    assert warm.solved.relaxed == pytest.approx(cold.relaxed, rel=1e-6)
    assert max(certify(warm.solved.model, warm.solved.solution)) < 1e-6
    assert effect_error(warm.solved) <= max(CLOSE, effect_error(solved)) or "line" in warm.why
    assert warm.solved.program.inputs.lab == inputs.lab


@pytest.mark.parametrize(
    ("change", "route"),
    [("nothing", "same program"), ("more cash at hand", "same matrix"), ("a small market", "same matrix"),
     ("dear offers", "same shape"), ("impatient owners", "same shape"), ("the last offer gone", "other shape"),
     ("no cover", "other shape")],
)  # fmt: skip
def test_the_start_is_the_nearest_that_the_change_allows(change: str, route: str) -> None:
    solved, inputs = changed("contracts", change)
    found = solve_warm(solved, inputs)
    assert found.route == route
    assert found.why


def test_a_change_of_nothing_takes_no_iteration_and_keeps_the_matrix_of_a_change_of_bounds() -> None:
    solved, inputs = changed("contracts", "nothing")
    assert solve_warm(solved, inputs).iterations == 0
    solved, inputs = changed("contracts", "a small market")
    assert solve_warm(solved, inputs).solved.model.value is solved.program.model.value


@pytest.mark.parametrize("name", LABS)
def test_a_plan_with_nothing_changed_stays_on_its_line(name: str) -> None:
    solved, inputs = changed(name, "nothing")
    found = solve_warm(solved, inputs)
    assert (found.route, found.iterations) == ("same program", 0)
    assert found.solved.solution is solved.solution


def test_an_offer_that_returns_finds_its_place_again() -> None:
    solved, inputs = changed("contracts", "the first offer gone")
    there = solve_warm(solved, inputs).solved
    again = solve_warm(there, on_the_line_of(there, solved.program.inputs))
    assert again.route == "other shape"
    assert again.solved.solution.objective == pytest.approx(solved.solution.objective, rel=1e-7)


def test_a_tree_of_other_nodes_is_solved_from_nothing() -> None:
    lab, rates, tree = labs.contracts_lab()
    chain = solve_plan(collect(lab, rates, toy.tree(lab)))
    found = solve_warm(chain, on_the_line_of(chain, collect(lab, rates, tree)))
    assert found.route == "cold"
    assert "nodes" in found.why


def test_a_policy_that_has_to_give_gives_as_much_as_from_nothing_and_holds_again_afterwards() -> None:
    solved, tree = base("developer")
    old = solved.program.inputs.lab
    floor = old.policy.floor
    assert floor is not None
    hard = policy(floor=floor.model_copy(update={"level_flop_per_s": 1e21}))(old)
    inputs = on_the_line_of(solved, collect(hard, solved.program.inputs.rates, tree))
    there = solve_warm(solved, inputs)
    assert there.solved.relaxed
    back = solve_warm(there.solved, solved.program.inputs)
    assert back.solved.relaxed == {}
    assert back.solved.solution.objective == pytest.approx(solved.solution.objective, rel=1e-7)


def test_the_line_of_the_base_is_kept_and_moves_with_the_futures() -> None:
    solved, tree = base("developer")
    old = solved.program.inputs
    same = on_the_line_of(solved, collect(old.lab, old.rates, tree))
    assert np.array_equal(same.reference_ratio, old.reference_ratio)
    faster = replace(tree, world=replace(tree.world, frontier=tree.world.frontier**1.5))
    moved = on_the_line_of(solved, collect(old.lab, old.rates, faster))
    assert not np.array_equal(moved.reference_ratio, old.reference_ratio)
