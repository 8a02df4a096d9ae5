"""Rows of runs: compute adds up, what is done is released once, a release lifts demand; rules bind the large ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.domain.runs import FlopRule, Run
from exaplan.optimize.blocks import Builder, Variable
from exaplan.plan.columns import Columns
from exaplan.plan.flows import pay
from exaplan.plan.inputs import Inputs
from exaplan.plan.layout import FLOP, USD
from exaplan.plan.options import Starts, by_age, declare_starts, windows_of


def runs(builder: Builder, columns: Columns, inputs: Inputs) -> None:
    """Release runs: sum f <= q; F[n] = F[p] + (1 - lost) f[n]; flop released[n] <= F[n - delay]; demand + uplift.

    ``run_flop`` f is what a quarter's training output gives to a run, ``run_done`` F what has added up, ``run_start``
    the release (a binary at each node, so waiting is a choice). Rules ask for evaluation and a delay before release.
    """
    planned = inputs.lab.runs
    if not planned:
        return
    bound = [rule_of(run, inputs.lab.rules) for run in planned]
    delay = np.array([rule.delay_quarters if rule else 0 for rule in bound])
    starts = declare_starts(builder, inputs, "run", _windows(inputs, planned))
    flop, done = _accumulate(builder, columns, inputs, "run", [run.workload for run in planned])
    _release(
        builder, inputs, starts, done, np.array([run.flop for run in planned]) / FLOP, delay, "run_release"
    )
    _due(builder, inputs, starts, planned)
    _lift(builder, inputs, starts, planned)
    _outside_capability(builder, inputs, flop, planned)
    cost = [run.cost_usd + (rule.cost_usd if rule else 0.0) for run, rule in zip(planned, bound, strict=True)]
    pay(
        builder, np.arange(inputs.tree_nodes)[:, None], starts.start.index, -np.array(cost) / USD, flow="runs"
    )
    judged = [(k, rule) for k, rule in enumerate(bound) if rule is not None and rule.evaluation_flop > 0]
    if judged:
        which = np.array([k for k, _ in judged])
        _, checked = _accumulate(
            builder, columns, inputs, "evaluation", [rule.workload for _, rule in judged]
        )
        need = np.array([rule.evaluation_flop for _, rule in judged]) / FLOP
        begun = _Part(starts, which)
        _release(builder, inputs, begun, checked, need, np.zeros(len(which), dtype=int), "evaluation_release")


@dataclass(frozen=True)
class _Part:
    """Some of the items of a family of starts."""

    starts: Starts
    items: np.ndarray

    @property
    def begun_index(self) -> np.ndarray:
        return self.starts.begun.index[:, self.items]


def rule_of(run: Run, rules: tuple[FlopRule, ...]) -> FlopRule | None:
    """Find the rule that binds a run: the one of the highest threshold it reaches."""
    reached = [rule for rule in rules if run.flop >= rule.threshold_flop]
    return max(reached, key=lambda rule: rule.threshold_flop) if reached else None


def _windows(inputs: Inputs, planned: tuple[Run, ...]) -> np.ndarray:
    begin = inputs.lab.horizon.first
    first = np.array([(run.first - begin) if run.first else 0 for run in planned])
    last = np.array([(run.due - begin) if run.due else inputs.quarters - 1 for run in planned])
    return windows_of(inputs, first, last)


def _accumulate(
    builder: Builder, columns: Columns, inputs: Inputs, name: str, workloads: list[str]
) -> tuple[Variable, Variable]:
    """Declare ``NAME_flop`` [tree node, item], taken from its workload's output, and ``NAME_done`` [node, item]."""
    tree, sets = inputs.tree_nodes, inputs.sets
    source = np.array([sets.workloads.index(workload) for workload in workloads])
    flop = builder.variable(f"{name}_flop", (tree, len(source)))
    done = builder.variable(f"{name}_done", (inputs.nodes, len(source)))
    used = np.unique(source)
    share = builder.rows(f"{name}_share", (tree, len(used)), upper=0.0)
    builder.add(share, share.position[:, np.searchsorted(used, source)], flop.index, 1.0)
    output = columns.output.index[:tree][:, used]
    builder.add(share, share.position[:, :, None], output, -1.0)
    row = builder.rows(f"{name}_balance", done.shape, lower=0.0, upper=0.0)
    builder.add(row, row.position, done.index, 1.0)
    children = np.arange(1, inputs.nodes)
    builder.add(row, row.position[children], done.index[inputs.parent[children]], -1.0)
    kept = 1 - inputs.setback[:tree] if name == "run" else np.ones((tree, len(source)))
    builder.add(row, row.position[:tree], flop.index, -kept)
    return flop, done


