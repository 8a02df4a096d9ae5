"""Failures and checkpoints against hand arithmetic, an event-by-event simulation, and what operators published."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exaplan.perf.goodput import (
    A100_RSC1,
    A100_RSC2,
    H100_LLAMA3,
    HOUR_S,
    DeliveredShares,
    Recovery,
    daly_interval_s,
    ettr_share,
    failure_rate_of,
    first_order_share,
    goodput_share,
    in_service_share,
    mean_restart_s,
    running_share,
    spare_chip_share,
    spare_shortage_share,
    young_interval_s,
)

MINUTE_S, DAY_S = 60.0, 86_400.0
CAREFUL = Recovery(write_s=10.0, restart_s=600.0, straggler_share=0.02)

durations = st.floats(1.0, 5_000.0)
lifetimes = st.floats(2_000.0, 1e7)


def simulated_share(interval, write, restart, mtbf, *, seed=3, cycles=60_000):
    """Play checkpoint cycles one by one, each with its own failures; no formula shared with the code under test."""
    rng = np.random.default_rng(seed)
    elapsed = 0.0
    for _ in range(cycles):
        while True:
            failure = rng.exponential(mtbf)
            if failure > interval + write:
                elapsed += interval + write
                break
            elapsed += failure
            while (again := rng.exponential(mtbf)) < restart:  # a restart may fail too
                elapsed += again
            elapsed += restart
    return cycles * interval / elapsed


def test_the_share_of_kept_work_is_that_of_a_run_played_event_by_event():
    played = simulated_share(600.0, 40.0, 200.0, 3_000.0, cycles=20_000)
    assert float(running_share(600.0, 40.0, 200.0, 3_000.0)) == pytest.approx(played, rel=0.01)


def test_rare_failures_cost_the_write_half_an_interval_and_the_restart():
    exact = float(running_share(1_000.0, 20.0, 300.0, 1e6))
    # 20/1000 written, (500 + 300)/1e6 lost
    assert exact == pytest.approx(1 - 0.0208, abs=5e-4)
    assert exact == pytest.approx(float(first_order_share(1_000.0, 20.0, 300.0, 1e6)), abs=1e-4)


def test_nothing_fails_and_nothing_is_written_then_nothing_is_lost():
    assert float(running_share(1.0, 0.0, 600.0, 1e15)) == pytest.approx(1.0, abs=1e-9)


def test_free_checkpoints_leave_the_restarts_alone():
    share = goodput_share(1_000, mtbf_chip_s=1e7, recovery=Recovery(0.0, 500.0, 0.0))
    assert float(share) == pytest.approx(np.exp(-500 / 1e4), rel=1e-6)


def test_a_job_that_never_lasts_an_interval_keeps_nothing():
    assert float(running_share(1e6, 10.0, 10.0, 100.0)) == 0.0


@given(write=durations, mtbf=lifetimes, off=st.floats(0.3, 3.0), restart=durations)
def test_no_other_interval_beats_the_best_one(write, mtbf, off, restart):
    best = daly_interval_s(write, mtbf)
    if write < mtbf / 20:  # the expansion is in write/(2 MTBF)
        assert (
            running_share(best, write, restart, mtbf)
            >= running_share(best * off, write, restart, mtbf) - 1e-3
        )


def test_young_and_daly_agree_where_writing_is_quick():
    assert float(young_interval_s(50.0, 10_000.0)) == 1_000.0
    assert float(daly_interval_s(1.0, 1e8)) == pytest.approx(float(young_interval_s(1.0, 1e8)), rel=1e-3)
    assert float(daly_interval_s(500.0, 100.0)) == 100.0  # writing lasts longer than the job lives


@pytest.mark.parametrize("write", [1.0, 50.0, 500.0])
def test_daly_lands_on_the_interval_that_trying_all_of_them_finds(write):
    tried = np.geomspace(1.0, 1e5, 200_001)
    best = tried[np.argmax(running_share(tried, write, 300.0, 1e4))]
    assert float(daly_interval_s(write, 1e4)) == pytest.approx(best, rel=2e-3)


def test_stragglers_take_their_share_of_what_failures_leave():
    shares = goodput_share(8, mtbf_chip_s=1e9, recovery=Recovery(10.0, 600.0, np.array([0.0, 0.03])))
    assert shares[1] / shares[0] == pytest.approx(0.97)


@given(chips=st.floats(1, 1e5), more=st.floats(1, 10), mtbf=st.floats(1e7, 1e10), write=st.floats(0, 100))
def test_more_chips_never_raise_goodput_and_better_chips_never_lower_it(chips, more, mtbf, write):
    recovery = Recovery(write, 300.0, 0.01)
    now = goodput_share(chips, mtbf_chip_s=mtbf, recovery=recovery)
    assert goodput_share(chips * more, mtbf_chip_s=mtbf, recovery=recovery) <= now + 1e-9
    assert goodput_share(chips, mtbf_chip_s=mtbf * more, recovery=recovery) >= now - 1e-9
    assert 0 <= now <= 1


# Llama 3 405B: 419 unexpected interruptions in 54 days on 16,384 H100, more than 90 % effective training time
# (arXiv 2407.21783, section 3.3.4).
def test_llama3_was_interrupted_every_three_hours():
    job_s = H100_LLAMA3.mtbf_chip_s / 16_384
    assert job_s / HOUR_S == pytest.approx(3.1, abs=0.05)


def test_llama3_trains_for_over_nine_tenths_of_the_time():
    # 405e9 x 14 bytes of weights and optimizer at the 2 TB/s that its storage sustains; ten minutes to restart, assumed
    write_s = 405e9 * 14 / 2e12
    shares = goodput_share(
        16_384,
        mtbf_chip_s=H100_LLAMA3.mtbf_chip_s,
        recovery=Recovery(write_s, np.array([300.0, 600, 900]), 0.0),
    )
    assert shares[1] > 0.90
    assert np.all((shares > 0.88) & (shares < 0.97))


# Meta's research clusters (arXiv 2410.21680): RSC-1 6.50 and RSC-2 2.34 failures per 1,000 node-days, restarts of 5 to 20
# minutes, writes hidden.
@pytest.mark.parametrize(("chips", "hours"), [(16_384, 1.8), (131_072, 0.23)])
def test_projected_time_to_failure_of_jobs_on_rsc1(chips, hours):
    assert A100_RSC1.mtbf_chip_s / chips / HOUR_S == pytest.approx(hours, rel=0.03)


def test_ettr_of_2048_to_4096_chips_on_rsc1_with_hourly_checkpoints_is_over_nine_tenths():
    chips, restart_s = np.array([[2048], [3072], [4096]]), np.array([5, 10, 15, 20]) * MINUTE_S
    share = ettr_share(HOUR_S, restart_s, A100_RSC1.mtbf_chip_s / chips)
    assert 0.90 < share.mean() < 0.95  # published: over 0.9 on average
    assert share.min() > 0.88


def test_five_minutes_between_checkpoints_bring_the_whole_of_rsc1_to_an_ettr_of_093():
    job_s = A100_RSC1.mtbf_chip_s / 16_384  # 16 k chips, the size of RSC-1; five minutes to restart
    assert float(ettr_share(5 * MINUTE_S, 5 * MINUTE_S, job_s)) == pytest.approx(0.93, abs=0.005)


def test_a_hundred_thousand_chips_at_the_rate_of_rsc2_need_minutes_for_an_ettr_of_nine_tenths():
    job_s = A100_RSC2.mtbf_chip_s / 100_000
    minutes = np.array([2.0, 5.0])
    share = ettr_share(minutes * MINUTE_S, minutes * MINUTE_S, job_s)
    assert share[0] > 0.9 > share[1]  # published: "about 2 minutes" for both


def test_the_published_estimator_is_the_exact_model_to_first_order():
    job_s = 50 * HOUR_S
    estimate = ettr_share(HOUR_S, 600.0, job_s)
    assert float(estimate) == pytest.approx(float(running_share(HOUR_S, 0.0, 600.0, job_s)), abs=2e-4)


def test_waiting_in_the_queue_after_each_failure_costs_its_share():
    assert float(ettr_share(0.0, 0.0, 9 * HOUR_S, queue_s=HOUR_S)) == pytest.approx(0.9)


# HLAT on 4,096 Trainium: 98.81 % of the time training with automatic restarts, 77.83 % with manual ones
# (arXiv 2404.10630, as tabulated by glennklockwood.com/garden/job-reliability). No failure rate is published.
def test_one_failure_rate_explains_hlat_with_and_without_automatic_restarts():
    automatic = Recovery(write_s=5.0, restart_s=600.0, straggler_share=0.0)
    rates_s = np.geomspace(2e4, 2e6, 4000) * HOUR_S  # per chip
    share = goodput_share(4096, mtbf_chip_s=rates_s, recovery=automatic)
    rate_s = rates_s[np.argmin(np.abs(share - 0.9881))]
    assert 5e4 < rate_s / HOUR_S < 3e5  # hours per chip: as good as the better of Meta's clusters
    by_hand = np.linspace(0.1, 24, 2000) * HOUR_S
    share = goodput_share(4096, mtbf_chip_s=rate_s, recovery=Recovery(5.0, by_hand, 0.0))
    wait_h = by_hand[np.argmin(np.abs(share - 0.7783))] / HOUR_S
    assert 2 < wait_h < 12  # somebody sleeps


def test_a_family_without_a_published_rate_says_so():
    assert failure_rate_of("hopper").kind == "measured"
    assert failure_rate_of("gaudi").kind == "assumed"
    assert "arXiv" in failure_rate_of("ampere").source


def test_units_in_repair_are_out_of_service():
    # a node of 8 chips of 50,000 hours fails every 6,250 hours and is away for 62.5
    assert float(in_service_share(50_000 * HOUR_S, 62.5 * HOUR_S, 8)) == pytest.approx(1 / 1.01)


def test_spares_run_out_as_often_as_poisson_says():
    # load 2: P(K >= 3) = 1 - e^-2 (1 + 2 + 2)
    assert float(spare_shortage_share(2.0, 3)) == pytest.approx(1 - 5 * np.exp(-2))
    assert spare_shortage_share(np.array([2.0, 0.0]), np.array([0, 1])).tolist() == [1.0, 0.0]
    assert float(spare_shortage_share(1e6, np.inf)) == 0.0


@given(load=st.floats(0, 300), spares=st.integers(0, 200))
def test_one_more_spare_never_hurts(load, spares):
    some, more = spare_shortage_share(load, np.array([spares, spares + 1]))
    assert 0 <= more <= some <= 1


def test_without_spares_a_failure_waits_for_its_own_repair():
    day = Recovery(0.0, 600.0, 0.0, repair_s=DAY_S, spares=np.array([0.0, 4.0, np.inf]))
    waits = mean_restart_s(16_384, H100_LLAMA3.mtbf_chip_s, day)
    assert waits[0] == 600 + DAY_S
    assert waits[0] > waits[1] > waits[2] == 600


def test_spares_are_chips_too():
    node = Recovery(0.0, 0.0, 0.0, spares=8, chips_per_unit=8)
    assert float(spare_chip_share(576, node)) == pytest.approx(0.1)


def test_everything_broadcasts():
    share = goodput_share(np.array([[1e3], [1e4]]), mtbf_chip_s=np.array([1e8, 1e9, 1e10]), recovery=CAREFUL)
    assert share.shape == (2, 3)
    assert np.isfinite(share).all()


def test_the_shares_of_delivered_compute_are_kept_apart_and_multiply():
    shares = DeliveredShares(allocated=0.9, busy=0.95, goodput=0.92, mfu=0.4)
    assert float(shares.product) == pytest.approx(0.9 * 0.95 * 0.92 * 0.4)
    assert float(shares.effective_flop_per_s(989e12, 1000)) == pytest.approx(989e15 * float(shares.product))
    assert shares.words().endswith("= 31.5 % of peak")
