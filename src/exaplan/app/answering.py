"""Gather what the engines found into one answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from exaplan.app.figures import key_figures
from exaplan.app.pipeline import Planned
from exaplan.app.relaxed import why_relaxed
from exaplan.app.site_remarks import site_remarks
from exaplan.domain.answer import Answer, Assumption, Kpi, Limit, Verdict
from exaplan.domain.lab import Lab
from exaplan.domain.rates import RateTable
from exaplan.economy.copula import join
from exaplan.plan.accounts import allocation_of, capacity_of, decisions_of, development_of, service_of
from exaplan.plan.conduct_result import conduct_of
from exaplan.plan.layout import USD
from exaplan.plan.prices import limits_of, prices_of
from exaplan.plan.solve import CLOSE, Solved, effect_error
from exaplan.plan.tree_worth import TreeWorth
from exaplan.simulate.summary import benchmark_of, cash_bands, replay_of, worst_futures

RENT_ONLY = "rent only"


def gather(
    planned: Planned,
    *,
    lab_file: str,
    version: str,
    verdict: Verdict | None = None,
    more: tuple[str, ...] = (),
) -> Answer:
    """Build the answer of a finished run; ``more`` are remarks of whoever made it."""
    lab, plan, solved = planned.lab, planned.plan, planned.solved
    inputs = solved.program.inputs
    decisions = decisions_of(inputs, plan)
    replay = replay_of(lab, planned.outcome)
    benchmark = benchmark_of(lab, RENT_ONLY, planned.outcome, planned.rent_only_outcome)
    limits = (*limits_of(solved), *_ruin_limit(planned))
    return Answer(
        lab=lab.lab,
        lab_file=Path(lab_file).name,
        first_quarter=str(lab.horizon.first),
        quarters=lab.horizon.quarters,
        nodes=inputs.tree_nodes,
        leaves=len(inputs.leaves),
        status=_status(limits),
        route=_route(solved),
        objective=plan.objective_usd,
        bound=plan.bound_usd,
        gap=plan.gap,
        certificate=plan.certificate,
        tree_value=plan.value_usd,
        tree_p_rescue=_chance_of_rescue(planned),
        rescue_price=plan.rescue_price,
        largest_cash_price=plan.largest_cash_price,
        replay=replay,
        benchmark=benchmark,
        decisions=decisions,
        allocation=allocation_of(inputs, plan),
        capacity=capacity_of(inputs, plan),
        service=service_of(inputs, plan),
        development=development_of(inputs, plan),
        cash=cash_bands(lab, plan, planned.outcome),
        prices=prices_of(solved),
        limits=limits,
        deciding_inputs=planned.deciding,
        kpis=(
            *key_figures(planned),
            *_tree_worth(planned.tree_worth),
        ),
        stories=worst_futures(lab, planned.outcome),
        assumptions=assumptions_of(lab),
        remarks=(*_remarks(planned), *more),
        verdict=verdict,
        conduct=conduct_of(solved),
        seed=planned.settings.seed,
        version=version,
        timings=dict(planned.clock.seconds),
    )


def _status(limits: tuple[Limit, ...]) -> str:
    return "relaxed" if any(limit.state == "relaxed" for limit in limits) else "optimal"


def _ruin_limit(planned: Planned) -> tuple[Limit, ...]:
    """Judge the limit on P(ruin) by the replay."""
    limit = planned.lab.policy.ruin
    if limit is None:
        return ()
    found = replay_of(planned.lab, planned.outcome)
    over = found.p_ruin - limit.probability
    state = "relaxed" if over > 0 else "binds" if found.p_ruin_ci[1] >= limit.probability else "slack"
    return (Limit(f"P(ruin) within {limit.within_quarters} quarters", state, 0.0, "share", max(over, 0.0)),)


def _chance_of_rescue(planned: Planned) -> float:
    """Probability of the leaves whose history draws rescue equity on the tree: not a P(ruin)."""
    inputs = planned.solved.program.inputs
    path = np.column_stack([inputs.at_quarter[inputs.tails], inputs.tails])
    drawn = (planned.plan.rescue_usd[path] > 1.0).any(axis=1)
    return float(inputs.probability[inputs.leaves][drawn].sum())


def _remarks(planned: Planned) -> tuple[str, ...]:
    """Say what a reader must know before trusting the figures."""
    plan, solved = planned.plan, planned.solved
    remarks = list(join(planned.lab).remarks)
    error = effect_error(solved)
    if error > CLOSE:
        remarks.append(f"The line of the demand effect is off by up to {error:.1%} of a quarter's demand.")
    if not np.isnan(plan.largest_cash_price) and plan.largest_cash_price >= plan.rescue_price:
        remarks.append("A dollar is worth as much as a rescue dollar somewhere: raise policy.rescue_price.")
    if planned.lab.policy.risk.weight > 0:
        remarks.append(
            "Risk is charged twice on purpose: in the cost of equity and in the weight on the worst futures."
        )
    remarks += why_relaxed(solved, planned.lab, planned.rates)
    remarks += site_remarks(solved)
    remarks += _search_result(planned)
    remarks += _tree_fit(planned)
    remarks += _idle_work(planned.rates)
    if plan.forgiven.sum() > 0:
        remarks.append("Some demand is written off because lost customers exceed what is left of it.")
    return tuple(remarks)


def _tree_fit(planned: Planned) -> list[str]:
    """Say how well the tree matches its samples in the last quarter."""
    last = [fit for fit in planned.tree.fit if fit.quarter == planned.tree.quarters - 1]
    spreads = [fit.sd_ratio for fit in last if np.isfinite(fit.sd_ratio)]
    if not spreads:
        return []
    error = max(abs(fit.mean_error) for fit in last)
    return [
        (
            f"The tree in its last quarter: means within {error:.1%} of its samples, spread {min(spreads):.0%} to "
            f"{max(spreads):.0%} of theirs; the replay has all of it."
        )
    ]


def _route(solved: Solved) -> str:
    """Say how the plan was solved, and that it was stopped before its gap was closed where it was."""
    stopped = solved.solution.status
    return solved.route if stopped == "optimal" else f"{solved.route}; stopped: {stopped.replace('_', ' ')}"


def _tree_worth(worth: TreeWorth | None) -> tuple[Kpi, ...]:
    """Value of the stochastic solution and of many stages, where they were asked for and the lesser plan exists."""
    if worth is None:
        return ()
    rows = (
        (
            "vss",
            "value of the stochastic solution",
            worth.stochastic_solution,
            "tree value less that of signing now what suits the mean future (Birge 1982)",
        ),
        (
            "value_of_multistage",
            "value of multistage over two-stage",
            worth.multistage,
            "tree value less that of deciding every signature at the start (Huang and Ahmed 2009)",
        ),
    )
    return tuple(
        Kpi(name, label, value * USD, None, "USD", definition)
        for name, label, value, definition in rows
        if np.isfinite(value)
    )


def _search_result(planned: Planned) -> list[str]:
    """Say what the search for the limit on P(ruin) chose, so that it can be typed into the lab file."""
    if planned.search is None:
        return []
    policy = planned.search.lab.policy
    chosen = f"policy.cover: {policy.cover_quarters:g} quarters, policy.risk.weight: {policy.risk.weight:.0%}"
    found = planned.search.chosen
    limit = planned.lab.policy.ruin
    if planned.search.reached and found.confirmed is not None and limit is not None:
        better = [row for row in planned.search.tried if row.value_usd > found.value_usd]
        refused = f"; the {len(better)} plans of the grid that are worth more break it" if better else ""
        share, low, high = found.confirmed
        confirmed = f"P(ruin) {share:.2%} ({low:.2%} to {high:.2%}) when confirmed on fresh futures{refused}"
        most = f"Of {len(planned.search.tried)} plans searched this one is worth most within the limit of {limit.probability:.1%}"
        return [f"{most}: {confirmed}. Chosen: {chosen}."]
    return [
        f"The limit on P(ruin) is not reachable with these offers: the lowest found is {found.p_ruin:.1%}, with {chosen}."
    ]


def _idle_work(rates: RateTable) -> list[str]:
    """Name the workloads that none of the lab's chips can run, with the reason on the first chip."""
    remarks = []
    for number in np.flatnonzero(~rates.feasible.any(axis=(0, 2))):
        modelled = rates.configuration[0, number] != ""
        reason = "its software is not ready within the horizon" if modelled else rates.bottleneck[0, number]
        remarks.append(f"No chip of this lab runs {rates.workloads[number]} ({rates.chips[0]}: {reason}).")
    return remarks


