"""Operators against hand arithmetic and limits; what a chip record leaves open is told."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exaplan.domain.errors import InputError
from exaplan.domain.technology import Chip
from exaplan.perf.kernels import attention_s, padded_volume, product_s, roofline_s
from exaplan.perf.knobs import KNOBS, chip_class, knobs_for
from exaplan.perf.machine import WEIGHT_BYTES, machine_of

CHIP = Chip(
    id="gpu", designer="NVIDIA", launch="2022-09", bf16_flop_per_s=1e15, fp8_flop_per_s=2e15, hbm_bytes=80e9,
    hbm_bandwidth_bytes_per_s=3e12, scale_up_domain=8, scale_up_bandwidth_bytes_per_s=400e9,
    scale_out_bandwidth_bytes_per_s=50e9, tdp_w=700, it_power_w=1400,
)  # fmt: skip
PLAIN = replace(
    KNOBS["hopper"], launch_s=0.0, launch_fp8_s=0.0, flop_share=0.5, flop_share_fp8=0.4, flop_share_fp4=0.3,
    memory_share=0.8, inner_half=0.0, weight_only_share=0.7, attention_share=0.5,
)  # fmt: skip
GPU = machine_of(CHIP, "bf16", PLAIN)


def systolic(tile):
    chip = CHIP.model_copy(update={"designer": "Google", "matrix_unit": "systolic", "matrix_tile": tile})
    return machine_of(chip, "bf16", PLAIN)


def unhindered(machine):
    """The same machine with memory so fast that products alone count."""
    return replace(machine, memory_bytes_per_s=1e18)


@pytest.mark.parametrize(
    ("n", "k", "tile", "share"),
    [
        (2880, 2880, 128, 0.96),
        (2880, 2880, 256, 0.88),
        (1408, 5120, 128, 1.0),
        (1408, 5120, 256, 0.92),
        (768 / 8, 4096, 256, 0.375),
        (4096, 768 / 8, 256, 0.375),
        (768 / 8, 4096, 128, 0.75),
        (768, 4096, 256, 1.0),
    ],
)
def test_systolic_tiles_waste_what_the_shape_leaves(n, k, tile, share):
    m = 4096.0
    used = m * n * k / padded_volume(m, n, k, systolic(tile))
    assert used == pytest.approx(share, abs=0.005)


def test_an_expert_768_wide_split_eight_ways_runs_at_three_eighths_of_a_256_wide_array():
    narrow, wide = (float(product_s(8192, n, 4096, unhindered(systolic(256)))) for n in (96, 256))
    assert narrow == pytest.approx(wide, rel=1e-3)  # it takes as long as the whole tile
    assert 2 * 8192 * 96 * 4096 / narrow / (1e15 * 0.5) == pytest.approx(0.375, rel=0.01)


def test_few_tokens_per_expert_hurt_the_large_array():
    assert padded_volume(16, 1024, 1024, systolic(256)) == 2 * padded_volume(16, 1024, 1024, systolic(128))
    # a tensor core swaps its operands: 16 rows are a whole tile
    assert padded_volume(16, 1024, 1024, GPU) == 16 * 1024 * 1024


def test_a_short_inner_dimension_costs_k0_more():
    slow = replace(GPU, knobs=replace(PLAIN, inner_half=150.0))
    ratio = padded_volume(4096, 4096, 150, slow) / padded_volume(4096, 4096, 150, GPU)
    assert ratio == pytest.approx(2.0)


def test_a_large_product_runs_at_its_share_of_the_peak_and_a_thin_one_at_memory_speed():
    large = float(product_s(8192, 8192, 65536, GPU))
    assert 2 * 8192 * 8192 * 65536 / large / 1e15 == pytest.approx(0.5, rel=0.01)
    thin = float(product_s(1, 8192, 65536, GPU))
    assert 2 * 8192 * 65536 / thin / 3e12 == pytest.approx(0.8, rel=0.01)


def test_a_product_by_hand():
    machine = replace(GPU, knobs=replace(PLAIN, launch_s=3e-6))
    compute = 2 * 512 * 4096 * 2048 / (1e15 * 0.5)
    memory = (4096 * 2048 * 2 + 512 * (4096 + 2048) * 2) / (3e12 * 0.8)
    by_hand = 3e-6 + (compute**4 + memory**4) ** 0.25
    assert float(product_s(512, 4096, 2048, machine)) == pytest.approx(by_hand)


def test_weights_stored_narrower_than_operands_save_bytes_and_cost_speed():
    thin = [float(product_s(1, 8192, 65536, GPU, weight_bytes=b)) for b in (2.0, WEIGHT_BYTES["int4"])]
    assert thin[1] / thin[0] == pytest.approx(0.53125 / 2, rel=0.01)
    large = [float(product_s(8192, 8192, 65536, GPU, weight_bytes=b)) for b in (2.0, 0.53125)]
    assert large[1] / large[0] == pytest.approx(1 / 0.7, rel=0.01)


def test_each_precision_has_its_own_share_of_its_own_peak():
    chip = CHIP.model_copy(update={"fp4_flop_per_s": 4e15})
    rates = [float(machine_of(chip, p, PLAIN).product_flop_per_s) for p in ("bf16", "fp8", "fp4")]
    assert rates == pytest.approx([1e15 * 0.5, 2e15 * 0.4, 4e15 * 0.3])


def test_a_grouped_product_is_its_groups_one_after_another_with_one_launch():
    machine = replace(GPU, knobs=replace(PLAIN, launch_s=3e-6))
    one, eight = (float(product_s(2048, 4096, 4096, machine, groups=g)) - 3e-6 for g in (1.0, 8.0))
    assert eight == pytest.approx(8 * one)


@pytest.mark.parametrize(
    "machine", [unhindered(GPU), unhindered(systolic(256))], ids=["tensor core", "systolic"]
)
@pytest.mark.parametrize(("n", "k"), [(4096.0, 4096.0), (96.0, 4096.0)])
def test_the_busiest_chip_pays_the_padding_of_columns_too(machine, n, k):
    # only the padding of rows can absorb imbalance: half as many rows again take half as long again
    even = float(product_s(4096.0, n, k, machine, groups=4.0))
    uneven = float(product_s(4096.0, n, k, machine, groups=4.0, hot_rows=1.5 * 4 * 4096.0))
    assert uneven / even == pytest.approx(1.5, rel=0.02)


def test_the_padding_of_rows_absorbs_imbalance():
    # 16 rows on a 256-row array: a chip with 1.5 times as many rows takes no longer
    even = product_s(16.0, 1024.0, 1024.0, systolic(256), groups=4.0)
    assert product_s(16.0, 1024.0, 1024.0, systolic(256), groups=4.0, hot_rows=96.0) == even


def test_attention_is_bound_by_flop_in_prefill_and_by_the_cache_in_decode():
    assert float(attention_s(1e12, 0.0, 0.5, GPU)) == pytest.approx(1e12 / (1e15 * 0.5))
    assert float(attention_s(0.0, 1e9, 0.5, GPU)) == pytest.approx(1e9 / (3e12 * 0.8))


@given(first=st.floats(1e-9, 1e3), second=st.floats(1e-9, 1e3))
def test_a_roofline_lies_between_the_longer_limit_and_the_sum(first, second):
    joined = float(roofline_s(first, second))
    assert max(first, second) * (1 - 1e-9) <= joined <= (first + second) * (1 + 1e-9)
    assert float(roofline_s(first, 0.0)) == pytest.approx(first)


@given(
    m=st.floats(1, 5000),
    more=st.floats(0, 3000),
    n=st.floats(1, 20000),
    k=st.floats(1, 20000),
    tile=st.sampled_from([0, 128, 256]),
)
def test_more_rows_never_take_less_time(m, more, n, k, tile):
    machine = systolic(tile) if tile else GPU
    assert product_s(m + more, n, k, machine) >= product_s(m, n, k, machine) * (1 - 1e-12)


def test_a_missing_precision_falls_back_and_says_so():
    a100 = CHIP.model_copy(update={"fp8_flop_per_s": None, "launch": "2020-11"})
    machine = machine_of(a100, "fp8")
    assert (machine.precision, machine.peak_flop_per_s, machine.weight_bytes) == ("bf16", 1e15, 1.0)
    assert any("gpu has no fp8 peak" in note for note in machine.assumptions)
    with pytest.raises(InputError, match="choose one of bf16, fp8, fp4"):
        machine_of(CHIP, "int3")


def test_unpublished_fabric_and_network_are_told():
    bare = CHIP.model_copy(
        update={"scale_up_bandwidth_bytes_per_s": None, "scale_out_bandwidth_bytes_per_s": None}
    )
    machine = machine_of(bare, "bf16")
    assert machine.domain == 1
    assert len(machine.assumptions) == 2


def test_both_ways_bandwidth_is_halved():
    chip = CHIP.model_copy(
        update={"scale_up_bandwidth_bytes_per_s": None, "scale_up_bandwidth_bidirectional_bytes_per_s": 800e9}
    )
    assert machine_of(chip, "bf16").scale_up_bytes_per_s == 400e9


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "hopper"),
        ({"fp4_flop_per_s": 4e15}, "blackwell"),
        ({"fp8_flop_per_s": None, "launch": "2020-11"}, "ampere"),
        ({"designer": "AWS/Annapurna"}, "trainium"),
        ({"designer": "Own", "matrix_unit": "systolic"}, "other_systolic"),
        ({"designer": ""}, "other_tensor_core"),
    ],
)
def test_a_chip_inherits_from_its_class(change, expected):
    chip = CHIP.model_copy(update=change)
    assert chip_class(chip) == expected
    assert knobs_for(chip) == KNOBS[expected]


@pytest.mark.parametrize(("chips", "axes"), [(256, 2.0), (8960, 3.0)])
def test_a_small_pod_is_a_flat_torus_and_a_large_one_a_cube(chips, axes):
    tpu = CHIP.model_copy(
        update={"designer": "Google", "matrix_unit": "systolic", "matrix_tile": 128, "scale_up_domain": chips}
    )
    assert knobs_for(tpu).torus_axes == axes
    assert np.isfinite(float(product_s(1, 1, 1, machine_of(tpu, "bf16"))))
