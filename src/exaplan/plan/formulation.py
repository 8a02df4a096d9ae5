"""The formulation as one flat tuple of rows, and the linear program it builds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from exaplan.optimize.blocks import Builder
from exaplan.optimize.model import Model
from exaplan.plan.columns import Columns, StageColumns, declare, declare_stage
from exaplan.plan.further import FURTHER_ROWS
from exaplan.plan.inputs import Inputs
from exaplan.plan.layout import Layout
from exaplan.plan.link_rows import LINK_ROWS, LinkRow
from exaplan.plan.money_rows import MONEY_ROWS
from exaplan.plan.stage import Stage
from exaplan.plan.stage_rows import STAGE_ROWS, StageRow

LINKS: tuple[LinkRow, ...] = (*LINK_ROWS, *MONEY_ROWS, *FURTHER_ROWS)


@dataclass(frozen=True)
class Program:
    """A built plan: its inputs, its labelled model and its variables."""

    inputs: Inputs
    model: Model
    columns: Columns


def build_program(
    inputs: Inputs, *, stage_rows: Sequence[StageRow] = STAGE_ROWS, links: Sequence[LinkRow] = LINKS
) -> Program:
    """Build the linear program of a plan; pass your own tuples of rows to add to or change the formulation."""
    builder = Builder()
    columns = declare(builder, inputs)
    for stage_row in stage_rows:
        stage_row(builder, columns, inputs.sets, inputs.stage)
    for link in links:
        link(builder, columns, inputs)
    return Program(inputs, builder.build("max"), columns)


def build_stage(
    sets: Layout, stage: Stage, *, stage_rows: Sequence[StageRow] = STAGE_ROWS
) -> tuple[Model, StageColumns]:
    """Build the stage rows alone, for the nodes in ``stage``: what dispatch solves, given the state."""
    builder = Builder()
    columns = declare_stage(builder, sets, stage, np.ones(len(stage.weight)))
    for stage_row in stage_rows:
        stage_row(builder, columns, sets, stage)
    return builder.build("max"), columns
