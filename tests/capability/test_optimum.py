"""Compute-optimal sizes: published anchors, closed forms against a search, service, over-training, data that run out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exaplan.capability.laws import ABNAR, BESIROGLU, DEEPSEEK, HOFFMANN, LLAMA3, SARDANA
from exaplan.capability.optimum import (
    budget_optimum,
    chinchilla_flop,
    chinchilla_optimum,
    compute_optimal_loss,
    flop_for_loss,
    overtrained,
)
from exaplan.capability.repeated import (
    EPOCHS_SCALE,
    amount_worth,
    repeated,
    worth,
)

BUDGETS = st.floats(1e20, 1e29)


@pytest.mark.parametrize(
    ("law", "flop", "billions", "ratio"),
    [(BESIROGLU, 5.76e23, 72.2, 18.4), (BESIROGLU, 3.8e25, 619, 16.6), (HOFFMANN, 5.76e23, 40.3, 59.1)],
)
def test_published_fits_put_the_optimum_where_their_readers_found_it(law, flop, billions, ratio):
    found = chinchilla_optimum(law, flop)
    assert float(found.active) / 1e9 == pytest.approx(billions, rel=0.002)
    assert float(found.tokens_per_parameter) == pytest.approx(ratio, rel=0.005)


def test_besiroglu_at_the_budget_of_chinchilla_reads_1_33_trillion_tokens():
    assert float(chinchilla_optimum(BESIROGLU, 5.76e23).tokens) / 1e12 == pytest.approx(1.33, rel=0.005)


def test_llama_3_puts_16_55_trillion_tokens_on_402_billion_parameters():
    """arXiv 2407.21783, section 3.2.1, for 3.8e25 FLOP; the printed digits 0.29 and 0.53 give 10 T instead."""
    tokens = float(LLAMA3.tokens(3.8e25))
    assert tokens / 1e12 == pytest.approx(16.55, rel=0.02)
    assert 3.8e25 / 6 / tokens / 1e9 == pytest.approx(402, rel=0.05)
    assert 0.29 * 3.8e25**0.53 / 1e12 < 11


def test_deepseek_splits_a_budget_between_its_own_two_powers():
    """M = 0.1715 C^0.5243 FLOP per token and D = 5.8316 C^0.4757 multiply to C within rounding."""
    assert float(DEEPSEEK.tokens(1e20)) * 0.1715 * 1e20**0.5243 == pytest.approx(1e20, rel=0.01)


@given(flop=BUDGETS)
def test_golden_section_finds_the_closed_form(flop):
    closed, searched = chinchilla_optimum(BESIROGLU, flop), budget_optimum(BESIROGLU, flop)
    assert float(searched.active) == pytest.approx(float(closed.active), rel=1e-3)
    assert float(searched.loss) == pytest.approx(float(closed.loss), rel=1e-9)


@given(flop=BUDGETS)
def test_the_least_budget_of_an_optimal_loss_is_the_budget(flop):
    loss = chinchilla_optimum(BESIROGLU, flop).loss
    assert float(chinchilla_flop(BESIROGLU, loss)) == pytest.approx(flop, rel=1e-6)


def test_no_budget_reaches_the_floor_of_a_law():
    assert np.isinf(flop_for_loss(BESIROGLU, 1.8172))
    assert np.isinf(flop_for_loss(ABNAR, 0.9, expansion=16.0))


@given(flop=st.floats(1e22, 1e27), served=st.floats(1e11, 1e15))
def test_at_the_optimum_with_service_the_condition_of_sardana_holds(flop, served):
    """ArXiv 2401.00448: e_N / e_D = 1 + D_inf / (3 D_tr), e the loss elasticities of size and data."""
    law = SARDANA
    found = budget_optimum(law, flop, served=served)
    size = law.size_exponent * law.size / found.active**law.size_exponent
    data = law.data_exponent * law.data / found.tokens**law.data_exponent
    assert float(size / data) == pytest.approx(float(1 + served / (3 * found.tokens)), rel=0.02)
    lifetime = 6 * found.active * found.tokens + 2 * found.active * served
    assert float(lifetime) == pytest.approx(flop, rel=1e-9)


def test_the_more_a_model_is_served_the_smaller_and_longer_trained_it_is():
    served = np.array([0.0, 1e12, 1e13, 1e14])
    loss = float(chinchilla_optimum(BESIROGLU, 5.76e23).loss)
    lifetime = flop_for_loss(BESIROGLU, loss, served=served)
    found = budget_optimum(BESIROGLU, lifetime, served=served)
    assert (np.diff(found.active) < 0).all()
    assert (np.diff(found.tokens) > 0).all()
    assert found.loss == pytest.approx(loss, rel=1e-6)
    naive = 5.76e23 + 2 * 72.2e9 * served
    assert (lifetime[1:] < naive[1:]).all()


def test_a_served_law_without_service_is_the_training_law():
    assert float(flop_for_loss(BESIROGLU, 1.95, served=1.0)) == pytest.approx(
        float(flop_for_loss(BESIROGLU, 1.95)), rel=1e-3
    )


def test_over_training_costs_flop_and_never_pays_in_training_alone():
    loss = float(chinchilla_optimum(BESIROGLU, 1e25).loss)
    active, multiple = overtrained(BESIROGLU, loss, np.array([17.1, 100.0, 1000.0]))
    assert multiple[0] == pytest.approx(1.0, abs=1e-3)
    assert (np.diff(multiple) > 0).all()
    assert (np.diff(active) < 0).all()
    by_hand = 6 * active * active * np.array([17.1, 100.0, 1000.0]) / 1e25
    assert multiple == pytest.approx(by_hand, rel=1e-3)


def test_sparsity_lowers_the_loss_of_a_budget_and_is_held_at_0_95():
    losses = [float(compute_optimal_loss(ABNAR, 1e25, expansion=s)) for s in (1.0, 4.0, 16.0, 20.0, 40.0)]
    assert losses[0] > losses[1] > losses[2] > losses[3]
    assert losses[4] == pytest.approx(losses[3], rel=1e-9)


def test_a_sparse_model_is_worth_a_dense_one_between_its_active_and_total_size():
    """Inside the range of the fit; far beyond it no dense model on so few tokens gets there."""
    found = budget_optimum(ABNAR, 1e21, expansion=16.0)
    dense = float(ABNAR.dense_equivalent(found.loss, found.tokens))
    assert float(found.active) < dense < float(found.total)


def test_four_epochs_are_nearly_as_good_as_fresh_tokens_and_forty_are_not():
    """Muennighoff et al., abstract: up to 4 epochs make a negligible difference, the worth of compute decays to zero."""
    assert float(worth(4e12, 1e12, EPOCHS_SCALE)) / 4e12 > 0.93
    assert float(worth(40e12, 1e12, EPOCHS_SCALE)) / 40e12 < 0.4
    assert float(worth(1e18, 1e12, EPOCHS_SCALE)) == pytest.approx((1 + EPOCHS_SCALE) * 1e12)


@given(unique=st.floats(1e9, 1e15), epochs=st.floats(0.1, 60.0))
def test_worth_is_undone(unique, epochs):
    amount = epochs * unique
    assert float(amount_worth(worth(amount, unique, EPOCHS_SCALE), unique, EPOCHS_SCALE)) == pytest.approx(
        amount, rel=1e-5
    )


def test_with_enough_unique_tokens_the_data_wall_is_not_felt_and_short_of_them_it_is():
    free = float(compute_optimal_loss(BESIROGLU, 1e26))
    assert float(compute_optimal_loss(repeated(BESIROGLU, 1e18), 1e26)) == pytest.approx(free, rel=1e-9)
    assert float(compute_optimal_loss(repeated(BESIROGLU, 1e11), 1e26)) > free + 0.01


def test_a_loss_beyond_what_repetition_can_give_needs_endless_tokens():
    scarce = repeated(BESIROGLU, 1e10)
    assert np.isinf(scarce.tokens_for(1.9, 1e11, 1e11))