def _release(
    builder: Builder, inputs: Inputs, starts: Starts | _Part, done: Variable, need: np.ndarray, delay: np.ndarray, name: str
) -> None:  # fmt: skip
    """Release what is done: need begun[n] <= done at the node ``delay`` quarters before (nothing before the start)."""
    tree = np.arange(inputs.tree_nodes)
    begun = starts.begun.index if isinstance(starts, Starts) else starts.begun_index
    row = builder.rows(name, (len(tree), len(need)), upper=0.0)
    builder.add(row, row.position, begun[tree], need)
    quarter = inputs.quarter[tree][:, None] - delay[None, :]
    before = np.where(quarter >= 0, inputs.at_quarter[tree[:, None], np.maximum(quarter, 0)], -1)
    at, item = np.nonzero(before >= 0)
    builder.add(row, row.position[at, item], done.index[before[at, item], item], -1.0)


def _due(builder: Builder, inputs: Inputs, starts: Starts, planned: tuple[Run, ...]) -> None:
    """Hold a date: begun[n] + missed[n] >= 1 at the nodes of the quarter in which a run is due."""
    must = [(k, run.due - inputs.lab.horizon.first) for k, run in enumerate(planned) if run.due is not None]
    if not must:
        return
    item, due = (np.array(values) for values in zip(*must, strict=True))
    missed = builder.variable("missed", (inputs.tree_nodes, len(item)), upper=0.0)
    asked = inputs.quarter[: inputs.tree_nodes, None] == due
    row = builder.rows("run_due", missed.shape, lower=asked.astype(float))
    builder.add(row, row.position, starts.begun.index[: inputs.tree_nodes][:, item], 1.0)
    builder.add(row, row.position, missed.index, 1.0)


def _lift(builder: Builder, inputs: Inputs, starts: Starts, planned: tuple[Run, ...]) -> None:
    """Lift demand: uplift (1 - fade)^(age - 1) of base demand from the quarter after release on, in every block.

    In a tail node the uplift is the annuity of its further fading, as a launch's is.
    """
    stage, serve = inputs.stage, inputs.sets.serve
    lifts = np.array(
        [[run.uplift if w.id in run.uplift_workloads else 0.0 for w in serve] for run in planned]
    )
    if not lifts.any():
        return
    ages = np.arange(inputs.quarters + 1)[:, None]
    fade = np.array([run.fade for run in planned])
    profile = np.where(ages >= 1, (1 - fade) ** np.maximum(ages - 1, 0), 0.0)
    k = np.arange(inputs.tail_quarters)[:, None]
    annuity = ((inputs.tail_margin * (1 - fade)) ** k).sum(axis=0)
    node, signed_at, item, value = by_age(inputs, profile, tail=profile * annuity)
    row = builder.declared("demand")
    added = (value[:, None] * lifts[item] * stage.demand[node])[:, :, None] * stage.demand_share
    builder.add(row, row.position[node], starts.start.index[signed_at, item][:, None, None], -added)


def _outside_capability(builder: Builder, inputs: Inputs, flop: Variable, planned: tuple[Run, ...]) -> None:
    """Count a run's FLOP once: what goes to a run outside capability makes no progress."""
    apart = np.array([k for k, run in enumerate(planned) if not run.counts_in_capability])
    if not builder.has_rows("progress_curve") or not len(apart) or inputs.stage.progress is None:
        return
    if builder.has_rows("effort_plane"):
        names = [workload.id for workload in inputs.sets.train]
        row = builder.declared("effort_plane")
        slope = inputs.stage.mix_planes[:, [names.index(planned[k].workload) for k in apart]]
    else:
        row = builder.declared("progress_curve")
        slope = (inputs.stage.progress.slope / inputs.stage.parity)[:, None]
    at = row.position[: inputs.tree_nodes, :, None]
    builder.add(row, at, flop.index[:, None, apart], slope)


def flop_once(builder: Builder, columns: Columns, inputs: Inputs) -> None:
    """Spend development once: what goes to runs, distillations and launches together is at most what is trained.

    Each of them alone has its row; this one, ``flop_once``, stands where there are runs and one of the others.
    """
    launching = np.array([item.cost.development_flop for item in inputs.lab.launches]) / FLOP
    if not inputs.lab.runs or not (inputs.sets.distillations or launching.any()):
        return
    tree, first = inputs.tree_nodes, len(inputs.sets.serve)
    row = builder.rows("flop_once", (tree,), upper=0.0)
    builder.add(row, row.position[:, None], builder.column("run_flop").index, 1.0)
    builder.add(row, row.position[:, None], columns.distil.index[:tree], 1.0)
    if launching.any():
        builder.add(row, row.position[:, None], builder.column("launch_start").index, launching)
    trained = columns.output.index[:tree, first : first + len(inputs.sets.train)]
    builder.add(row, row.position[:, None, None], trained, -1.0)
