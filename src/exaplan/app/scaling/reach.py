"""What a target takes: parameters and tokens -> FLOP -> chips and days -> megawatts -> dollars -> date, and if it can be had."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from exaplan.app.scaling.job import Job, plan_job
from exaplan.capability.drawn import drawn_law, quantile
from exaplan.capability.forms import Array, DenseLaw, ScalingLaw
from exaplan.capability.progress import Frontier, Progress
from exaplan.capability.target import Need, Target, needed
from exaplan.domain.calibration import Calibration
from exaplan.domain.casebook import Plot, Table, Value
from exaplan.domain.finding import Finding
from exaplan.domain.technology import Chip
from exaplan.economy.compute_bill import chip_hours, rent_usd, site_power_w
from exaplan.perf.machine import Precision
from exaplan.report.finding import amount

EPOCHS_GOOD = 4.0
"""Repetitions that are nearly as good as fresh tokens; arXiv 2305.16264."""
_SHARES = (0.05, 0.5, 0.95)
_DAY_H = 24.0
_MONTH_DAYS = 365.0 / 12


@dataclass(frozen=True)
class Ask:
    """A target and the means to reach it."""

    target: Target
    law: ScalingLaw
    chip: Chip
    usd_per_chip_h: float | None
    price_source: str
    frontier: Frontier
    expansion: float = 1.0
    served: float = 0.0
    days: float | None = 100.0
    chips: float | None = None
    lead_months: float = 12.0
    start: tuple[int, int] | None = None  # year and month from which months count
    pue: float = 1.1
    site_power_w: float = 1e9
    days_max: float = 180.0
    unique_tokens: float = 4e14
    price_log_sd: float = 0.25
    precision: Precision = "fp8"
    draws: int = 400
    seed: int = 1


@dataclass(frozen=True)
class Reached:
    """Central figures, and the same over draws."""

    need: Need
    job: Job | None  # None where the law's floor lies above the target
    figures: dict[str, float]
    drawn: dict[str, Array]
    limits: tuple[tuple[str, float, float, str, float | None], ...]  # name, value, limit, unit, P(kept)
    law_drawn: str


def reach(ask: Ask, calibration: Calibration | None) -> Reached:
    """Answer with central values and draws; arrays of the record have shape [draw]."""
    generator = np.random.default_rng(ask.seed)
    progress = ask.frontier.progress
    need = needed(
        ask.target, ask.law, frontier=ask.frontier, gain=float(progress.gain(ask.lead_months)),
        served=ask.served, expansion=ask.expansion,
    )  # fmt: skip
    law, words = drawn_law(ask.law, generator, ask.draws)
    gains = progress.drawn(generator, np.array([ask.lead_months]), ask.draws)
    spread = needed(
        ask.target, law, frontier=ask.frontier, gain=gains, served=ask.served, expansion=ask.expansion
    )
    centre = tuple(float(value.reshape(-1)[0]) for value in (need.active, need.total, need.tokens))
    job: Job | None
    if not np.isfinite(centre).all():
        job = None
    else:
        job = plan_job(
            centre, ask.chip, days=ask.days, chips=ask.chips, precision=ask.precision, calibration=calibration
        )
    errors = generator.standard_normal((2, ask.draws))
    figures = {name: float(value[0]) for name, value in _figures(ask, need, job, np.zeros((2, 1))).items()}
    drawn = _figures(ask, spread, job, errors)
    return Reached(need, job, figures, drawn, _limits(ask, figures, drawn, job), words)


def _figures(ask: Ask, need: Need, job: Job | None, errors: Array) -> dict[str, Array]:
    """Every figure of the chain, shape [draw]."""
    size = errors.shape[1]
    flop = np.broadcast_to(need.training_flop.reshape(-1), (size,))
    found = {
        "loss": np.broadcast_to(need.loss.reshape(-1), (size,)),
        "effective_flop": np.broadcast_to(need.effective_flop.reshape(-1), (size,)),
        "training_flop": flop,
        "active_parameters": np.broadcast_to(need.active.reshape(-1), (size,)),
        "total_parameters": np.broadcast_to(need.total.reshape(-1), (size,)),
        "tokens": np.broadcast_to(need.tokens.reshape(-1), (size,)),
    }
    if job is None or not job.fits:
        return found
    rate = job.flop_per_s_per_chip * np.exp(job.log_sd * errors[0])
    hours = chip_hours(flop, rate, job.goodput)
    asked_h = np.inf if ask.chips or ask.days is None else ask.days * _DAY_H
    chips = np.full(size, job.chips)
    if size > 1 and job.days <= (ask.days or 0.0) and not ask.chips:
        chips = (
            hours / asked_h
        )  # each future sizes its own fleet; where no fleet is quick enough all use the quickest
    days = np.where(np.isfinite(hours), hours / np.where(np.isfinite(chips), chips, 1.0) / _DAY_H, np.inf)
    power = ask.chip.it_power_w or (ask.chip.tdp_w or np.nan) * 1.5
    found |= {
        "chip_hours": hours,
        "chips": chips,
        "days": days,
        "site_power_w": site_power_w(chips, power, ask.pue),
        "months_to_result": ask.lead_months + days / _MONTH_DAYS,
    }
    if ask.usd_per_chip_h is not None:
        price = ask.usd_per_chip_h * np.exp(ask.price_log_sd * errors[1])
        found["usd"] = rent_usd(hours, price)
    return found


def _limits(
    ask: Ask, figures: dict[str, float], drawn: dict[str, Array], job: Job | None
) -> tuple[tuple[str, float, float, str, float | None], ...]:
    asked = [
        ("data wall", "tokens", EPOCHS_GOOD * ask.unique_tokens, "T tokens", 1e12),
        ("site power", "site_power_w", ask.site_power_w, "MW", 1e6),
        ("duration", "days", ask.days_max, "days", 1.0),
    ]
    rows: list[tuple[str, float, float, str, float | None]] = [
        (name, figures[key] / scale, limit / scale, unit, float(np.mean(drawn[key] <= limit * (1 + 1e-9))))
        for name, key, limit, unit, scale in asked
        if key in figures
    ]
    if job is not None and job.fits:
        per_rank = job.batch_tokens / 8192.0
        rows.append(
            ("sequences in a batch against data-parallel ranks", _ranks(job), per_rank, "ranks", None)
        )
    return tuple(rows)


def _ranks(job: Job) -> float:
    parts = [part for part in job.layout.split("-") if part.startswith("dp")]
    return float(parts[0][2:]) if parts else 1.0


def finding(ask: Ask, found: Reached) -> Finding:
    """Put the answer into words, tables and a plot."""
    broken = [row for row in found.limits if not row[1] <= row[2] * (1 + 1e-9)]
    job = found.job
    fits = job is not None and job.fits
    held = fits and not broken
    rows: list[tuple[Value, ...]] = []
    for key, (name, scale) in _NAMES.items():
        if key in found.figures:
            rows.append(
                (
                    name,
                    found.figures[key] / scale,
                    *(quantile(found.drawn[key], share) / scale for share in _SHARES),
                )
            )
    memory: tuple[Value, ...] = (
        "memory", job.memory_bytes / 1e9 if job and fits else None, ask.chip.hbm_bytes / 1e9, "GB per chip",
        None, "fits" if fits else job.reason if job else "the floor of the law lies above the target",
    )  # fmt: skip
    limits = [memory]
    for name, value, limit, unit, chance in found.limits:
        limits.append(
            (name, value, limit, unit, chance, "within" if value <= limit * (1 + 1e-9) else "beyond")
        )
    tables = (
        Table("What it takes", ("", "central", "5 %", "median", "95 %"), tuple(rows)),
        Table(
            "Whether it can be had", ("limit", "value", "limit at", "unit", "P(within)", ""), tuple(limits)
        ),
    )
    return Finding(
        _sentence(ask, found, broken), tables, (_plot(ask),), _notes(ask, found), _values(ask, found), held
    )


_NAMES: dict[str, tuple[str, float]] = {
    "loss": ("loss, nats per token of the law", 1.0),
    "effective_flop": ("effective FLOP, today's recipe", 1.0),
    "training_flop": ("training FLOP, 6 N D", 1.0),
    "active_parameters": ("active parameters, B", 1e9),
    "total_parameters": ("total parameters, B", 1e9),
    "tokens": ("training tokens, T", 1e12),
    "chip_hours": ("chip-hours, M", 1e6),
    "chips": ("chips", 1.0),
    "days": ("days of training", 1.0),
    "site_power_w": ("site power, MW", 1e6),
    "usd": ("rent, M USD", 1e6),
    "months_to_result": ("months until the model", 1.0),
}


def _sentence(ask: Ask, found: Reached, broken: list[Any]) -> str:
    figures = found.figures
    if found.job is None:
        return f"Out of reach: no budget brings {ask.law.name} to a loss of {float(ask.target.value):g}; its floor lies above."
    head = (
        f"{figures['training_flop']:.2g} FLOP: {amount(figures['active_parameters'])} active of "
        f"{amount(figures['total_parameters'])} parameters on {amount(figures['tokens'])} tokens"
    )
    if not found.job.fits:
        return f"{head}; it does not fit on {ask.chip.id}: {found.job.reason}."
    money = ""
    if "usd" in figures:
        low, high = (amount(quantile(found.drawn["usd"], share)) for share in (0.05, 0.95))
        money = f" and {amount(figures['usd'])} USD of rent (90 % interval {low} to {high})"
    tail = (
        f"{head}; {figures['chips']:,.0f} {ask.chip.id} for {figures['days']:,.3g} days, "
        f"{figures['site_power_w'] / 1e6:,.3g} MW{money}, {_when(ask, figures['months_to_result'])}."
    )
    if broken:
        return f"{tail} Not feasible as asked: {', '.join(row[0] for row in broken)} beyond the limit."
    return tail


def _when(ask: Ask, months: float) -> str:
    """Months from the start, and the month of the calendar where the start is known."""
    words = f"{months:.1f} months from the start"
    return f"{words}, {month_after(ask.start, months)}" if ask.start is not None else words


def month_after(start: tuple[int, int], months: float) -> str:
    """Month of the calendar after so many months.

    Examples
    --------
    >>> month_after((2026, 11), 14.2)
    '2028-01'
    """
    count = start[0] * 12 + start[1] - 1 + int(months)
    return f"{count // 12}-{count % 12 + 1:02d}"


def _plot(ask: Ask) -> Plot:
    """Training FLOP against the target's neighborhood: how steep the last steps are."""
    target = ask.target
    middle = float(target.value)
    if target.kind == "loss":
        values = middle + np.linspace(-0.05, 0.1, 16)
        label = "loss, nats per token"
    elif target.kind == "months":
        values, label = middle + np.linspace(-12.0, 12.0, 13), "months ahead of today's frontier"
    else:
        values = middle * np.geomspace(0.1, 10.0, 13)
        label = f"{'effective FLOP' if target.kind == 'flop' else 'total parameters'}, power of ten"
    need = needed(
        replace(target, value=values), ask.law, frontier=ask.frontier, served=ask.served, expansion=ask.expansion,
        gain=float(ask.frontier.progress.gain(ask.lead_months)),
    )  # fmt: skip
    shown = np.log10(values) if target.kind in ("flop", "parameters") else values
    points = tuple(
        ("training FLOP", float(value), float(flop) / 1e24)
        for value, flop in zip(shown, need.training_flop.reshape(-1), strict=True)
        if np.isfinite(flop)
    )
    return Plot("Training FLOP for the target", label, "1e24 FLOP", points, log_y=True)


