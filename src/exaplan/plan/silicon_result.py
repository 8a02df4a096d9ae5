"""What a plan decided about its own silicon."""

from __future__ import annotations

import numpy as np

from exaplan.domain.options import ProgramStart
from exaplan.plan.layout import CHIPS, USD
from exaplan.plan.silicon_rows import choices_of
from exaplan.plan.solve import Solved


def chosen(solved: Solved) -> tuple[ProgramStart, ...]:
    """Tell which programs start, with whom, in which quarter and with what probability, by quarter and choice."""
    inputs, model = solved.program.inputs, solved.model
    if "silicon_start" not in model.columns:
        return ()
    tree = inputs.tree_nodes
    start = np.round(solved.value(model.columns["silicon_start"]))
    order = np.maximum(solved.value(solved.program.columns.order), 0.0)
    offers = [offer.id for offer in inputs.sets.orderable]
    found = []
    for item, choice in enumerate(choices_of(inputs.lab.silicon)):
        stages = sum(stage.amount_usd for stage in choice.nre)
        for quarter in range(inputs.quarters):
            at = np.flatnonzero((inputs.quarter[:tree] == quarter) & (start[:, item] > 0))
            if not len(at):
                continue
            chance = inputs.probability[at].sum()
            after = np.isin(inputs.at_quarter[:tree, quarter], at)
            made = order[:, offers.index(choice.id)] if choice.id in offers else np.zeros(tree)
            found.append(
                ProgramStart(
                    program=choice.program.id,
                    foundry=choice.foundry.id,
                    quarter=str(inputs.lab.horizon.first + quarter),
                    probability=float(chance),
                    nre_usd=float(chance * stages),
                    chips=float((inputs.probability[:tree] * made)[after].sum() * CHIPS),
                    paid_usd=float(
                        (inputs.probability[:tree] * made * _price(solved, choice.id))[after].sum() * USD
                    ),
                )
            )
    return tuple(found)


def _price(solved: Solved, offer: str) -> np.ndarray:
    """M$ per thousand chips of an offer at each tree node; 0 where nothing of it can be ordered."""
    inputs = solved.program.inputs
    offers = [each.id for each in inputs.sets.orderable]
    capex = inputs.deals.capex[: inputs.tree_nodes]
    return np.asarray(capex[:, offers.index(offer)]) if offer in offers else np.zeros(inputs.tree_nodes)
