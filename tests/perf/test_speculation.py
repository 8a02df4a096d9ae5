"""Speculative decoding against its published table, counting by hand, and brute force over draft lengths."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exaplan.perf.speculation import (
    best_draft,
    operations_ratio,
    speculative_tpot_s,
    speedup,
    tokens_per_step,
    tokens_per_step_by_position,
    verified_tokens,
)

shares = st.floats(0, 1)

# Leviathan et al., arXiv 2211.17192, table 4: draft length, acceptance, draft cost, speedup expected, speedup measured
# (T5-XXL on one TPU v4, one sequence; translation, then summarization)
PUBLISHED = [
    (7, 0.75, 0.02, 3.2, 3.4), (7, 0.80, 0.04, 3.3, 2.8), (7, 0.82, 0.11, 2.5, 1.7),
    (7, 0.62, 0.02, 2.3, 2.6), (5, 0.68, 0.04, 2.4, 2.4), (3, 0.71, 0.11, 2.0, 1.4),
    (5, 0.65, 0.02, 2.4, 3.1), (5, 0.73, 0.04, 2.6, 3.0), (3, 0.74, 0.11, 2.0, 2.2),
    (5, 0.53, 0.02, 1.9, 2.3), (3, 0.55, 0.04, 1.8, 2.2), (3, 0.56, 0.11, 1.6, 1.7),
]  # fmt: skip


@pytest.mark.parametrize(("drafted", "accepted", "cost", "expected", "measured"), PUBLISHED)
def test_the_speedup_is_that_of_the_paper(drafted, accepted, cost, expected, measured):
    predicted = float(speedup(accepted, drafted, draft_cost=cost))
    assert predicted == pytest.approx(expected, abs=0.1)
    assert predicted == pytest.approx(measured, rel=0.5)


def test_the_formula_is_a_fifth_off_what_was_measured():
    rows = np.array(PUBLISHED)
    predicted = speedup(rows[:, 1], rows[:, 0], draft_cost=rows[:, 2])
    errors = np.abs(np.log(predicted / rows[:, 4]))
    assert 0.1 < np.median(errors) < 0.2


@pytest.mark.parametrize("accepted", [0.85, 0.90])
def test_deepseek_v3_gets_its_18_out_of_one_predicted_token(accepted):
    # 85 to 90 % of second tokens accepted, 1.8 times the tokens per second (arXiv 2412.19437, section 5.4.3)
    tokens = float(tokens_per_step(accepted, 1))
    assert tokens == pytest.approx(1 + accepted)
    step_cost = tokens / 1.8
    assert 1.02 < step_cost < 1.06  # what is left for the prediction layer and the second token


@given(accepted=shares, drafted=st.integers(0, 30))
def test_tokens_per_step_are_the_sum_of_the_chances_to_get_that_far(accepted, drafted):
    counted = sum(accepted**position for position in range(drafted + 1))
    assert float(tokens_per_step(accepted, drafted)) == pytest.approx(counted, rel=1e-9)
    by_position = tokens_per_step_by_position(np.full((1, drafted), accepted))
    assert by_position[0] == pytest.approx(counted, rel=1e-9)


def test_tokens_per_step_are_those_of_a_played_draft():
    rng = np.random.default_rng(4)
    kept = np.cumprod(rng.random((200_000, 5)) < 0.7, axis=1).sum(axis=1) + 1
    assert float(tokens_per_step(0.7, 5)) == pytest.approx(kept.mean(), rel=0.01)


@given(accepted=shares, better=shares, drafted=st.floats(0, 20), longer=st.floats(0, 20))
def test_better_and_longer_drafts_never_yield_fewer_tokens(accepted, better, drafted, longer):
    now = float(tokens_per_step(accepted, drafted))
    assert 1 - 1e-9 <= now <= drafted + 1 + 1e-9
    assert tokens_per_step(max(accepted, better), drafted) >= now - 1e-9
    assert tokens_per_step(accepted, drafted + longer) >= now - 1e-9


def test_no_draft_is_plain_decoding_and_a_hopeless_one_only_costs():
    assert float(speculative_tpot_s(0.8, 0, verify_s=0.02, draft_s=0.005)) == pytest.approx(0.02)
    assert float(speedup(0.0, 4, draft_cost=0.1)) == pytest.approx(1 / 1.4)


def test_every_sequence_brings_its_draft_and_one_token_to_verify():
    assert verified_tokens(np.array([8, 64]), 3).tolist() == [32.0, 256.0]


def test_speculation_pays_in_time_what_it_wastes_in_operations():
    # 0.25 x 8 / (1 - 0.75^8) = 2.22 with a free draft of seven (arXiv 2211.17192, theorem 3.11)
    assert float(operations_ratio(0.75, 7, draft_flop_ratio=0.0)) == pytest.approx(2.222, abs=1e-3)
    assert float(operations_ratio(1.0, 7, draft_flop_ratio=0.0)) == 1.0


def step_time_s(tokens):
    """Memory-bound up to 300 tokens, then compute-bound."""
    return 0.02 * np.maximum(1.0, np.asarray(tokens) / 300)


def test_small_batches_draft_long_and_full_ones_not_at_all():
    grid, batches = np.arange(9), np.array([1, 8, 64, 300, 1000])
    verify = step_time_s(verified_tokens(batches[:, None], grid))
    best = best_draft(0.8, grid, verify_s=verify, draft_s=0.001)
    assert best.draft_tokens[0] == best.draft_tokens.max() > 3
    assert best.draft_tokens[-1] == 0
    assert np.all(np.diff(best.draft_tokens) <= 0)
    assert np.all(np.diff(best.gain) <= 1e-12)
    assert best.gain[-1] == 1.0


@given(accepted=st.lists(shares, min_size=1, max_size=5), draft=st.floats(0, 0.02), batch=st.floats(1, 500))
def test_no_draft_length_of_the_grid_beats_the_chosen_one(accepted, draft, batch):
    grid = np.arange(7)
    verify = step_time_s(verified_tokens(batch, grid))
    best = best_draft(np.array(accepted), grid, verify_s=verify, draft_s=draft)
    for case, share in enumerate(accepted):
        tried = [float(speculative_tpot_s(share, q, verify_s=verify[q], draft_s=draft)) for q in grid]
        assert best.tpot_s[case] == pytest.approx(min(tried))
        assert tried[int(best.draft_tokens[case])] == pytest.approx(min(tried))
