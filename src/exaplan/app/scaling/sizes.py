"""The laws themselves, compute-optimal sizes side by side, and what sizing by a wrong law costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.capability.drawn import drawn_law, quantile
from exaplan.capability.fitting import fit_chinchilla
from exaplan.capability.forms import Array, GranularLaw, ScalingLaw, SparseLaw
from exaplan.capability.laws import ALLOCATIONS, LAWS, Allocation
from exaplan.capability.optimum import Optimum, budget_optimum, chinchilla_optimum, overtrained
from exaplan.capability.progress import Progress
from exaplan.capability.repeated import repeated
from exaplan.capability.wrong_law import Planner, regret
from exaplan.domain.casebook import Plot, Table, Value
from exaplan.domain.finding import Finding
from exaplan.report.casebook import number
from exaplan.report.finding import amount

KRAJEWSKI_EXPANSION = 64.0
"""The law was fitted with 64 experts and read near this ratio of total to active parameters."""
_CURVE = np.geomspace(1e22, 1e28, 25)
_POWERS = np.log10(_CURVE)
_RATIOS = (20.0, 100.0, 300.0, 1000.0)


def law_named(name: str) -> ScalingLaw | Allocation:
    """Law or allocation by the name that a user types."""
    return LAWS[name] if name in LAWS else ALLOCATIONS[name]


def expansion_for(law: ScalingLaw, expansion: float | None) -> float:
    """Total over active parameters at which a law is read: as typed, else 64 for Krajewski's and 1 for all others."""
    if expansion is not None:
        return expansion
    return KRAJEWSKI_EXPANSION if isinstance(law, GranularLaw) else 1.0


def laws_finding(runs: tuple[Array, Array, Array] | None = None, *, source: str = "") -> Finding:
    """List the laws with source and range; with runs also the law fitted to them and its covariance."""
    rows: list[tuple[Value, ...]] = []
    for key, law in LAWS.items():
        expansion = expansion_for(law, None)
        best = budget_optimum(law, 1e24, expansion=expansion)
        rows.append(
            (
                key, _form(law), law.fit_range, float(best.active) / 1e9, float(best.tokens_per_parameter), law.source,
            )
        )  # fmt: skip
    for key, split in ALLOCATIONS.items():
        tokens = float(split.tokens(1e24))
        active = 1e24 / 6 / tokens
        rows.append((key, "D = k C^a", split.fit_range, active / 1e9, tokens / active, split.source))
    table = Table(
        "Laws", ("law", "form", "fitted on", "B active at 1e24 FLOP", "tokens per parameter", "source"), tuple(rows),
        "Losses of two laws are on different data and must not be compared; sizes may be.",
    )  # fmt: skip
    answer = f"{len(LAWS)} laws of loss and {len(ALLOCATIONS)} of allocation; besiroglu for dense and abnar for sparse models are the defaults."
    if runs is None:
        return Finding(answer, (table,), values={"laws": [row[0] for row in rows]})
    law, fit = fit_chinchilla(*runs, name=source)
    names = ("E", "ln A", "alpha", "ln B", "beta")
    sd = np.sqrt(np.diag(fit.covariance))
    correlation = fit.covariance / np.outer(sd, sd)
    found: list[tuple[Value, ...]] = [
        (name, float(value), float(error), *(float(one) for one in line))
        for name, value, error, line in zip(names, fit.parameters, sd, correlation, strict=True)
    ]
    best = chinchilla_optimum(law, 1e24)
    answer = (
        f"Your {len(runs[0])} runs: L = {float(law.constant):.4g} + {float(law.size):.4g} / N^{float(law.size_exponent):.4g} + "
        f"{float(law.data):.4g} / D^{float(law.data_exponent):.4g}, residuals {fit.residual_sd:.2%} of the loss; at 1e24 FLOP "
        f"{amount(float(best.active))} parameters on {amount(float(best.tokens))} tokens."
    )
    fitted = Table(
        f"Fit to {source}", ("", "value", "standard error", *(f"corr {n}" for n in names)), tuple(found)
    )
    values = {
        "fitted": dict(zip(names, map(float, fit.parameters), strict=True)),
        "covariance": fit.covariance.tolist(),
        "residual_sd": fit.residual_sd,
    }
    return Finding(answer, (fitted, table), values=values)


