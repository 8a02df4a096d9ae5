"""Operators and collectives against hand arithmetic and limits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exaplan.domain.errors import InputError
from exaplan.domain.technology import Chip
from exaplan.perf.collectives import all_reduce_s, all_to_all_s, imbalance, scatter_s
from exaplan.perf.kernels import padded_volume, product_s
from exaplan.perf.knobs import chip_class
from exaplan.perf.machine import machine_of

CHIP = Chip(
    id="gpu", designer="NVIDIA", launch="2022-09", bf16_flop_per_s=1e15, fp8_flop_per_s=2e15, hbm_bytes=80e9,
    hbm_bandwidth_bytes_per_s=3e12, scale_up_domain=8, scale_up_bandwidth_bytes_per_s=400e9,
    scale_out_bandwidth_bytes_per_s=50e9, tdp_w=700, it_power_w=1400,
)  # fmt: skip
GPU = machine_of(CHIP, "bf16")


def systolic(tile):
    chip = CHIP.model_copy(update={"designer": "Google", "matrix_unit": "systolic", "matrix_tile": tile})
    return machine_of(chip, "bf16")


@pytest.mark.parametrize(
    ("n", "k", "tile", "share"),
    [
        (2880, 2880, 128, 0.96),
        (2880, 2880, 256, 0.88),
        (1408, 5120, 128, 1.0),
        (1408, 5120, 256, 0.92),
        (96, 4096, 256, 0.375),
    ],
)
def test_systolic_tiles_waste_what_the_shape_leaves(n, k, tile, share):
    m = 4096.0
    used = m * n * k / padded_volume(m, n, k, systolic(tile))
    assert used == pytest.approx(share, abs=0.005)


def test_few_tokens_per_expert_hurt_the_large_array():
    assert padded_volume(16, 1024, 1024, systolic(256)) == 2 * padded_volume(16, 1024, 1024, systolic(128))


def test_a_large_product_runs_at_its_share_of_the_peak_and_a_thin_one_at_memory_speed():
    large = float(product_s(8192, 8192, 65536, GPU))
    assert 2 * 8192 * 8192 * 65536 / large / 1e15 == pytest.approx(GPU.knobs.flop_share, rel=0.02)
    thin = float(product_s(1, 8192, 65536, GPU)) - GPU.knobs.launch_s
    assert 2 * 8192 * 65536 / thin / 3e12 == pytest.approx(GPU.knobs.memory_share, rel=0.02)


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


def test_all_reduce_inside_a_domain_is_the_ring_bandwidth_and_logarithmic_latency():
    expected = 2 * (7 / 8 * 1e9 / (400e9 * 0.8) + 3 * GPU.knobs.scale_up_latency_s)
    assert float(all_reduce_s(1e9, 8, 1, GPU)) == pytest.approx(expected)


def test_all_reduce_over_two_levels_sends_only_an_eighth_out():
    up = 7 / 8 * 1e9 / (400e9 * 0.8) + 3 * GPU.knobs.scale_up_latency_s
    out = 3 / 4 * 1e9 / 8 / (50e9 * 0.8) + 2 * GPU.knobs.scale_out_latency_s
    assert float(scatter_s(1e9, 32, 1, GPU)) == pytest.approx(up + out)


def test_neighbours_eight_chips_apart_talk_over_the_network_alone():
    out = 3 / 4 * 1e9 / (50e9 * 0.8) + 2 * GPU.knobs.scale_out_latency_s
    assert float(scatter_s(1e9, 4, 8, GPU)) == pytest.approx(out)


def test_a_group_of_one_says_nothing():
    assert float(all_reduce_s(1e9, 1, 1, GPU)) == 0
    assert float(all_to_all_s(1e9, 1, 1, GPU)) == 0


def test_limiting_the_domains_of_a_token_saves_network_time():
    wide = float(all_to_all_s(1e9, 64, 1, GPU))
    limited = float(all_to_all_s(1e9, 64, 1, GPU, spread=0.5))
    assert limited < wide
    assert wide == pytest.approx(56 / 64 * 1e9 / (50e9 * 0.8), rel=0.01)


def test_an_all_to_all_on_a_large_torus_is_bound_by_its_bisection():
    chip = CHIP.model_copy(
        update={"designer": "Google", "matrix_unit": "systolic", "matrix_tile": 256, "scale_up_domain": 4096}
    )
    torus = machine_of(chip, "bf16")
    # 8 x 8 x 8 chips: half of each side's bytes cross 2 x 64 links one way, each a sixth of 400 GB/s
    crossing = 512 / 2 * 1e9 / 2 / (2 * 64 * 400e9 / 6 * 0.8)
    assert float(all_to_all_s(1e9, 512, 1, torus)) == pytest.approx(crossing, rel=0.01)


def test_imbalance_falls_to_the_skew_as_tokens_grow():
    assert float(imbalance(8.0, 1.0, 1.2)) == 1.0
    assert float(imbalance(1e9, 32.0, 1.2)) == 1.2
    assert float(imbalance(16.0, 32.0, 1.0)) == pytest.approx(1 + np.sqrt(2 * np.log(32) / 16))


def test_a_missing_precision_falls_back_and_says_so():
    a100 = CHIP.model_copy(update={"fp8_flop_per_s": None, "launch": "2020-11"})
    machine = machine_of(a100, "fp8")
    assert (machine.precision, machine.peak_flop_per_s) == ("bf16", 1e15)
    assert "gpu has no fp8 peak: bf16 used" in machine.assumptions
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
    assert chip_class(CHIP.model_copy(update=change)) == expected
