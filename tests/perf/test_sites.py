"""Several sites by hand arithmetic, in the limits, and against published simulations and losses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exaplan.perf.sites import (
    LOSS_EXPONENT_COMPUTE,
    PUBLISHED_PENALTIES,
    OuterSync,
    WideLink,
    bandwidth_needed_bytes_per_s,
    crossing_bytes,
    equal_loss_compute,
    equal_loss_slowdown,
    exchange_s,
    fitted_penalty_share,
    outer_exposed_s,
    share_lost,
    synchronous_exposed_s,
)

GIGABIT = 1e9 / 8  # bytes/s
FIBER = WideLink(bytes_per_s=100 * GIGABIT, latency_s=0.03)

sites_in_use = st.integers(1, 16)
links = st.builds(WideLink, bytes_per_s=st.floats(1e6, 1e13), latency_s=st.floats(0, 0.3))
cadences = st.builds(
    OuterSync,
    inner_steps=st.floats(1, 1000),
    bits=st.sampled_from([4.0, 16.0, 32.0]),
    fragments=st.integers(1, 8),
    overlap_steps=st.floats(0, 10),
)


def test_a_terabyte_of_gradients_over_a_terabit():
    # 500e9 parameters x 2 bytes; two sites: 2 x 1/2 x 1e12 bytes at 125e9 bytes/s = 8 s, and two hops of 30 ms
    link = WideLink(bytes_per_s=125e9, latency_s=0.03)
    assert float(exchange_s(1e12, 2, link)) == pytest.approx(8.06)
    # a 9 s step hides 6 s of it behind the backward pass
    exposed = synchronous_exposed_s(9.0, 1e12, 2, link, hidden_share=2 / 3)
    assert float(exposed) == pytest.approx(2.06)
    assert float(share_lost(9.0, exposed)) == pytest.approx(2.06 / 11.06)


def test_summing_inside_the_site_first_saves_one_crossing_per_replica():
    nested = crossing_bytes(1e12, 4, replicas_per_site=32)
    flat = crossing_bytes(1e12, 4, replicas_per_site=32, nested=False)
    assert float(nested) == 1.5e12
    assert float(flat / nested) == 32


def test_diloco_by_hand():
    # 100e9 parameters x 4 bytes = 400e9 bytes over 12.5e9 bytes/s: 32 s and 60 ms of hops, every 100 steps
    plain = OuterSync(inner_steps=100)
    assert float(outer_exposed_s(10.0, 100e9, 2, FIBER, sync=plain)) == pytest.approx(0.3206)
    # in eight parts of 4 bits: 0.5 s each, well inside one step of 10 s
    streaming = OuterSync(inner_steps=100, bits=4, fragments=8, overlap_steps=1)
    assert float(outer_exposed_s(10.0, 100e9, 2, FIBER, sync=streaming)) == 0.0
    # on a hundredth of the link: 50 s and 60 ms, of which 10 s are hidden, eight times in 100 steps
    slow = WideLink(GIGABIT, 0.03)
    assert float(outer_exposed_s(10.0, 100e9, 2, slow, sync=streaming)) == pytest.approx(8 * 40.06 / 100)


def test_a_part_cannot_hide_behind_more_steps_than_lie_between_two_parts():
    link = WideLink(bytes_per_s=1e9, latency_s=0.0)
    greedy = OuterSync(inner_steps=8, bits=8, fragments=8, overlap_steps=100)
    # 8 s of bytes per part, one part per step of 1 s: the link binds, 8 s per step
    assert float(outer_exposed_s(1.0, 64e9, 2, link, sync=greedy)) == pytest.approx(7.0)


@given(step=st.floats(0.1, 100), size=st.floats(1e6, 1e14), link=links, sync=cadences)
def test_one_site_loses_nothing(step, size, link, sync):
    assert float(synchronous_exposed_s(step, size, 1, link, hidden_share=0.0)) == 0
    assert float(outer_exposed_s(step, size, 1, link, sync=sync)) == 0


def test_synchronizing_ever_more_rarely_loses_nothing():
    cadence = OuterSync(inner_steps=np.logspace(0, 9, 10))
    exposed = outer_exposed_s(10.0, 1e12, 4, FIBER, sync=cadence)
    assert np.all(np.diff(exposed) < 0)
    assert exposed[-1] < 1e-6


@given(step=st.floats(0.1, 100), size=st.floats(1e6, 1e14), sites=sites_in_use, link=links, sync=cadences)
def test_more_bandwidth_is_never_slower(step, size, sites, link, sync):
    wider = WideLink(link.bytes_per_s * 1.7, link.latency_s)
    assert synchronous_exposed_s(step, size, sites, wider, hidden_share=0.5) <= synchronous_exposed_s(
        step, size, sites, link, hidden_share=0.5
    )
    assert outer_exposed_s(step, size, sites, wider, sync=sync) <= outer_exposed_s(
        step, size, sites, link, sync=sync
    )


@given(size=st.floats(1e6, 1e14), sites=st.integers(1, 15), link=links)
def test_one_more_site_never_exchanges_faster(size, sites, link):
    assert exchange_s(size, sites + 1, link) >= exchange_s(size, sites, link)


@given(
    lost=st.floats(0.01, 0.9),
    step=st.floats(0.1, 100),
    parameters=st.floats(1e8, 1e13),
    sites=st.integers(2, 16),
    sync=cadences,
)
def test_the_bandwidth_asked_for_loses_just_the_share_allowed(lost, step, parameters, sites, sync):
    rate = bandwidth_needed_bytes_per_s(lost, step, parameters, sites, latency_s=0.0, sync=sync)
    exposed = outer_exposed_s(step, parameters, sites, WideLink(rate, 0.0), sync=sync)
    assert float(share_lost(step, exposed)) == pytest.approx(lost, rel=1e-6)


def test_latency_alone_may_lose_more_than_is_allowed():
    every_step = OuterSync(inner_steps=1)
    needed = bandwidth_needed_bytes_per_s(0.01, 1.0, 1e9, np.array([1, 2]), latency_s=0.1, sync=every_step)
    assert needed.tolist() == [0.0, np.inf]


# Bandwidth in Gbit/s for a share of compute time of 50, 80, 90, 95 and 99 %: a simulation layer by layer, two replicas
# (arXiv 2503.09799, table 6; its grid of bandwidths steps by a factor of 1.2).
SIMULATED = [
    (10e9, 0.8, 10, [16.0, 49.4, 86.8, 152.6, 222.3]),
    (10e9, 0.8, 50, [3.0, 11.0, 23.3, 41.0, 126.5]),
    (10e9, 0.8, 100, [1.4, 6.2, 13.3, 23.3, 86.8]),
    (10e9, 0.8, 300, [0.5, 2.0, 4.3, 9.1, 41.0]),
    (405e9, 26.0, 10, [19.3, 72.0, 126.5, 184.2, 268.3]),
    (405e9, 26.0, 50, [3.6, 13.3, 28.1, 59.6, 184.2]),
    (405e9, 26.0, 100, [2.0, 7.5, 16.0, 33.9, 126.5]),
    (405e9, 26.0, 300, [0.7, 3.0, 6.2, 13.3, 59.6]),
    (671e9, 20.0, 10, [49.4, 152.6, 268.3, 390.7, 686.6]),
    (671e9, 20.0, 50, [7.5, 33.9, 72.0, 126.5, 390.7]),
    (671e9, 20.0, 100, [4.3, 16.0, 41.0, 72.0, 268.3]),
    (671e9, 20.0, 300, [1.7, 6.2, 13.3, 28.1, 126.5]),
]


@pytest.mark.parametrize(("parameters", "step_s", "inner_steps", "gigabits"), SIMULATED)
def test_bandwidth_for_a_share_of_compute_is_that_of_a_published_simulation(
    parameters, step_s, inner_steps, gigabits
):
    lost = 1 - np.array([0.5, 0.8, 0.9, 0.95, 0.99])
    bf16 = OuterSync(
        inner_steps=inner_steps, bits=16, overlap_steps=1
    )  # sums overlap the step that made them
    needed = bandwidth_needed_bytes_per_s(lost, step_s, parameters, 2, latency_s=0.0, sync=bf16) / GIGABIT
    ratio = needed / np.array(gigabits)
    assert np.all((ratio > 1 / 1.5) & (ratio < 1.5)), ratio
    assert abs(np.log(np.median(ratio))) < 0.35


def test_streaming_with_four_bits_and_a_hundred_steps_exchanges_400_times_fewer_bits():
    # arXiv 2501.18512, table 1: data-parallel in 16 bits every step against 4 bits every 100 steps
    every_step = crossing_bytes(1e9 * 2, 2)
    streaming = crossing_bytes(1e9 * 4 / 8, 2) / 100
    assert float(every_step / streaming) == 400


def test_the_published_losses_improve_with_size_and_worsen_with_replicas():
    laws = [row for row in PUBLISHED_PENALTIES if "2503.09799" in row.source]
    assert {row.replicas for row in laws} == {1, 2, 4, 8}
    eight = [row.penalty_share for row in laws if row.replicas == 8]
    assert eight[0] == pytest.approx(0.039, abs=5e-4)
    assert eight[-1] == pytest.approx(0.011, abs=5e-4)
    assert eight == sorted(eight, reverse=True)
    assert all(row.penalty_share < 0 for row in laws if row.replicas == 1)


@pytest.mark.parametrize(
    "row", [row for row in PUBLISHED_PENALTIES if row.replicas > 1 and row.inner_steps == 30]
)
def test_the_published_power_laws_give_the_published_losses(row):
    assert float(fitted_penalty_share(row.parameters, row.replicas)) == pytest.approx(
        row.penalty_share, abs=0.012
    )


def test_one_percent_of_loss_costs_a_quarter_of_the_compute():
    # an exponent of 0.04765: 1.01 to the power of 21
    assert float(equal_loss_compute(0.01, LOSS_EXPONENT_COMPUTE)) == pytest.approx(1.232, abs=1e-3)
    # and the multiplier undoes the penalty on the power law itself
    compute = equal_loss_compute(0.03, 0.05)
    assert float(1.03 * compute**-0.05) == pytest.approx(1.0)


def test_waiting_and_loss_multiply():
    slow = equal_loss_slowdown(10.0, 1.0, penalty_share=0.0, exponent=0.05)
    assert float(slow) == pytest.approx(1.1)
    both = equal_loss_slowdown(10.0, 1.0, penalty_share=np.array([0.0, 0.01]), exponent=LOSS_EXPONENT_COMPUTE)
    assert both[1] / both[0] == pytest.approx(1.232, abs=1e-3)


def test_a_trillion_parameters_over_two_sites_need_rare_synchronization_on_a_thin_link():
    link = WideLink(400 * GIGABIT, 0.03)
    every_step = synchronous_exposed_s(20.0, 2e12, np.array([1, 2, 4]), link, hidden_share=2 / 3)
    assert every_step[0] == 0 < every_step[1] < every_step[2]
    assert float(share_lost(20.0, every_step[1])) > 0.5
    rare = OuterSync(inner_steps=100, bits=4, fragments=8, overlap_steps=1)
    assert float(outer_exposed_s(20.0, 1e12, 4, link, sync=rare)) == 0