def _form(law: ScalingLaw) -> str:
    if isinstance(law, SparseLaw):
        return "dense terms and powers of 1 - S"
    if isinstance(law, GranularLaw):
        return "c + (g/G^y + a)/N^a + B/D^b"
    return "E + A/N^a + B/D^b"


@dataclass(frozen=True)
class SizesAsk:
    """A budget and how the model will be used."""

    flop: float
    served: float = 0.0
    expansion: float | None = None
    unique_tokens: float | None = None
    draws: int = 400
    seed: int = 1


def optimal_finding(ask: SizesAsk, names: tuple[str, ...]) -> Finding:
    """Compute-optimal sizes of a budget under each law, with intervals where a law has a covariance."""
    rows: list[tuple[Value, ...]] = []
    points: list[tuple[str, float | str, float]] = []
    values: dict[str, dict[str, float | None]] = {}
    for name in names:
        law = law_named(name)
        if isinstance(law, Allocation):
            tokens = float(law.tokens(ask.flop))
            active = ask.flop / (6 * tokens + 2 * ask.served)
            rows.append(
                (name, active / 1e9, None, None, active / 1e9, tokens / 1e12, tokens / active, None, None)
            )
            curve_active = _CURVE / 6 / law.tokens(_CURVE)
            points += [(name, float(c), float(n) / 1e9) for c, n in zip(_POWERS, curve_active, strict=True)]
            values[name] = {
                "active_parameters": active,
                "tokens": tokens,
                "tokens_per_parameter": tokens / active,
            }
            continue
        expansion = expansion_for(law, ask.expansion)
        found, low, high = _with_interval(law, ask, expansion)
        dense = _dense_equal(law, found) if expansion > 1 else None
        active, tokens = float(found.active), float(found.tokens)
        rows.append(
            (
                name, active / 1e9, low / 1e9 if low else None, high / 1e9 if high else None, float(found.total) / 1e9,
                tokens / 1e12, tokens / active, float(found.loss), dense / 1e9 if dense else None,
            )
        )  # fmt: skip
        curve = budget_optimum(law, _CURVE, served=ask.served, expansion=expansion)
        points += [(name, float(c), float(n) / 1e9) for c, n in zip(_POWERS, curve.active, strict=True)]
        values[name] = {
            "active_parameters": active, "total_parameters": float(found.total), "tokens": tokens,
            "tokens_per_parameter": tokens / active, "loss": float(found.loss), "active_low": low, "active_high": high,
            "dense_equivalent": dense,
        }  # fmt: skip
    first = rows[0]
    answer = (
        f"{ask.flop:.3g} FLOP" + (f" over life, {ask.served:.2g} tokens served" if ask.served else "")
        + f": {amount(1e9 * float(first[1] or 0))} parameters on {amount(1e12 * float(first[5] or 0))} tokens, {number(first[6])} for each, by {first[0]}."
    )  # fmt: skip
    columns = (
        "law", "B active", "5 %", "95 %", "B total", "T tokens", "tokens per parameter", "loss", "dense equal, B",
    )  # fmt: skip
    tables = [
        Table(
            "Compute-optimal sizes",
            columns,
            tuple(rows),
            "Loss is in nats of each law's own data: not to be compared.",
        )
    ]
    tables += _over(names[0], values[names[0]].get("loss"), expansion=ask.expansion)
    plot = Plot(
        "Compute-optimal size by law", "FLOP, power of ten", "B active parameters", tuple(points), log_y=True
    )
    return Finding(answer, tuple(tables), (plot,), _optimal_notes(ask), {"flop": ask.flop, "sizes": values})


