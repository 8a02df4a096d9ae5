"""Statements of a plan: replay with a ledger, draw up, and gather what report and workbook show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.app.fanout import thread_map
from exaplan.app.pipeline import Clock
from exaplan.domain.futures import World
from exaplan.domain.lab import Lab
from exaplan.domain.ledger import Ledger
from exaplan.domain.rates import rate_columns
from exaplan.domain.statements import FinanceReport, Statements, Switches
from exaplan.economy.drawn_up import compute_expense, draw_up, shares_of_work
from exaplan.economy.facts import Facts
from exaplan.economy.figure_rows import figure_rows
from exaplan.economy.leases import Rented, as_leases, as_services
from exaplan.economy.plant import Plant, plant_of
from exaplan.economy.ruin import ruin_probability
from exaplan.economy.sampling import sample_world
from exaplan.economy.sections import words_of
from exaplan.economy.tabled import balance_rows, cash_rows, flow_rows, income_rows, plant_rows, row_of
from exaplan.perf.counts import forward_flop_per_token, mean_context
from exaplan.plan.priced import priced_of
from exaplan.plan.solve import Solved
from exaplan.simulate.replay import replay
from exaplan.simulate.tree_paths import tree_futures


@dataclass(frozen=True)
class Asked:
    """What statements are asked for: how many futures (0: the tree's own), their seed, the conventions."""

    paths: int
    seed: int
    switches: Switches
    lab_file: str = ""
    command: str = ""


def run_statements(solved: Solved, asked: Asked, clock: Clock) -> FinanceReport:
    """Replay a plan with its ledger and draw up its statements."""
    lab = solved.program.inputs.lab
    with clock.phase("replay"):
        if asked.paths:
            world = sample_world(lab, paths=asked.paths, seed=asked.seed, purpose="report")
            ledger = ledger_of(solved, world, seed=asked.seed)
        else:
            ledger = tree_ledger(solved)
    with clock.phase("statements"):
        return report_of(solved, ledger, asked)


def ledger_of(solved: Solved, world: World, *, seed: int) -> Ledger:
    """Replay a plan on futures and return its ledger."""
    ledger = replay(solved, world, seed=seed, itemize=True, map=thread_map).ledger
    assert ledger is not None  # noqa: S101 - it was asked for
    return ledger


def tree_ledger(solved: Solved) -> Ledger:
    """Ledger of the solved plan on its own tree: one path per leaf, weighted by its probability."""
    world, weight = tree_futures(solved.program.inputs.tree)
    ledger = replay(solved, world, seed=0, absorbing=False, itemize=True).ledger
    assert ledger is not None  # noqa: S101 - it was asked for
    return Ledger(**{**vars(ledger), "weight": weight})


def switches_for(lab: Lab, **chosen: object) -> Switches:
    """Conventions with the lab's own borrowing rate: its credit line's, else the cost of equity."""
    finance = lab.finance
    rate = finance.debt.rate if finance.debt else finance.cost_of_equity
    return Switches(borrowing_rate=rate, **chosen)  # type: ignore[arg-type]


def report_of(solved: Solved, ledger: Ledger, asked: Asked) -> FinanceReport:
    """Draw up the statements of a ledger and gather rows, figures, and what the workbook calculates from."""
    lab, switches = solved.program.inputs.lab, asked.switches
    drawn = draw_up(lab, ledger, switches)
    facts = facts_of(solved, ledger, drawn)
    parts = compute_expense(ledger, switches, facts.plant, facts.rented)
    open_ = np.arange(ledger.quarters) <= ledger.ended[:, None]
    within = lab.policy.ruin.within_quarters if lab.policy.ruin else None
    worth = {name: amount * ledger.alive for name, amount in ledger.economic_value.items()}
    return FinanceReport(
        lab=lab.lab,
        lab_file=asked.lab_file,
        quarters=tuple(str(ledger.first + t) for t in range(ledger.quarters)),
        paths=asked.paths or ledger.paths,
        seed=asked.seed,
        source="simulated" if asked.paths else "tree",
        switches=switches,
        rows=(*income_rows(drawn), *cash_rows(drawn), *balance_rows(drawn)),
        figures=figure_rows(facts, sampled=bool(asked.paths)),
        flows=flow_rows(ledger),
        parts=tuple(
            row_of(amount * open_, ledger.weight, place=("income", "compute"), name=(name, words_of(name)))
            for name, amount in parts.items()
        ),
        shares=tuple(
            row_of(share, ledger.weight, place=("income", "shares"), name=(name, words_of(name)))
            for name, share in shares_of_work(ledger).items()
        ),
        plant=plant_rows(ledger),
        economic_value=tuple(
            row_of(amount, ledger.weight, place=("balance", "economic value"), name=(name, f"Chips at value in {name}" if name == "use" else "Chips at market rent"))
            for name, amount in worth.items()
        ),
        worst_difference_usd=float(drawn.difference.max()),
        p_ruin=float(ledger.weight @ (ledger.ended < (within or ledger.quarters))),
        p_ruin_interval=_interval(ledger, within) if asked.paths else None,
        ruin_within=within,
        p_ruin_horizon=float(ledger.weight @ (ledger.ended < ledger.quarters)),
        losses_carried_usd=tuple(float(x) for x in ledger.weight @ ledger.losses_carried),
        command=asked.command,
    )  # fmt: skip


def _interval(ledger: Ledger, within: int | None) -> tuple[float, float]:
    """Give the interval of P(ruin), paired as the futures were drawn."""
    ruined_in = np.where(ledger.ended < ledger.quarters, ledger.ended, -1)
    return ruin_probability(ruined_in, within, antithetic=ledger.paths % 2 == 0 and ledger.paths > 2)[1]


def facts_of(solved: Solved, ledger: Ledger, drawn: Statements) -> Facts:
    """Collect what key figures are made of."""
    lab = solved.program.inputs.lab
    plant, rented = measured(ledger, drawn.switches)
    return Facts(lab, ledger, drawn, plant, rented, priced_of(solved), flop_per_token(lab))


def measured(ledger: Ledger, switches: Switches) -> tuple[Plant, Rented]:
    """Measure plant and reservations as the statements do."""
    worth = None if switches.impairment == "off" else ledger.economic_value[switches.impairment]
    plant = plant_of(ledger.purchases, 4 * switches.life_years, ledger.quarters, worth)
    if switches.lease == "lease":
        return plant, as_leases(ledger.reservations, ledger.quarters, switches.borrowing_rate)
    return plant, as_services(ledger.reservations, ledger.quarters)


def flop_per_token(lab: Lab) -> dict[str, float]:
    """Model FLOP per token of what generates, input and output at the mean context of a request.

    A segment that several models may serve counts at the first of them.
    """
    found = {}
    named = {each.workload.id: each.model for each in reversed(rate_columns(lab))}
    for workload in (*lab.serve, *lab.internal):
        model = lab.models[named[workload.id]]
        context = mean_context(model, (workload.input_tokens + workload.output_tokens) / 2)
        found[workload.id] = float(forward_flop_per_token(model, context))
    return found