def _notes(ask: Ask, found: Reached) -> tuple[str, ...]:
    progress: Progress = ask.frontier.progress
    recipes = (
        f"doubling of recipes every {progress.months:g} months (4.5 to 14.3, arXiv 2403.05812)"
        if progress.log_sd or progress.unevenness
        else "recipes as they are"
    )
    notes = [
        (
            f"Law: {ask.law.name} ({ask.law.source}; {ask.law.fit_range}). Drawn, {ask.draws} times: {found.law_drawn}; "
            f"{recipes}; rates; price +-{ask.price_log_sd:.0%}."
        ),
        f"{ask.lead_months:g} months until the run starts; the recipe gains a factor {float(progress.gain(ask.lead_months)):.2g} meanwhile.",
        f"Data wall: {EPOCHS_GOOD:g} epochs of {ask.unique_tokens / 1e12:g} T unique tokens; site and duration limits as typed or default (assumed).",
    ]
    if ask.expansion > 1 and isinstance(ask.law, DenseLaw):
        notes.append(f"{ask.law.name} is blind to sparsity: it counts active parameters only.")
    if found.job is not None and found.job.fits:
        notes.append(
            f"Layout {found.job.layout}, batch {found.job.batch_tokens / 1e6:,.0f} M tokens (arXiv 2401.02954, extrapolated), "
            f"{found.job.goodput:.0%} goodput (any failure stops all for 15 minutes, assumed); rate of {found.job.model.id} from the performance engine."
        )
    if ask.usd_per_chip_h is not None:
        notes.append(f"Price {ask.usd_per_chip_h:g} USD per chip-hour: {ask.price_source}.")
    else:
        notes.append(f"No rental price of {ask.chip.id} in the catalogue: give one with --price.")
    ratio = found.figures["tokens"] / found.figures["active_parameters"]
    if found.job is not None and not 1 <= ratio <= 10_000:
        notes.append(
            f"{ratio:.2g} tokens for each active parameter: no law here was fitted on such runs (1 to 10,000); read it as an "
            "extrapolation."
        )
    if ask.target.kind == "months":
        notes.append(
            f"Today's frontier: {ask.frontier.flop:.2g} FLOP, growing {ask.frontier.growth_per_year:g}x a year in FLOP "
            f"({ask.frontier.effective_growth_per_year():.1f}x effective)."
        )
    return tuple(notes)