def _with_interval(
    law: ScalingLaw, ask: SizesAsk, expansion: float
) -> tuple[Optimum, float | None, float | None]:
    used = law if ask.unique_tokens is None else repeated(law, ask.unique_tokens)
    found = budget_optimum(used, ask.flop, served=ask.served, expansion=expansion)
    drawn, _ = drawn_law(law, np.random.default_rng(ask.seed), ask.draws)
    if drawn is law or ask.unique_tokens is not None:
        return found, None, None
    sizes = budget_optimum(drawn, ask.flop, served=ask.served, expansion=expansion).active
    return found, quantile(sizes, 0.05), quantile(sizes, 0.95)


def _dense_equal(law: ScalingLaw, sparse: Optimum) -> float | None:
    """Dense model that reaches the same loss on the same tokens; None beyond the sparse one's total: extrapolated too far."""
    found = float(law.dense_equivalent(sparse.loss, sparse.tokens))
    return found if found <= float(sparse.total) else None


def _over(name: str, loss: float | None, *, expansion: float | None) -> list[Table]:
    """Overtraining at the loss of the first law: what a smaller model costs to train, what it saves to serve."""
    law = law_named(name)
    if loss is None or isinstance(law, Allocation):
        return []
    grown = expansion_for(law, expansion)
    active, multiple = overtrained(law, loss, np.array(_RATIOS), expansion=grown)
    best = float(active[0])
    rows = tuple(
        (ratio, float(size) / 1e9, float(times), float(size) / best)
        for ratio, size, times in zip(_RATIOS, active, multiple, strict=True)
        if np.isfinite(size)
    )
    return [
        Table(
            f"The same loss with more tokens for each parameter, by {name}",
            (
                "tokens per parameter",
                "B active",
                "training FLOP over the least",
                "FLOP to serve a token over the first",
            ),
            rows,
        )
    ]


def _optimal_notes(ask: SizesAsk) -> tuple[str, ...]:
    notes = [
        "Intervals: 5 and 95 % over the law's covariance; none where a law was published without errors."
    ]
    if ask.expansion is not None and ask.expansion > 1:
        notes.append(
            "Dense equal: the dense model of the same loss on the same tokens; a dash where it would be larger than the sparse "
            "model, far beyond the fit. Sparsity counts up to 0.95."
        )
    if ask.served:
        notes.append("The budget pays 6 N D to train and 2 N T to serve T tokens (arXiv 2401.00448).")
    if ask.unique_tokens is not None:
        notes.append(
            f"{ask.unique_tokens / 1e12:g} T unique tokens; repetition is worth less and less (arXiv 2305.16264)."
        )
    return tuple(notes)


@dataclass(frozen=True)
class WrongAsk:
    """A plan under law A where law B is true."""

    planner: str
    truth: str
    flop: float
    served: float = 0.0
    expansion: float | None = None
    usd_per_flop: float | None = None
    draws: int = 400
    seed: int = 1


def wrong_laws_finding(flop: float, served: float = 0.0) -> Finding:
    """Share of a budget wasted for every pair of a law that plans and a law that is true, central coefficients."""
    truths = [name for name, law in LAWS.items() if not isinstance(law, GranularLaw)]
    planners = [*truths, *ALLOCATIONS]
    shares = {
        (planner, truth): float(regret(law_named(planner), LAWS[truth], flop, served=served).wasted_share)
        for planner in planners
        for truth in truths
    }
    rows: tuple[tuple[Value, ...], ...] = tuple(
        (
            planner,
            *(shares[planner, truth] for truth in truths),
            max(shares[planner, truth] for truth in truths),
        )
        for planner in planners
    )
    safest = min(rows, key=lambda row: float(row[-1] or 0.0))
    answer = (
        f"At {flop:.3g} FLOP planning by {safest[0]} wastes at most {float(safest[-1] or 0.0):.1%} of the budget, whichever of "
        "these laws is true: the least of all."
    )
    table = Table(
        "Share of the budget wasted: planned by (row) where true is (column)", ("planned by", *truths, "worst"), rows,
        "Dense models. Give --plan and --truth for one pair with its interval.",
    )  # fmt: skip
    points = tuple(
        (f"planned by {planner}", truth.partition("-")[0], shares[planner, truth])
        for planner in planners
        for truth in truths
    )
    plot = Plot("Budget wasted by planning with a wrong law", "true law", "share of the budget", points)
    values = {"flop": flop, "wasted_share": {p: {t: shares[p, t] for t in truths} for p in planners}}
    return Finding(answer, (table,), (plot,), values=values)


