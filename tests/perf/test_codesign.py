"""Co-design: shapes keep what they claim to keep, equal loss is equal, and joint optima are what they are said to be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from exaplan.capability.laws import ABNAR, BESIROGLU
from exaplan.io.catalogue import load_models
from exaplan.perf.codesign.cells import (
    FUSED_VALUES,
    UNFUSED_VALUES,
    Kernels,
    Layout,
    Workload,
    designed_machine,
    drawn_serving_rates,
    drawn_training_rates,
    serving_cells,
    training_cells,
)
from exaplan.perf.codesign.drawing import Uncertainty
from exaplan.perf.codesign.joint import codesign
from exaplan.perf.codesign.optimum import optima, worth_drawing
from exaplan.perf.codesign.shapes import (
    Reference,
    dense_of,
    equal_loss,
    family,
    granularity,
    with_depth,
    with_expert_width,
    with_experts,
    with_head_dim,
    with_top_k,
)
from exaplan.perf.codesign.silicon import Budget, Silicon, filled
from exaplan.perf.codesign.space import Space, Weighing
from exaplan.perf.counts import kv_bytes, parameters
from exaplan.perf.serving import ServeRequest, serve_closed_loop
from exaplan.perf.training import TrainRequest

SPARSE = load_models()["Qwen3-30B-A3B"]
MLA = load_models()["DeepSeek-V3"]
REFERENCE = Reference(SPARSE, 10e12)
BUDGET = Budget(800.0, 800.0)
WORKLOAD = Workload(
    ServeRequest(4000.0, 1000.0, tpot_s=0.05), TrainRequest(4096.0, 4e6, 256.0), 3e14, replica_chips_max=16.0
)
CORES = filled(Silicon("cores", 16, 1, 60e6, "hbm3e", 5, 450e9), BUDGET)
SYSTOLIC = filled(Silicon("arrays", 256, 1, 60e6, "hbm3e", 5, 450e9, domain=64, torus_axes=3), BUDGET)
SPACE = Space(
    shapes=(SPARSE, with_experts(SPARSE, 256), with_expert_width(SPARSE, 1536)),
    kernels=(Kernels("bf16", "bf16", "bf16", False), Kernels("fp8 fused", "fp8", "fp8", True)),
    silicon=(CORES, SYSTOLIC),
    layouts=(Layout("two ways", tp=2.0, spread=False), Layout("searched")),
)
COSTS = arrays(np.float64, (2, 3, 2, 3), elements=st.floats(1.0, 100.0))


# --- shapes


def test_granularity_by_hand():
    # 8 x 2048^2 parameters over 3 x 2048 x 768
    assert granularity(SPARSE) == pytest.approx(8 * 2048 / (3 * 768))
    assert granularity(dense_of(SPARSE, 5e9)) == 1.0


@pytest.mark.parametrize("width", [256, 384, 1536, 3072])
def test_cutting_experts_finer_keeps_active_and_total_parameters(width):
    before, after = parameters(SPARSE), parameters(with_expert_width(SPARSE, width))
    routers = SPARSE.layers * SPARSE.hidden * SPARSE.experts * (768 / width - 1)
    assert float(after.active) == pytest.approx(float(before.active) + routers, rel=1e-9)
    assert float(after.total) == pytest.approx(float(before.total) + routers, rel=1e-9)


def test_experts_wider_than_all_that_a_token_visits_are_refused():
    with pytest.raises(ValueError, match="wider"):
        with_expert_width(SPARSE, 32768)


def test_more_experts_change_total_and_a_larger_top_k_active_parameters():
    base = parameters(SPARSE)
    more, visited = parameters(with_experts(SPARSE, 256)), parameters(with_top_k(SPARSE, 16))
    assert float(more.total) > 1.8 * float(base.total)
    assert float(more.active) == pytest.approx(float(base.active), rel=0.01)
    assert float(visited.total) == float(base.total)
    assert float(visited.active) > 1.4 * float(base.active)


def test_heads_of_another_size_keep_parameters_and_cache():
    model = load_models()["Meta-Llama-3.1-70B"]
    other = with_head_dim(model, 256)
    assert other.heads == model.heads // 2
    assert float(parameters(other).total) == float(parameters(model).total)
    assert float(kv_bytes(other, 1000.0, 2.0)) == float(kv_bytes(model, 1000.0, 2.0))


@pytest.mark.parametrize("layers", [32, 64])
def test_depth_trades_against_width_at_about_equal_parameters(layers):
    other = with_depth(SPARSE, layers)
    assert other.layers == layers
    assert float(parameters(other).total) == pytest.approx(float(parameters(SPARSE).total), rel=0.06)


@pytest.mark.parametrize("base", [SPARSE, MLA], ids=lambda model: model.id)
@pytest.mark.parametrize("active", [3e9, 2e10, 3e11])
def test_a_dense_model_has_the_size_asked_for(base, active):
    rival = dense_of(base, active)
    assert rival.experts == 0
    assert float(parameters(rival).active) == pytest.approx(active, rel=0.06)
    assert 2 * active == pytest.approx(
        2 * float(parameters(rival).total - parameters(rival).embedding), rel=0.06
    )


def test_a_family_starts_with_the_model_itself_and_changes_one_thing_at_a_time():
    found = family(SPARSE, expert_widths=(1536,), expert_counts=(64,), top_ks=(4,), dense_sizes=(1e10,))
    assert found[0] is SPARSE
    assert len({model.id for model in found}) == 5


def test_latent_attention_has_no_head_size_to_change():
    with pytest.raises(ValueError, match="latent"):
        family(MLA, head_dims=(256,))


# --- equal loss


def test_the_reference_needs_its_own_tokens():
    assert equal_loss([SPARSE], ABNAR, REFERENCE).tokens == pytest.approx([REFERENCE.tokens])


def test_all_shapes_end_at_the_same_loss():
    same = equal_loss(SPACE.shapes, ABNAR, REFERENCE)
    found = ABNAR.loss(same.active, same.total, same.tokens, same.granularity)
    assert found == pytest.approx(np.full(3, same.loss))


def test_finer_and_more_experts_need_fewer_tokens():
    shapes = [with_expert_width(SPARSE, width) for width in (384, 768, 1536)]
    assert (np.diff(equal_loss(shapes, ABNAR, REFERENCE).tokens) > 0).all()
    shapes = [with_experts(SPARSE, count) for count in (256, 128, 64)]
    assert (np.diff(equal_loss(shapes, ABNAR, REFERENCE).tokens) > 0).all()


def test_a_law_blind_to_sparsity_sees_no_difference_between_counts_of_experts():
    shapes = [with_experts(SPARSE, 64), with_experts(SPARSE, 256)]
    # What is left is the router: 128 columns more or less in each layer.
    assert equal_loss(shapes, BESIROGLU, REFERENCE).tokens == pytest.approx([10e12, 10e12], rel=0.05)


# --- optima of a cost array


@given(COSTS)
def test_joint_beats_or_equals_every_partial_way(cost):
    found = optima(cost)
    assert found.joint_gain >= found.composed_gain
    assert found.joint_gain >= found.sequential_gain >= max(1.0, found.gains[0])
    assert found.joint_gain >= max(found.gains)


@given(st.lists(st.floats(1.0, 9.0), min_size=10, max_size=10))
def test_independent_layers_multiply_and_leave_nothing_to_joint_search(factors):
    a, b, c, d = (np.array(part) for part in (factors[:2], factors[2:5], factors[5:7], factors[7:]))
    found = optima(np.einsum("i,j,k,l->ijkl", a, b, c, d))
    assert found.ratio == pytest.approx(1.0)
    assert found.joint_gain == pytest.approx(found.composed_gain)


def test_layers_that_work_only_together_have_a_ratio_above_one():
    cost = np.full((2, 2, 1, 1), 10.0)
    cost[1, 0] = cost[0, 1] = 12.0
    cost[1, 1] = 4.0
    found = optima(cost)
    assert (found.product, found.joint_gain, found.ratio) == (1.0, 2.5, 2.5)
    assert found.joint == (1, 1, 0, 0)


def test_single_optima_that_do_not_fit_each_other_compose_to_no_gain():
    cost = np.array([[10.0, 5.0], [5.0, np.inf]]).reshape(2, 2, 1, 1)
    found = optima(cost)
    assert found.choices == (1, 1, 0, 0)
    assert found.composed_gain == 0.0
    assert found.joint_gain == 2.0


@given(COSTS)
def test_what_draws_look_at_holds_the_optima(cost):
    found, kept = optima(cost), worth_drawing(cost)
    assert kept[found.joint]
    assert kept[found.choices]
    assert kept[0, 0, 0, 0]


# --- cells


def test_fusion_pays_only_as_far_as_sram_holds_the_activations():
    block = 2048.0 * SPARSE.hidden * 2.0
    moved = [
        designed_machine(
            replace(CORES, sram_bytes=share * block), "bf16", SPARSE, fused=True
        ).knobs.elementwise_values
        for share in (0.5, 1.0, 4.0)
    ]
    assert moved == pytest.approx([(UNFUSED_VALUES + FUSED_VALUES) / 2, FUSED_VALUES, FUSED_VALUES])
    plain = designed_machine(CORES, "bf16", SPARSE, fused=False)
    assert plain.knobs.elementwise_values == UNFUSED_VALUES


def test_a_layout_rule_is_obeyed_and_a_free_search_is_never_slower():
    machine = designed_machine(CORES, "fp8", SPARSE, fused=True)
    held, free = serving_cells(machine=machine, model=SPARSE, workload=WORKLOAD, layouts=SPACE.layouts)
    assert set(held.mesh.tp) == {2.0}
    assert set(held.mesh.ep) == {1.0}
    assert free.rate[0] >= held.rate[0] > 0


def test_the_latency_limit_is_met_closely_by_every_design():
    """Else a limit that falls well between two batches tried would count as a gain of the design."""
    for chip in (CORES, SYSTOLIC):
        machine = designed_machine(chip, "fp8", SPARSE, fused=True)
        for limit_s in (0.011, 0.017, 0.03):
            tight = replace(WORKLOAD, serve=replace(WORKLOAD.serve, tpot_s=limit_s))
            (cell,) = serving_cells(SPARSE, machine, tight, (Layout("two ways", tp=2.0, pp=1.0),))
            best = cell.mesh.take(np.array([0]))
            more = replace(best, slots=np.ceil(best.slots * 1.06))
            tpot_s = serve_closed_loop(SPARSE, machine, tight.serve, more).tpot_s
            assert tpot_s[0] > limit_s


def test_cells_evaluated_in_bulk_agree_with_their_searches():
    """The bulk path stacks models and machines by row; the search runs one model on one machine."""
    machines = [designed_machine(chip, "fp8", SPARSE, fused=True) for chip in (CORES, SYSTOLIC)]
    layouts = (Layout("searched"),)
    serving = [
        serving_cells(shape, machine, WORKLOAD, layouts)[0] for shape in SPACE.shapes for machine in machines
    ]
    training = [
        training_cells(shape, machine, WORKLOAD, layouts)[0] for shape in SPACE.shapes for machine in machines
    ]
    bulk = drawn_serving_rates(serving, WORKLOAD, [{}])[0]
    assert bulk == pytest.approx([cell.rate[0] for cell in serving], rel=1e-9)
    bulk = drawn_training_rates(training, WORKLOAD, [{}])[0]
    assert bulk == pytest.approx([cell.rate[0] for cell in training], rel=1e-9)


def test_a_drawn_coefficient_moves_the_rate_its_way():
    machine = designed_machine(CORES, "fp8", SPARSE, fused=True)
    cells = list(training_cells(SPARSE, machine, WORKLOAD, (Layout("searched"),)))
    slow, same, fast = drawn_training_rates(
        cells, WORKLOAD, [{"flop_share_fp8": np.array([factor])} for factor in (0.8, 1.0, 1.2)]
    )
    assert slow < same < fast


# --- joint search


@pytest.fixture(scope="module")
def result():
    drawn = ABNAR.drawn(np.random.default_rng(3), 20, exponent_log_sd=0.05)
    spread = {"flop_share": 0.1, "flop_share_fp8": 0.1, "memory_share": 0.1, "expert_share": 0.1}
    uncertainty = Uncertainty([drawn.pick(i) for i in range(20)], 3, knob_log_sd=spread)
    return codesign(SPACE, WORKLOAD, ABNAR, REFERENCE, weighing=Weighing(chip=1.0), uncertainty=uncertainty)


def test_the_result_is_consistent_with_its_own_grid(result):
    cost = result.grid.cost
    assert cost.shape == SPACE.extent
    assert result.baseline_cost == cost[0, 0, 0, 0]
    assert result.joint_gain == pytest.approx(result.baseline_cost / cost.min())
    assert result.product_of_gains == pytest.approx(np.prod([single.gain for single in result.singles]))
    assert result.ratio == pytest.approx(result.joint_gain / result.product_of_gains)
    assert result.joint_gain >= result.sequential_gain
    assert result.over_composed >= 1.0
    assert result.best_cells(3)[0][1] == pytest.approx(result.joint_gain)


def test_the_interval_is_ordered_and_near_the_point(result):
    interval = result.ratio_interval
    assert interval.draws == 20
    assert interval.low < interval.median < interval.high
    assert interval.low / 1.5 < result.ratio < interval.high * 1.5


def test_draws_are_kept_and_the_intervals_are_their_percentiles(result):
    draws = result.draws
    assert draws.lost == 0
    assert "assumed" in draws.source
    assert draws.singles.shape == (20, 4)
    assert draws.ratio == pytest.approx(draws.joint / draws.singles.prod(axis=1))
    for interval, values in (
        (result.joint_gain_interval, draws.joint),
        (result.product_interval, draws.product),
        (result.ratio_interval, draws.ratio),
        (result.single_intervals[2], draws.singles[:, 2]),
    ):
        assert [interval.low, interval.high] == pytest.approx(np.percentile(values, [5, 95]).tolist())


def test_every_draw_composes_its_own_single_optima(result):
    interval = result.over_composed_interval
    assert interval.draws == 20
    assert interval.low >= 1.0


def test_equal_seeds_give_equal_intervals(result):
    drawn = ABNAR.drawn(np.random.default_rng(3), 20, exponent_log_sd=0.05)
    spread = {"expert_share": 0.1, "memory_share": 0.1, "flop_share_fp8": 0.1, "flop_share": 0.1}
    again = codesign(
        SPACE,
        WORKLOAD,
        ABNAR,
        REFERENCE,
        weighing=Weighing(chip=1.0),
        uncertainty=Uncertainty([drawn.pick(i) for i in range(20)], 3, knob_log_sd=spread),
    )
    assert again.ratio_interval == result.ratio_interval
    assert (again.draws.joint == result.draws.joint).all()


def test_no_spread_leaves_no_interval():
    nothing = Uncertainty([ABNAR, ABNAR], knob_log_sd={"flop_share": 0.0})
    found = codesign(SPACE, WORKLOAD, ABNAR, REFERENCE, weighing=Weighing(chip=1.0), uncertainty=nothing)
    for interval, point in (
        (found.ratio_interval, found.ratio),
        (found.joint_gain_interval, found.joint_gain),
        (found.over_composed_interval, found.over_composed),
    ):
        assert (interval.low, interval.high) == pytest.approx((point, point))


def test_the_unit_of_the_weight_cancels_and_its_shape_does_not():
    one, two = (
        codesign(SPACE, WORKLOAD, ABNAR, REFERENCE, weighing=Weighing(die_mm2=scale)) for scale in (1.0, 2.0)
    )
    assert one.ratio == pytest.approx(two.ratio)
    assert two.baseline_cost == pytest.approx(2 * one.baseline_cost)
    assert one.ratio_interval is None


def test_a_baseline_that_cannot_run_is_an_error():
    late = replace(WORKLOAD, serve=ServeRequest(4000.0, 1000.0, tpot_s=1e-5))
    with pytest.raises(ValueError, match="baseline"):
        codesign(SPACE, late, ABNAR, REFERENCE, weighing=Weighing(chip=1.0))
