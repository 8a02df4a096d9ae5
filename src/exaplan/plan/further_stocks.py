"""What further decisions leave behind at each node: loans owed, rent prepaid on renewal, halls under construction."""

from __future__ import annotations

import numpy as np

from exaplan.domain.sitestep import SiteStep
from exaplan.plan.capital_rows import outstanding
from exaplan.plan.layout import CHIPS, USD
from exaplan.plan.options import by_age
from exaplan.plan.renewal_rows import renewables
from exaplan.plan.site_steps import FAMILIES, steps_of
from exaplan.plan.solve import Solved


def supplier_loans_owed(solved: Solved) -> np.ndarray:
    """Principal owed to suppliers at the end of each node's quarter, USD [node]."""
    inputs = solved.program.inputs
    lenders = inputs.lab.finance.supplier_finance
    if not lenders:
        return np.zeros(inputs.nodes)
    return _by_age(solved, outstanding(lenders, inputs.quarters + 1), "loan")


def renewals_prepaid(solved: Solved) -> tuple[np.ndarray, np.ndarray]:
    """Payments on renewal for quarters to come, and what of them each quarter uses: equal parts over the further term.

    USD [node] both.
    """
    inputs = solved.program.inputs
    found = renewables(inputs.sets)
    if not found:
        return np.zeros(inputs.nodes), np.zeros(inputs.nodes)
    term = np.array([each.clause.term_quarters for each in found])
    once = np.array([each.clause.payment_usd_per_chip for each in found]) * CHIPS / USD
    age = np.arange(inputs.quarters + 1)[:, None]
    return (
        _by_age(solved, once * np.clip(term - age - 1, 0, None) / term, "renewed"),
        _by_age(solved, once * (age < term) / term, "renewed"),
    )


def halls_started(solved: Solved) -> tuple[tuple[SiteStep, np.ndarray], ...]:
    """Every site step with what is started of it at each node, share [tree node]."""
    lab, found = solved.program.inputs.lab, []
    for name, continuous in FAMILIES:
        steps = steps_of(lab, continuous=continuous)
        if steps:
            started = solved.value(solved.model.columns[f"{name}_start"])
            found += [(step, started[:, item]) for item, (_, step) in enumerate(steps)]
    return tuple(found)


def _by_age(solved: Solved, profile: np.ndarray, variable: str) -> np.ndarray:
    inputs = solved.program.inputs
    amount = solved.value(solved.model.columns[variable])
    node, at, item, value = by_age(inputs, profile)
    return np.bincount(node, value * amount[at, item], minlength=inputs.nodes) * USD
