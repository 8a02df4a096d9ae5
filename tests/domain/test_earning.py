"""What a task brings and burns, by hand arithmetic and by counting."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.plan import toy

from exaplan.domain.earning import Tasks
from exaplan.domain.workload import TokenPrice


def tasks(**more) -> Tasks:
    given = {
        "tasks_per_month": 1e6,
        "tokens_per_task": 50_000.0,
        "success": 0.5,
        "price_usd_per_success": 0.2,
    }
    return Tasks(**{**given, **more})


def agent(**more):
    return toy.serve("agents", price=None, demand_tokens_per_month=None, tasks=tasks(**more))


def test_a_task_tried_once_burns_its_tokens_and_pays_when_it_succeeds():
    # 1e6 tasks x 50 000 tokens; half of them pay 0.20 USD: 1e5 USD for 5e10 tokens
    assert agent().starting_tokens_per_month == pytest.approx((5e10,))
    assert agent().revenue_usd_per_token == pytest.approx(1e5 / 5e10)


def test_retries_burn_more_tokens_and_solve_more_tasks():
    # of 1e6 tasks 5e5 fail once, 2.5e5 twice: 1.75e6 attempts, 8.75e5 solved
    workload = agent(retries=2)
    assert workload.starting_tokens_per_month == pytest.approx((8.75e10,))
    assert workload.revenue_usd_per_token * 8.75e10 == pytest.approx(8.75e5 * 0.2)


def test_a_reseller_keeps_its_part_of_a_task_too():
    workload = toy.serve("agents", price=None, demand_tokens_per_month=None, tasks=tasks(), revenue_share=0.8)
    assert workload.revenue_usd_per_token == pytest.approx(0.8 * agent().revenue_usd_per_token)


@given(st.floats(0.05, 1.0), st.integers(0, 6))
def test_attempts_and_successes_are_those_that_counting_finds(success, retries):
    counted = tasks(success=success, retries=retries)
    tried = np.random.default_rng(5).random((20_000, retries + 1)) < success
    first = np.where(tried.any(axis=1), tried.argmax(axis=1) + 1, retries + 1)
    assert counted.attempts == pytest.approx(first.mean(), rel=0.1)
    assert counted.solved_share == pytest.approx(tried.any(axis=1).mean(), rel=0.1)


@given(st.floats(0.01, 1.0), st.integers(0, 9))
def test_the_revenue_of_a_token_does_not_depend_on_retries(success, retries):
    assert tasks(success=success, retries=retries).usd_per_token == pytest.approx(
        tasks(success=success).usd_per_token
    )


def test_a_workload_earns_in_one_way():
    price = TokenPrice(input_usd_per_token=1e-6, output_usd_per_token=1e-6)
    for more in ({"tasks": tasks(), "price": price}, {"price": None}, {"tasks": tasks()}):
        with pytest.raises(ValueError, match="give either price"):
            toy.serve("agents", **more)
    with pytest.raises(ValueError, match="0 or more"):
        tasks(retries=-1)


def test_agents_are_served_like_any_other_segment():
    # 1000 chips of tokens a quarter at 10 000 USD a chip-quarter, in tasks of 1e6 tokens that succeed 4 times in 5
    per_month = 1000 * toy.TOKENS_PER_CHIP_QUARTER / 3 / 1e6
    work = tasks(tasks_per_month=per_month, tokens_per_task=1e6, success=0.8, price_usd_per_success=12.5)
    lab = toy.lab(
        quarters=1, offers=(toy.on_demand(),),
        workloads=(toy.serve("agents", price=None, demand_tokens_per_month=None, tasks=work),),
    )  # fmt: skip
    assert toy.gained(toy.planned(lab), lab) == pytest.approx(1000 * (10_000 - 6000))
