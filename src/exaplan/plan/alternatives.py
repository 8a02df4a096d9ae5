"""The quantities of a plan that near-optimal alternatives are asked about: orders, rents, development, raises."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from exaplan.domain.quarter import HOURS_PER_QUARTER
from exaplan.domain.supply import Contract
from exaplan.optimize.ranges import Variable
from exaplan.plan.formulation import Program
from exaplan.plan.layout import CHIPS, FLOP, USD

IN_ALL, NOW, FAMILY, SUPPLIER = "ordered in all", "signed now", "chip family", "supplier"
RENTED, DEVELOPMENT, RAISED, LEFT = "rented", "development", "raised", "left"


@dataclass(frozen=True, eq=False)
class Measure:
    """A quantity of a plan, expected over the tree: a weighted sum of columns times ``scale`` in ``unit``."""

    kind: str
    name: str
    unit: str
    scale: float
    weight: np.ndarray  # [column]


def measures_of(program: Program) -> tuple[Measure, ...]:
    """Every quantity that the plan decides on; one that repeats another (a chip with a single offer) is left out."""
    rows: list[Measure] = []
    for measure in _measures(program):
        known = any(np.array_equal(measure.weight, row.weight) for row in rows)
        if measure.weight.any() and not known:
            rows.append(measure)
    return tuple(rows)


def _measures(program: Program) -> Iterator[Measure]:
    inputs, columns, sets = program.inputs, program.columns, program.inputs.sets
    count = program.model.column_count
    chance = inputs.probability[: inputs.tree_nodes]

    def over(variable: Variable, weight: np.ndarray) -> np.ndarray:
        full = np.zeros(count)
        full[variable.span] = np.broadcast_to(weight, variable.shape).reshape(-1)
        return full

    tree = np.where(np.arange(inputs.nodes) < inputs.tree_nodes, inputs.probability, 0.0)
    able = inputs.deals.max_order[: inputs.tree_nodes] > 0
    offers = np.arange(len(sets.orderable))

    def orders(chosen: np.ndarray) -> np.ndarray:
        return over(columns.order, chance[:, None] * able * chosen)

    for number, offer in enumerate(sets.orderable):
        yield Measure(IN_ALL, offer.id, "chip", CHIPS, orders(offers == number))
    root = np.arange(inputs.tree_nodes)[:, None] == 0
    for number, offer in enumerate(sets.orderable):
        yield Measure(NOW, offer.id, "chip", CHIPS, over(columns.order, root * able * (offers == number)))
    for chip in dict.fromkeys(offer.chip for offer in sets.orderable):
        chosen = np.array([offer.chip == chip for offer in sets.orderable])
        yield Measure(FAMILY, chip, "chip", CHIPS, orders(chosen))
    for supplier in dict.fromkeys(offer.supplier for offer in sets.orderable):
        chosen = np.array([offer.supplier == supplier for offer in sets.orderable])
        yield Measure(SUPPLIER, supplier, "chip", CHIPS, orders(chosen))
    sources = np.arange(len(sets.hourly))
    hours = tree[:, None, None] * inputs.stage.block_share
    for number, source in enumerate(sets.hourly):
        weight = over(columns.rent, hours * (sources == number)[:, None])
        name = f"{source.id} (by use)" if isinstance(source, Contract) else source.id
        yield Measure(RENTED, name, "chip-hour", CHIPS * HOURS_PER_QUARTER, weight)
    first = len(sets.serve)
    trains = np.arange(len(sets.workloads))
    training = (trains >= first) & (trains < first + len(sets.train))
    weight = over(columns.output, tree[:, None, None] * training[:, None])
    yield Measure(DEVELOPMENT, "development compute", "FLOP", FLOP, weight)
    for number, chance_to_raise in enumerate(inputs.lab.finance.rounds):
        chosen = np.arange(len(inputs.lab.finance.rounds)) == number
        yield Measure(RAISED, chance_to_raise.id, "USD", USD, over(columns.raised, tree[:, None] * chosen))
    last = np.zeros(inputs.nodes)
    last[inputs.leaves] = inputs.probability[inputs.leaves]
    for place, contract in enumerate(sets.exits):
        chosen = np.arange(len(sets.exits)) == place
        name = sets.contracts[contract].id
        yield Measure(LEFT, name, "share", 1.0, over(columns.left, last[:, None] * chosen))
