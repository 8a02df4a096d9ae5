"""Sparse against dense: tiles waste what they are said to waste, costs meet at equal loss, the verdict follows the points."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from exaplan.capability.laws import ABNAR
from exaplan.io.catalogue import load_chips, load_models
from exaplan.perf.codesign.cells import Workload
from exaplan.perf.codesign.contested import Draws, contested
from exaplan.perf.codesign.sparsity import Contest, Sweep, sparse_versus_dense, tile_fill, verdict
from exaplan.perf.knobs import knobs_for
from exaplan.perf.machine import machine_of
from exaplan.perf.serving import ServeRequest
from exaplan.perf.training import TrainRequest

SPARSE = load_models()["Qwen3-30B-A3B"]
WORKLOAD = Workload(
    ServeRequest(4000.0, 1000.0, tpot_s=0.05), TrainRequest(4096.0, 4e6, 256.0), 3e14, replica_chips_max=16.0
)


# --- tiles


@pytest.mark.parametrize(
    ("chip", "fill"), [("TPU-v6e-Trillium", 0.375), ("TPU-v5p", 0.75), ("H100-SXM", 1.0)]
)
def test_an_expert_of_768_split_eight_ways_wastes_most_of_a_256_wide_array(chip, fill):
    machine = machine_of(load_chips()[chip], "bf16")
    assert float(tile_fill(4096, 768 / 8, 4096, machine)) == pytest.approx(fill)
    assert float(tile_fill(4096, 768, 4096, machine)) == pytest.approx(1.0)


def test_few_tokens_per_expert_starve_large_arrays_first():
    names = ("H100-SXM", "TPU-v5p", "TPU-v6e-Trillium")
    fills = [float(tile_fill(32, 1536, 4096, machine_of(load_chips()[name], "bf16"))) for name in names]
    assert fills == pytest.approx([1.0, 32 / 128, 32 / 256])


# --- the contest


def test_sparse_and_dense_meet_at_equal_loss_on_two_kinds_of_chip():
    chips = [load_chips()[name] for name in ("H100-SXM", "TPU-v6e-Trillium")]
    sweep = Sweep(widths=(768, 1536), batches=(8.0, 256.0), domains=(8, 64))
    found = sparse_versus_dense(chips, SPARSE, WORKLOAD, ABNAR, reference_tokens=10e12, sweep=sweep)
    assert found.ratio.shape == (2, 2, 2, 2)
    assert list(found.systolic) == [False, True]
    assert (found.sparse[..., 1] <= found.sparse[..., 0]).all(), "a larger batch allowed is never dearer"
    assert (np.diff(found.dense_sizes) < 0).all(), "fewer tokens need a larger dense model"
    assert found.split_fill[1, 0] == pytest.approx([1.0, 0.75, 0.75, 0.375])
    assert found.split_fill[0, 0] == pytest.approx([1.0, 1.0, 1.0, 1.0])
    assert verdict(found).threshold_width == (768, None)


def contest(cores, arrays_):
    ratio = np.array([cores, arrays_]).reshape(2, -1, 1, 1)
    sweep = Sweep(widths=tuple(range(1, ratio.shape[1] + 1)), batches=(1.0,), domains=(8,), splits=(1,))
    return Contest(
        chips=("core", "array"),
        systolic=np.array([False, True]),
        tiles=np.array([16.0, 256.0]),
        sweep=sweep,
        tokens_per_expert=np.ones((ratio.shape[1], 1, 1)),
        tile_fill=np.ones_like(ratio),
        split_fill=np.ones((2, ratio.shape[1], 1)),
        sparse=ratio,
        dense=np.ones((2, 1, 1)),
        sparse_training=ratio,
        dense_sizes=np.array([1e9]),
        dense_chosen=np.zeros((2, 1, 1), dtype=np.intp),
    )


@pytest.mark.parametrize(
    ("cores", "arrays_", "word"),
    [
        ([0.5, 0.6], [1.2, 1.5], "holds"),
        ([0.5, 0.6], [0.4, 0.5], "fails"),
        ([0.5, 0.6], [0.7, 0.5], "depends"),
    ],
)
def test_the_verdict_follows_the_points(cores, arrays_, word):
    assert verdict(contest(cores, arrays_)).word == word


def test_a_contest_of_one_kind_of_chip_has_no_verdict():
    one = replace(contest([0.5], [0.6]), systolic=np.array([True, True]))
    with pytest.raises(ValueError, match="claim"):
        verdict(one)


# --- coefficients


def test_given_coefficients_enter_the_contest_at_every_domain():
    chips = [load_chips()[name] for name in ("H100-SXM", "TPU-v5p")]
    sweep = Sweep(widths=(768,), batches=(16.0,), domains=(8, 9216))

    def slower(chip):
        return replace(knobs_for(chip), expert_share=0.3)

    asked = {"reference_tokens": 10e12, "sweep": sweep}
    plain = sparse_versus_dense(chips, SPARSE, WORKLOAD, ABNAR, **asked)
    slow = sparse_versus_dense(chips, SPARSE, WORKLOAD, ABNAR, knobs=slower, **asked)
    assert (slow.sparse > plain.sparse).all()
    assert slow.dense == pytest.approx(plain.dense)
    again = contested(
        chips, SPARSE, WORKLOAD, ABNAR, knobs=[slower(chip) for chip in chips], plain=plain,
        reference_tokens=10e12, draws=Draws((), {}, {}, ()),
    ).contest  # fmt: skip
    np.testing.assert_allclose(again.sparse, slow.sparse)
    np.testing.assert_allclose(again.dense, slow.dense)