def wrong_law_finding(ask: WrongAsk) -> Finding:
    """Regret of a plan under one law where another is true: FLOP, dollars, months; with the truth's uncertainty."""
    planner: Planner = law_named(ask.planner)
    truth = law_named(ask.truth)
    if isinstance(truth, Allocation):
        raise TypeError("a law of allocation has no loss to judge by")
    expansion = expansion_for(truth, ask.expansion)
    generator = np.random.default_rng(ask.seed)
    central = regret(planner, truth, ask.flop, served=ask.served, expansion=expansion)
    drawn, words = drawn_law(truth, generator, ask.draws)
    spread = regret(planner, drawn, ask.flop, served=ask.served, expansion=expansion)
    doubling = Progress().doubling_months(generator, ask.draws)[:, None]
    months = spread.months(doubling)
    measures: list[tuple[str, float, Array]] = [
        ("share of the budget wasted", float(central.wasted_share), spread.wasted_share),
        ("FLOP wasted", float(central.wasted_share) * ask.flop, spread.wasted_share * ask.flop),
        ("loss above the best, nats per token", float(central.excess_loss), spread.excess_loss),
        ("months of algorithmic progress lost", float(central.months(Progress().months)), months),
    ]
    if ask.usd_per_flop is not None:
        usd = ask.usd_per_flop * ask.flop / 1e6
        measures.append(("M USD wasted", float(central.wasted_share) * usd, spread.wasted_share * usd))
    rows: tuple[tuple[Value, ...], ...] = tuple(
        (name, value, *(quantile(array, share) for share in (0.05, 0.5, 0.95)))
        for name, value, array in measures
    )
    sizes: tuple[tuple[Value, ...], ...] = (
        (f"planned by {ask.planner}", float(central.planned.active) / 1e9, float(central.planned.tokens) / 1e12,
         float(central.planned.tokens_per_parameter), float(central.planned.loss)),
        (f"best by {ask.truth}", float(central.best.active) / 1e9, float(central.best.tokens) / 1e12,
         float(central.best.tokens_per_parameter), float(central.best.loss)),
    )  # fmt: skip
    curve = regret(planner, truth, _CURVE, expansion=expansion)
    plot = Plot(
        f"Budget wasted by planning with {ask.planner} where {ask.truth} is true", "FLOP, power of ten", "share of the budget",
        tuple(("wasted", float(c), float(w)) for c, w in zip(_POWERS, curve.wasted_share, strict=True)),
    )  # fmt: skip
    answer = (
        f"Sizing {ask.flop:.3g} FLOP by {ask.planner} where {ask.truth} is true wastes {float(central.wasted_share):.1%} of it "
        f"(90 % interval {quantile(spread.wasted_share, 0.05):.1%} to {quantile(spread.wasted_share, 0.95):.1%}), worth "
        f"{float(central.months(Progress().months)):.1f} months of algorithmic progress."
    )
    tables = (
        Table("Regret", ("", "central", "5 %", "median", "95 %"), rows),
        Table("Sizes", ("", "B active", "T tokens", "tokens per parameter", f"loss by {ask.truth}"), sizes),
    )
    notes = (
        f"Drawn, {ask.draws} times: {words}; doubling of recipes 4.5 to 14.3 months (arXiv 2403.05812).",
    )
    values = {
        "planner": ask.planner, "truth": ask.truth, "flop": ask.flop,
        "regret": {name: {"central": value, "p5": row[2], "p50": row[3], "p95": row[4]}
                   for (name, value, _), row in zip(measures, rows, strict=True)},
    }  # fmt: skip
    return Finding(answer, tables, (plot,), notes, values)
