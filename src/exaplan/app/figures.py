"""Key figures of a plan with those of renting only beside them: the table of the statements, under its default switches."""

from __future__ import annotations

from exaplan.app.finance import facts_of, ledger_of, switches_for
from exaplan.app.pipeline import LEDGER_PATHS, Planned
from exaplan.domain.answer import Kpi
from exaplan.domain.derivation import Derivation, Operand
from exaplan.domain.outcome import Outcome
from exaplan.domain.statements import FigureRow
from exaplan.economy.drawn_up import draw_up
from exaplan.economy.figure_rows import figure_rows
from exaplan.economy.figures import FIRST, UNITS
from exaplan.plan.solve import Solved


def key_figures(planned: Planned) -> tuple[Kpi, ...]:
    """Each key figure of the plan with that of renting beside it; those that are read first stand first."""
    own = figures_of(planned, planned.solved, planned.outcome)
    renting = figures_of(planned, planned.rent_only, planned.rent_only_outcome)
    beside = {(row.key, row.item): row.value for row in renting}
    ordered = sorted(own, key=lambda row: FIRST.index(row.key) if row.key in FIRST else len(FIRST))
    return tuple(_kpi(row, beside.get((row.key, row.item))) for row in ordered)


def figures_of(planned: Planned, solved: Solved, outcome: Outcome) -> tuple[FigureRow, ...]:
    """Work out the table of key figures on the futures of the replay, at most on the first LEDGER_PATHS of them."""
    lab = planned.lab
    ledger = outcome.ledger
    if ledger is None:
        ledger = ledger_of(solved, planned.world.first(LEDGER_PATHS), seed=planned.settings.seed)
    drawn = draw_up(lab, ledger, switches_for(lab))
    return figure_rows(facts_of(solved, ledger, drawn), sampled=True)


def _kpi(row: FigureRow, rent_only: float | None) -> Kpi:
    name, label = (f"{row.key}.{row.item}", f"{row.label}: {row.item}") if row.item else (row.key, row.label)
    parts = tuple(
        Operand(name, value, UNITS[name], source="replay of the plan") for name, value in row.operands
    )
    low, high = row.interval or (None, None)
    derivation = Derivation(f"kpi.{name}", row.value, row.unit, row.formula, parts)
    return Kpi(name, label, row.value, rent_only, row.unit, row.definition, derivation, low, high)
