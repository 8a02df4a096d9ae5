"""Where the shipped coefficients land on the shipped measurements, and that nothing measured is read to predict.

Bounds are loose on purpose: docs/accuracy.md says how good a prediction is that has not seen its row.
"""

from dataclasses import replace

import numpy as np
import pytest

from exaplan.domain.measured import Measurements
from exaplan.io.calibration import load_calibration
from exaplan.io.measured import read_measurements
from exaplan.perf.calibration.interval import CENTRAL_80
from exaplan.perf.calibration.validate import predictions


@pytest.fixture(scope="module")
def everything():
    return read_measurements()


@pytest.fixture(scope="module")
def some(everything):
    """Rows of every second group: those of one table are much alike."""
    rows = (*everything.training, *everything.serving)
    kept = set(sorted({row.group for row in rows})[::2])
    return Measurements(
        tuple(row for row in everything.training if row.group in kept),
        tuple(row for row in everything.serving if row.group in kept),
    )


@pytest.fixture(scope="module")
def shipped(some):
    return predictions(some, load_calibration())


@pytest.fixture(scope="module")
def start(some):
    return predictions(some, None)


def middle(found, rows, values):
    """Median over rows, groups weighted equally."""
    _, inverse, sizes = np.unique(found.groups[rows], return_inverse=True, return_counts=True)
    order = np.argsort(values[rows])
    held = np.cumsum((1 / sizes[inverse])[order])
    return float(values[rows][order][np.searchsorted(held, held[-1] / 2)])


def chosen(found, task, family):
    rows = (found.tasks == task) & (found.families == family)
    assert np.unique(found.groups[rows]).size >= 6
    return rows


def test_every_row_of_the_tables_is_read_or_skipped_for_a_reason(everything):
    roots = {row.id.split(":")[0] for row in (*everything.training, *everything.serving)}
    assert len(roots | {row.id for row in everything.skipped}) >= 645 + 1082 + 1324
    assert all(row.reason for row in everything.skipped)


def test_at_least_95_percent_of_rows_of_a_known_architecture_are_covered(everything):
    refused = sum(not row.excluded for row in everything.skipped)
    roots = {row.id.split(":")[0] for row in (*everything.training, *everything.serving)}
    assert len(roots) / (len(roots) + refused) >= 0.95


def test_every_prediction_and_its_interval_are_numbers(shipped):
    for values in (shipped.log_modelled, shipped.log_sd, shipped.variance):
        assert np.isfinite(values).all()
    assert (shipped.log_sd > 0).all()
    assert (shipped.variance >= 0).all()


@pytest.mark.parametrize(
    ("task", "family", "limit"),
    [
        ("pretrain", "dense", 0.15),
        ("pretrain", "moe", 0.40),
        ("throughput", "dense", 0.25),
        ("throughput", "moe", 0.35),
        ("tpot", "dense", 0.20),
        ("tpot", "moe", 0.25),
        ("ttft", "dense", 0.80),
        ("ttft", "moe", 0.80),
    ],
)
def test_the_middle_row_is_near_what_was_measured(shipped, task, family, limit):
    rows = chosen(shipped, task, family)
    assert middle(shipped, rows, np.abs(shipped.errors)) < limit
    assert abs(middle(shipped, rows, shipped.errors)) < limit


def test_the_start_alone_is_within_a_factor_of_two_of_the_middle_row(start):
    for task in ("pretrain", "tpot", "throughput"):
        for family in ("dense", "moe"):
            assert middle(start, chosen(start, task, family), np.abs(start.errors)) < np.log(2)


def test_the_fit_is_nearer_than_its_start(shipped, start):
    rows = np.ones(shipped.ids.size, dtype=bool)
    assert middle(shipped, rows, np.abs(shipped.errors)) < middle(start, rows, np.abs(start.errors))


def test_eighty_percent_intervals_hold_at_least_most_rows(shipped):
    # wide enough for rows that a refit has not seen, so wider than rows that the fit did see need
    held = np.abs(shipped.errors) <= CENTRAL_80 * shipped.log_sd
    assert np.mean(held) > 0.7


def test_faster_rows_of_a_sweep_are_modelled_faster(shipped):
    agreements = []
    for sweep in np.unique(shipped.sweeps):
        rows = np.flatnonzero((shipped.sweeps == sweep) & (shipped.tasks == "tpot"))
        if rows.size < 8:
            continue
        ranks = [
            np.argsort(np.argsort(values[rows])) for values in (shipped.log_modelled, shipped.log_measured)
        ]
        agreements.append(np.corrcoef(*ranks)[0, 1])
    assert len(agreements) > 5
    assert np.median(agreements) > 0.8


def test_predictions_do_not_move_when_measured_values_are_shuffled(some):
    rng = np.random.default_rng(0)
    rows = Measurements(some.training[:60], some.serving[:120])
    values = rng.permutation([row.measured for row in (*rows.training, *rows.serving)]).tolist()
    shuffled = [
        replace(row, measured=v) for row, v in zip((*rows.training, *rows.serving), values, strict=True)
    ]
    after = predictions(Measurements(tuple(shuffled[:60]), tuple(shuffled[60:])), load_calibration())
    before = predictions(rows, load_calibration())
    assert after.log_modelled.tobytes() == before.log_modelled.tobytes()
    assert after.log_sd.tobytes() == before.log_sd.tobytes()
