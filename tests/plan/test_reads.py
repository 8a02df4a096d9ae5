"""Rates and futures are made anew when the change touches what they read, and would be the same when it does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pydantic import BaseModel

from exaplan.domain.lab import Lab
from exaplan.domain.quarter import Quarter
from exaplan.domain.uncertain import Uncertain
from exaplan.economy.sampling import sample_world
from exaplan.economy.tree import grow_tree
from exaplan.io.labfile import read_lab
from exaplan.perf.rate_table import fill_rates
from exaplan.plan.reads import read_by_futures, read_by_rates

SMALL = Path(__file__).parents[1] / "io" / "small.yaml"
Path_ = tuple[str | int, ...]


@pytest.fixture(scope="module")
def lab() -> Lab:
    futures = {"futures.samples": "200", "futures.branches": "{2026-Q4: 2}", "futures.seed": "3"}
    return read_lab(SMALL, overrides=futures)


def places(value: object, path: Path_ = ()) -> Iterator[tuple[Path_, object]]:
    """Every number, switch and quarter of a record with the way to it, and another value for it."""
    other = another(value)
    if other is not None:
        yield path, other
        return
    parts: list[tuple[str | int, object]] = []
    if isinstance(value, BaseModel):
        parts = [(name, getattr(value, name)) for name in type(value).model_fields if name != "origins"]
    elif isinstance(value, dict):
        parts = list(value.items())
    elif isinstance(value, tuple):
        parts = list(enumerate(value))
    for step, part in parts:
        yield from places(part, (*path, step))


def another(value: object) -> object:
    """Another value of the same kind; None for what is no number, switch or quarter."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | Quarter):
        return value + 1
    if isinstance(value, float):
        return value * 0.97 + 0.001  # zero moves too
    if isinstance(value, Uncertain):
        near = Uncertain.point(value.low + 0.01)
        return near if value.is_certain else value.model_copy(update={"low": value.low * 0.98})
    return None


def put(value: object, path: Path_, new: object) -> object:
    """Return the record with one value replaced."""
    if not path:
        return new
    step, rest = path[0], path[1:]
    if isinstance(value, BaseModel):
        return value.model_copy(update={str(step): put(getattr(value, str(step)), rest, new)})
    if isinstance(value, dict):
        return {**value, step: put(value[step], rest, new)}
    assert isinstance(value, tuple)
    assert isinstance(step, int)
    return (*value[:step], put(value[step], rest, new), *value[step + 1 :])


def unread(lab: Lab, key) -> list[tuple[Path_, object]]:
    """Changes that leave the key alone."""
    return [(path, new) for path, new in places(lab) if key(put(lab, path, new)) == key(lab)]


def all_changed(lab: Lab, changes: list[tuple[Path_, object]]) -> Lab:
    for path, new in changes:
        lab = put(lab, path, new)
    assert isinstance(lab, Lab)
    return lab


def names(changes: list[tuple[Path_, object]]) -> set[str]:
    return {".".join(str(step) for step in path) for path, _ in changes}


def test_what_leaves_the_key_of_the_rates_alone_leaves_the_rates_alone(lab: Lab) -> None:
    changes = unread(lab, read_by_rates)
    assert {"finance.cash_usd", "offers.0.availability", "sites.0.pue", "policy.risk.weight"} <= names(
        changes
    )
    assert not any(path[0] in ("chips", "models", "software") for path, _ in changes)
    before, after = fill_rates(lab), fill_rates(all_changed(lab, changes))
    for field in ("mean", "log_sd", "feasible", "power_w", "idle_power_w", "configuration", "bottleneck"):
        assert np.array_equal(getattr(before, field), getattr(after, field)), field


def test_what_leaves_the_key_of_the_futures_alone_leaves_the_futures_alone(lab: Lab) -> None:
    changes = unread(lab, read_by_futures)
    assert {
        "finance.cash_usd",
        "workloads.0.tpot_s",
        "capability.parity_flop_per_quarter",
        "chips.h100.hbm_bytes",
    } <= names(changes)
    assert not any(path[0] in ("futures", "horizon") for path, _ in changes)
    other = all_changed(lab, changes)
    before, after = grow_tree(lab), grow_tree(other)
    pairs = [
        (before.world, after.world),
        (sample_world(lab, paths=20, seed=1), sample_world(other, paths=20, seed=1)),
    ]
    for one, two in pairs:
        for field, values in vars(one).items():
            assert np.array_equal(values, getattr(two, field)), field
    assert np.array_equal(before.parent, after.parent)
    assert np.array_equal(before.probability, after.probability)
    assert np.array_equal(before.scale, after.scale)


@pytest.mark.parametrize(
    "path",
    [("workloads", 0, "tpot_s"), ("workloads", 1, "batch_tokens"), ("chips", "h100", "hbm_bandwidth_bytes_per_s"),
     ("models", "llama3-8b", "layers"), ("workloads", 0, "goodput")],
)  # fmt: skip
def test_what_makes_a_chip_faster_or_slower_is_read_by_the_rates(lab: Lab, path: Path_) -> None:
    new = dict(places(lab))[path]
    assert read_by_rates(put(lab, path, new)) != read_by_rates(lab)


@pytest.mark.parametrize(
    "path",
    [("workloads", 0, "growth"), ("workloads", 0, "volatility"), ("capability", "frontier_growth"),
     ("futures", "seed"), ("offers", 0, "market_exposure"), ("workloads", 0, "price", "input_usd_per_token")],
)  # fmt: skip
def test_what_moves_demand_and_prices_is_read_by_the_futures(lab: Lab, path: Path_) -> None:
    new = dict(places(lab))[path]
    assert read_by_futures(put(lab, path, new)) != read_by_futures(lab)


def test_progress_that_is_drawn_and_the_market_of_an_offer_are_read_by_the_futures(lab: Lab) -> None:
    drawn = put(lab, ("capability", "algorithmic_progress"), Uncertain(family="growth", low=0.5, high=2.0))
    wider = put(lab, ("capability", "algorithmic_progress"), Uncertain(family="growth", low=0.5, high=3.0))
    assert len({str(read_by_futures(each)) for each in (lab, drawn, wider)}) == 3
    assert read_by_futures(put(lab, ("offers", 0, "market"), "contract")) != read_by_futures(lab)
