"""Money of further rows: one way into the cash row, the tax row and the tail of the loss."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from exaplan.optimize.blocks import Builder, Variable
from exaplan.plan.inputs import Inputs


def pay(
    builder: Builder,
    node: ArrayLike,
    column: ArrayLike,
    received: ArrayLike,
    *,
    taxed: bool = True,
    flow: str | None = "other",
) -> None:
    """Add a flow to the cash row, and with ``taxed`` to taxable profit.

    ``node``, ``column`` and ``received`` broadcast together; ``received`` is M$ per unit of the column, below zero for
    what is paid; ``flow`` is its name in the ledger, None where the caller names its parts (:func:`name_flow`). The
    money rows must have been declared.
    """
    if flow is not None:
        name_flow(builder, flow, node, column, received)
    value = -np.asarray(received, dtype=float)
    builder.add(builder.declared("cash_balance"), node, column, value)
    if taxed and builder.has_rows("profit_balance"):
        builder.add(builder.declared("profit_balance"), node, column, value)


def name_flow(builder: Builder, flow: str, node: ArrayLike, column: ArrayLike, received: ArrayLike) -> None:
    """Give a flow of money its name: what the ledger of a plan shows under it, M$ by node."""
    size = builder.declared("cash_balance").size
    builder.express(flow, size, position=node, columns=column, values=received)


def declare_given(builder: Builder, inputs: Inputs) -> Variable:
    """Declare ``given`` [node]: M$ of value handed to others without cash, such as shares; it costs its discounted value.

    A further row must hold it at what is given. It stands in the objective and in the tail of the loss like a raise.
    """
    risk = inputs.lab.policy.risk
    worth = inputs.probability * inputs.discount
    given = builder.variable("given", (inputs.nodes,), cost=-(1 - risk.weight) * worth)
    if builder.has_rows("tail_risk"):
        row = builder.declared("tail_risk")
        path = np.column_stack([inputs.at_quarter[inputs.tails], inputs.tails])
        builder.add(row, row.position[:, None], given.index[path], -inputs.discount[path])
    return given


def give(builder: Builder, inputs: Inputs, node: ArrayLike, column: ArrayLike, value: ArrayLike) -> None:
    """Give value away, M$ per unit of the column: given[n] = sum of all that is given at the node (``given_balance``)."""
    if not builder.has_rows("given_balance"):
        given = declare_given(builder, inputs)
        row = builder.rows("given_balance", (inputs.nodes,), lower=0.0, upper=0.0)
        builder.add(row, row.position, given.index, 1.0)
    builder.add(builder.declared("given_balance"), node, column, -np.asarray(value, dtype=float))
