"""Programs that several tests of the optimiser share."""

from collections.abc import Callable

import numpy as np
import pytest

from exaplan.optimize.blocks import Builder
from exaplan.optimize.model import Model


@pytest.fixture(scope="session")
def furnace() -> Model:
    """Wyndor Glass (Hillier and Lieberman): optimum 36 at (2, 6), shadow prices 0, 3/2 and 1."""
    builder = Builder()
    batches = builder.variable("batches", (2,), cost=[3.0, 5.0])
    hours = builder.rows("hours", (3,), upper=[4.0, 12.0, 18.0])
    builder.add(hours, [0, 1, 2, 2], batches.index[[0, 1, 0, 1]], [1.0, 2.0, 3.0, 2.0])
    return builder.build("max")


@pytest.fixture(scope="session")
def random_model() -> Callable[[int, str], Model]:
    """Bounded, feasible programs with limits, floors and equations; x = 1 is feasible in all of them."""

    def made(seed: int, sense: str = "max", columns: int = 12, rows: int = 7) -> Model:
        rng = np.random.default_rng(seed)
        builder = Builder()
        x = builder.variable("x", (columns,), lower=-rng.random(columns), upper=1 + rng.random(columns) * 3,
                             cost=rng.normal(size=columns))  # fmt: skip
        matrix = rng.normal(size=(rows, columns)) * (rng.random((rows, columns)) < 0.6)
        matrix[np.arange(rows), np.arange(rows)] = (
            rng.random(rows) + 0.5
        )  # no row is empty or a multiple of another
        at_one = matrix.sum(axis=1)
        slack = rng.random(rows) + 0.05
        kind = np.arange(rows) % 3
        row = builder.rows(
            "row", (rows,),
            lower=np.where(kind == 0, -np.inf, np.where(kind == 1, at_one - slack, at_one)),
            upper=np.where(kind == 0, at_one + slack, np.where(kind == 1, np.inf, at_one)),
        )  # fmt: skip
        builder.add(row, row.position[:, None], x.index, matrix)
        return builder.build(sense)

    return made