def assumptions_of(lab: Lab) -> tuple[Assumption, ...]:
    """Every input that was typed in the lab file, with its place and the source its comment names."""
    rows = []
    for key, origin in lab.origins.items():
        if origin.file.startswith("catalogue"):
            continue
        rows.append(
            Assumption(key, _value_at(lab, key), _place(str(origin)), origin.note or "no source given")
        )
    return tuple(rows)


def _place(origin: str) -> str:
    head, _, rest = origin.partition(":")
    return f"{Path(head).name}:{rest}" if rest else Path(head).name


def _value_at(lab: Lab, key: str) -> str:
    """Value of a dotted key as the records hold it."""
    value: object = lab
    for part in key.split("."):
        value = _step(value, part)
    return _plain(value)


def _step(value: object, part: str) -> object:
    if isinstance(value, dict):
        return value.get(part)
    if isinstance(value, tuple):
        named = [item for item in value if part in (getattr(item, "id", None), str(getattr(item, "date", "")), getattr(item, "supplier", None))]  # fmt: skip
        if named:
            return named[0]
        return value[int(part)] if part.isdigit() and int(part) < len(value) else None
    fields = getattr(type(value), "model_fields", {})
    names = {field.alias or name: name for name, field in fields.items()}
    return getattr(value, names.get(part, part), None)


def _plain(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, tuple):
        flat = [_plain(item) for item in value]
        return ", ".join(flat) if len(flat) <= 6 else f"{flat[0]} .. {flat[-1]} ({len(flat)} values)"
    low, high = getattr(value, "low", None), getattr(value, "high", None)
    if low is not None and high is not None:
        return f"{low:.4g}" if low == high else f"{low:.4g} to {high:.4g}"
    return str(value)
