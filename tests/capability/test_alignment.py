"""Alignment pipelines as compute: published pipelines, hand counts, conservation, the price at which AI feedback pays."""

from __future__ import annotations

import numpy as np
import pytest

from exaplan.capability.alignment import (
    PF_DAY,
    Policy,
    oversight_share,
    phases_of,
)
from exaplan.domain.alignment import Constitutional, HumanFeedback, Verifiable
from exaplan.domain.uncertain import Uncertain
from exaplan.economy.compute_bill import crossover_label_price


def at_median(name, value):
    return value.at(np.zeros(1))


def fixed(value):
    return Uncertain.point(value)


def rlhf(**changes):
    values = {
        "id": "people", "prompt_tokens": fixed(1024.0), "response_tokens": fixed(1024.0), "comparisons": 33_000 * 4.0,
        "label_price_usd": fixed(2.0), "rl_prompts": fixed(256_000.0),
    }  # fmt: skip
    values.pop("label_price_usd")
    return HumanFeedback(**(values | {"label_price": fixed(2.0)} | changes))


def constitutional(**changes):
    values = {
        "id": "ai", "prompt_tokens": fixed(100.0), "response_tokens": fixed(200.0), "comparisons": 0.0, "label_price": fixed(5.0),
        "rl_prompts": fixed(1000.0), "critiqued": 10.0, "revisions": 4.0, "critique_tokens": fixed(50.0),
        "principle_tokens": fixed(400.0), "ai_comparisons": 20.0, "judge_tokens": fixed(1.0),
    }  # fmt: skip
    return Constitutional(**(values | changes))


def pf_days(phases, *names):
    return float(sum(phase.flop[0] for phase in phases if not names or phase.name in names)) / PF_DAY


def test_instructgpt_by_its_own_counts_is_its_published_compute():
    """ArXiv 2203.02155: 175B SFT 4.9 PF-days, PPO-ptx 60 PF-days; GPT-3 took 3,640.

    13k demonstrations x 16 epochs and 256k episodes at a context of 2,048, eight pretraining sequences an episode, reward
    model and critic of 6B. Padding every sequence to the context is our reading: their lengths are shorter.
    """
    pipeline = rlhf(
        demonstrations=13_000.0,
        demonstration_epochs=16.0,
        preference_model=6 / 175,
        critic=6 / 175,
        pretraining_mix=8.0,
    )
    phases = phases_of(pipeline, Policy(175e9), at_median)
    assert pf_days(phases, "supervised stage") == pytest.approx(4.9, rel=0.15)
    loop = {
        "rollouts",
        "reference model",
        "reward by the preference model",
        "critic: values",
        "critic: updates",
        "policy updates",
        "pretraining mixed in",
    }
    assert pf_days(phases, *loop) == pytest.approx(60, rel=0.15)
    assert pf_days(phases) / 3640 < 0.03


def test_every_phase_of_human_feedback_by_hand():
    pipeline = rlhf(
        rl_prompts=fixed(1000.0), comparisons=50.0, prompt_tokens=fixed(100.0), response_tokens=fixed(300.0)
    )
    flop = {
        phase.name: float(phase.flop[0])
        for phase in phases_of(pipeline, Policy(1e9), at_median)
        if phase.flop[0]
    }
    n = 1e9
    assert flop == pytest.approx(
        {
            "pairs to compare": 2 * n * 2 * 50 * 400,
            "preference model": 6 * n * 2 * 50 * 400,
            "rollouts": 2 * n * 1000 * 400,
            "reference model": 2 * n * 1000 * 400,
            "reward by the preference model": 2 * n * 1000 * 400,
            "critic: values": 2 * n * 1000 * 400,
            "critic: updates": 6 * n * 1000 * 400,
            "policy updates": 6 * n * 1000 * 400,
        }
    )


def test_critiques_and_revisions_by_hand():
    phases = {phase.name: phase for phase in phases_of(constitutional(), Policy(1e9), at_median)}
    assert float(phases["critiques"].tokens[0]) == 40 * (400 + 100 + 200 + 50)
    assert float(phases["revisions"].tokens[0]) == 40 * (400 + 100 + 200 + 50 + 200)
    assert float(phases["labels by the judge: reading"].tokens[0]) == 20 * (400 + 100 + 2 * 200)
    assert float(phases["supervised stage on revisions"].flop[0]) == pytest.approx(6e9 * 40 * 300)


def test_ai_feedback_is_human_feedback_plus_what_the_judge_and_the_revisions_cost():
    """With the same pairs and the same learning the difference is exactly the phases that people do not need."""
    shared = {"prompt_tokens": fixed(100.0), "response_tokens": fixed(200.0), "rl_prompts": fixed(1000.0)}
    people = phases_of(rlhf(comparisons=20.0, **shared), Policy(1e9), at_median)
    judge = phases_of(constitutional(), Policy(1e9), at_median)
    own = {
        "answers to revise",
        "critiques",
        "revisions",
        "supervised stage on revisions",
        "labels by the judge: reading",
        "labels by the judge: writing",
    }
    assert pf_days(judge) - pf_days(people) == pytest.approx(pf_days(judge, *own), rel=1e-9)


def test_grpo_has_no_critic_and_a_group_multiplies_the_episodes():
    one = Verifiable(
        id="v", prompt_tokens=fixed(10.0), response_tokens=fixed(90.0), rl_prompts=fixed(5.0), group=16.0, algorithm="grpo",
        problems=5.0, checkable_price_usd=3.0, checker_s=3600.0, checker_usd_per_h=0.1,
    )  # fmt: skip
    phases = {phase.name: phase for phase in phases_of(one, Policy(1e9), at_median)}
    assert not [name for name in phases if name.startswith("critic")]
    assert float(phases["rollouts"].flop[0]) == 2e9 * 80 * 100
    assert float(phases["checkers"].units[0]) == 80.0
    assert float(phases["problems"].units[0]) == 5.0


def test_attention_adds_the_square_of_the_length():
    plain, exact = Policy(1e9), Policy(1e9, attention=1000.0)
    assert float(exact.forward(3, 200) - plain.forward(3, 200)) == 3 * 1000.0 * 200**2 / 2
    assert float(exact.training(3, 200)) == 3 * float(exact.forward(3, 200))


def test_overhead_multiplies_flop_and_leaves_tokens_and_wages():
    once = phases_of(rlhf(), Policy(1e9), at_median)
    twice = phases_of(rlhf(), Policy(1e9), at_median, 2.0)
    for a, b in zip(once, twice, strict=True):
        assert float(np.sum(b.flop)) == pytest.approx(2 * float(np.sum(a.flop)))
        assert float(np.sum(b.tokens)) == float(np.sum(a.tokens))
        assert float(np.sum(b.units)) == float(np.sum(a.units))


def test_at_the_crossover_both_pipelines_cost_the_same():
    price = float(crossover_label_price(2e5, 318_127, 9e5, 135_296))
    assert 2e5 + 318_127 * price == pytest.approx(9e5 + 135_296 * price)
    assert np.isinf(crossover_label_price(1.0, 10, 2.0, 10))


def test_a_monitor_as_large_as_the_policy_is_half_of_serving():
    assert float(oversight_share(1.0, 1.0)) == 0.5
    assert float(oversight_share(0.0, 1.0)) == 0.0