def _done(ask: Ask, found: Reached) -> dict[str, str] | None:
    """Month in which the model is there: central and 5, 50 and 95 %."""
    if ask.start is None or "months_to_result" not in found.figures:
        return None
    months = {"central": found.figures["months_to_result"]}
    months |= {f"p{100 * share:.0f}": quantile(found.drawn["months_to_result"], share) for share in _SHARES}
    return {name: month_after(ask.start, value) for name, value in months.items() if np.isfinite(value)}


def _values(ask: Ask, found: Reached) -> dict[str, Any]:
    return {
        "law": ask.law.name,
        "chip": ask.chip.id,
        "target": {"kind": ask.target.kind, "value": float(ask.target.value)},
        "figures": found.figures,
        "done": _done(ask, found),
        "quantiles": {
            key: {"p5": quantile(value, 0.05), "p50": quantile(value, 0.5), "p95": quantile(value, 0.95)}
            for key, value in found.drawn.items()
        },
        "fits_memory": found.job is not None and found.job.fits,
        "memory_reason": found.job.reason
        if found.job is not None
        else "the floor of the law lies above the target",
        "limits": [
            {"limit": name, "value": value, "at": limit, "unit": unit, "p_within": chance}
            for name, value, limit, unit, chance in found.limits
        ],
        "draws": ask.draws,
        "seed": ask.seed,
    }
