"""The builder: arrays in, one sparse matrix out."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exaplan.optimize.blocks import Builder
from exaplan.optimize.model import Model


def dense(model: Model) -> np.ndarray:
    matrix = np.zeros((model.row_count, model.column_count))
    matrix[model.index, model.entry_column] = model.value
    return matrix


def test_columns_and_rows_are_numbered_in_order_of_declaration():
    builder = Builder()
    a = builder.variable("a", (2, 3))
    b = builder.variable("b", ())
    limit = builder.rows("limit", (4,))
    assert a.index.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert b.index == 6
    assert limit.index.tolist() == [0, 1, 2, 3]
    assert builder.names == ("a", "b", "limit")
    assert a.labels()[4] == a.label(4) == "a[1,1]"
    assert b.label(6) == "b"


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(-3, 3)), max_size=40))
def test_entries_that_meet_are_summed_and_zeros_vanish(entries):
    builder = Builder()
    builder.variable("x", (5,))
    row = builder.rows("row", (4,))
    expected = np.zeros((4, 5))
    for i, j, value in entries:
        builder.add(row, i, j, value)
        expected[i, j] += value
    model = builder.build()
    assert (dense(model) == expected).all()
    assert model.entry_count == np.count_nonzero(expected)
    assert model.start[-1] == model.entry_count


def test_arrays_broadcast_together():
    builder = Builder()
    use = builder.variable("use", (2, 3), upper=[[1.0], [2.0]])
    power = builder.rows("power", (2,), upper=[7.0, 8.0])
    builder.add(power, power.position[:, None], use.index, [1.0, 2.0, 4.0])
    model = builder.build()
    assert dense(model).tolist() == [[1, 2, 4, 0, 0, 0], [0, 0, 0, 1, 2, 4]]
    assert model.upper.tolist() == [1, 1, 1, 2, 2, 2]


def test_rows_added_in_any_order_build_the_same_model():
    models = []
    for order in ([0, 1, 2], [2, 0, 1]):
        builder = Builder()
        x = builder.variable("x", (3,))
        row = builder.rows("row", (3,))
        for k in order:
            builder.add(row, k, x.index, [1.0, 0.0, k + 2.0])
        models.append(builder.build())
    assert all(
        np.array_equal(getattr(models[0], f), getattr(models[1], f)) for f in ("start", "index", "value")
    )


def test_misuse_is_refused_by_name():
    builder = Builder()
    x = builder.variable("x", (3,))
    row = builder.rows("row", (2,))
    stranger = Builder().rows("stranger", (2,))
    for attempt, reason in (
        (lambda: builder.variable("row", ()), "'row' is taken"),
        (lambda: builder.variable("y", (3,), cost=[1.0, 2.0]), r"y cost: values of shape \(2,\)"),
        (lambda: builder.add(row, [2], x.index[:1], 1.0), "row_index: numbers 2..2 leave the range 0..1"),
        (lambda: builder.add(row, [0], [3], 1.0), "columns: numbers 3..3"),
        (lambda: builder.add(row, [0.0], [1], 1.0), "expected integers"),
        (lambda: builder.add(row, [0, 1], x.index, 1.0), "do not broadcast"),
        (lambda: builder.add(row, [0], [1], np.nan), "NaN"),
        (lambda: builder.add(stranger, [0], [1], 1.0), "not declared by this builder"),
    ):
        with pytest.raises(ValueError, match=reason):
            attempt()


def test_a_built_model_does_not_change_with_its_builder_or_its_inputs():
    upper = np.array([1.0, 2.0])
    builder = Builder()
    builder.variable("x", (2,), upper=upper)
    model = builder.build()
    upper[0] = 9.0
    builder.variable("y", ())
    assert model.upper.tolist() == [1.0, 2.0]
    assert list(model.columns) == ["x"]
    with pytest.raises(ValueError, match="read-only"):
        model.upper[0] = 3.0


def test_a_builder_goes_on_after_it_has_built():
    builder = Builder()
    x = builder.variable("x", (2,))
    row = builder.rows("row", (2,))
    builder.add(row, row.position, x.index, [1.0, 2.0])
    before = builder.build()
    builder.add(row, row.position, x.index, [10.0, -2.0])
    y = builder.variable("y", ())
    builder.add(row, 0, y.index, 5.0)
    assert dense(before).tolist() == [[1, 0], [0, 2]]
    assert dense(builder.build()).tolist() == [[11, 0, 5], [0, 0, 0]]
    assert builder.build().entry_count == 2


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=12))
def test_what_meets_is_summed_in_the_order_in_which_it_was_added(numbers):
    builder = Builder()
    x = builder.variable("x", ())
    row = builder.rows("row", ())
    for number in numbers:
        builder.add(row, 0, x.index, number)
    once = Builder()
    once.variable("x", ())
    once.rows("row", ())
    once.add(row, 0, x.index, np.array(numbers))
    assert builder.build().value.tobytes() == once.build().value.tobytes()


def test_coefficients_added_are_copied():
    values = np.ones(3)
    builder = Builder()
    x = builder.variable("x", (3,))
    row = builder.rows("row", (3,))
    builder.add(row, row.position, x.index, values)
    values[:] = 9.0
    assert builder.build().value.tolist() == [1.0, 1.0, 1.0]


def test_building_needs_little_more_memory_than_what_is_given_and_what_comes_out():
    builder = Builder()
    x = builder.variable("x", (20_000, 10), cost=1.0)
    tracemalloc.start()
    for family in range(10):
        row = builder.rows(f"row{family}", (20_000,))
        builder.add(row, row.position[:, None], x.index, 1.0 + family)
        builder.add(row, row.position[1:, None], x.index[:-1], -1.0)
    model = builder.build()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    held = sum(getattr(model, f).nbytes for f in ("start", "index", "value", "cost", "lower", "upper"))
    given = model.entry_count * (4 + 4 + 8)
    assert peak < 1.25 * (held + given)
