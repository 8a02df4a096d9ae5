"""What one more chip in a signed contract would be worth: the work it does less what it must be paid."""

from __future__ import annotations

import numpy as np

from exaplan.domain.quarter import HOURS_PER_QUARTER
from exaplan.optimize.highs import duals
from exaplan.plan.layout import CHIPS, USD
from exaplan.plan.solve import Solved
from exaplan.plan.supply_rows import weights


def contract_worth(solved: Solved) -> np.ndarray:
    """Worth of one more chip of each contract at every tree node where it is live [tree node, contract], USD.

    The sum of dual times derivative over every row that holds the contract's chips: ``chips`` and ``floor`` for the share
    that is firm, the bound of ``rent`` (or ``flexible``) for the share paid by use and for what ``flex_up`` adds,
    ``cash_balance``, ``profit_balance``, ``cover`` and ``partner_spending`` for the must-pay, ``supplier_share`` for all.
    What has been left counts nothing. Below zero the contract costs more than it brings: what a chip fewer would save.
    Upkeep at an own site, a right of renewal and what leaving it later costs are not in it.
    """
    inputs, program = solved.program.inputs, solved.program
    sets, stage, tree = inputs.sets, inputs.stage, inputs.tree_nodes
    contracts, count = inputs.lab.contracts, len(inputs.lab.contracts)
    if not count:
        return np.zeros((tree, 0))

    def dual(name: str) -> np.ndarray:
        return duals(solved.solution, solved.model.rows[name])[:tree]

    take = np.ones(count)
    take[sets.flexible] = [contracts[number].take_or_pay for number in sets.flexible]
    up = np.array([contract.availability for contract in contracts])
    kept = np.ones((tree, count))
    kept[:, sets.exits] = 1 - solved.value(program.columns.left)[:tree]
    live = stage.contract_chips[:tree] > 0
    live[:, sets.flexible] |= stage.rent_max[:tree, len(sets.on_demand) :] > 0
    firm = dual("chips").sum(axis=2)[:, sets.contract_group]
    weight = stage.floor_weight[:tree][:, :, sets.contract_group]
    asked = (dual("floor").sum(axis=2) * stage.floor_share)[:, :, None]
    worth = kept * take * up * (firm + (asked * weight).sum(axis=1))
    beyond = np.array([contract.flex_up for contract in contracts])
    beyond = np.where(inputs.failed([contract.supplier for contract in contracts])[:tree], 0.0, beyond)
    worth[:, sets.flexible] += (kept * (1 - take + beyond))[:, sets.flexible] * _by_use(solved)
    worth -= kept * _shared(solved)
    hourly = np.array([contract.price_usd_per_chip_h * contract.take_or_pay for contract in contracts])
    paid = hourly * HOURS_PER_QUARTER * CHIPS / USD
    dollar = dual("cash_balance")[:, None]
    if "profit_balance" in solved.model.rows:
        dollar = dollar + dual("profit_balance")[:, None]
    payment = dollar * np.ones((1, count))
    if "cover" in solved.model.rows:
        payment = payment - inputs.lab.policy.cover_quarters * dual("cover")[:, None]
    payment = payment - _spent(solved)
    return np.where(live, worth - kept * paid * payment, 0.0) * USD / CHIPS


def _shared(solved: Solved) -> np.ndarray:
    """Price a chip more of each contract by the largest shares of suppliers [tree node, contract], M$ per thousand."""
    inputs = solved.program.inputs
    caps, tree = inputs.lab.policy.supplier_share, inputs.tree_nodes
    if "supplier_share" not in solved.model.rows:
        return np.zeros((tree, len(inputs.lab.contracts)))
    own = np.array([[c.supplier == cap.supplier for c in inputs.lab.contracts] for cap in caps], dtype=float)
    part = own - np.array([[cap.share] for cap in caps])
    dual = duals(solved.solution, solved.model.rows["supplier_share"])
    return np.asarray(dual @ part * weights(inputs)[inputs.sets.contract_group])


def _spent(solved: Solved) -> np.ndarray:
    """Price a dollar that is spent with each contract's supplier, where a deal asks for it [tree node, contract]."""
    lab, tree = solved.program.inputs.lab, solved.program.inputs.tree_nodes
    if "partner_spending" not in solved.model.rows:
        return np.zeros((tree, len(lab.contracts)))
    partners = [deal.supplier for deal in lab.deals if deal.must_spend is not None]
    own = np.array([[c.supplier == name for c in lab.contracts] for name in partners], dtype=float)
    return np.asarray(duals(solved.solution, solved.model.rows["partner_spending"])[:tree] @ own)


def _by_use(solved: Solved) -> np.ndarray:
    """Worth of one more chip that may be paid by use [tree node, flexible], M$ per thousand chips."""
    sets, tree = solved.program.inputs.sets, solved.program.inputs.tree_nodes
    rent = solved.program.columns.rent
    reduced = solved.solution.reduced_cost[rent.span].reshape(rent.shape)[:tree]
    worth = np.maximum(reduced, 0.0)[:, len(sets.on_demand) :].sum(axis=2)
    if "flexible" in solved.model.rows:
        both = np.isin(sets.flexible, sets.exits)
        worth[:, both] += duals(solved.solution, solved.model.rows["flexible"])[:tree].sum(axis=2)
    return np.asarray(worth)
