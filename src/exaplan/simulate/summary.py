"""Outcomes in words and intervals: value, P(ruin), cash bands, the worst futures as short stories."""

from __future__ import annotations

import numpy as np

from exaplan.domain.answer import Benchmark, CashBand, Replay, Story
from exaplan.domain.lab import Lab
from exaplan.domain.outcome import Outcome
from exaplan.domain.plan import Plan
from exaplan.economy.ruin import mean_interval, ruin_probability

BANDS = (5, 25, 50, 75, 95)


def replay_of(lab: Lab, outcome: Outcome) -> Replay:
    """Value and P(ruin) with 95 % intervals; P(ruin) within the owner's time, or the horizon where none is set."""
    value, low, high = mean_interval(outcome.value_usd, antithetic=_paired(outcome))
    within = lab.policy.ruin.within_quarters if lab.policy.ruin else None
    p_ruin, interval = ruin_probability(outcome.ruined_in, within, antithetic=_paired(outcome))
    wanted = outcome.demand_tokens.sum()
    return Replay(
        value=value,
        value_ci=(low, high),
        p_ruin=p_ruin,
        p_ruin_ci=interval,
        paths=len(outcome.value_usd),
        seed=outcome.seed,
        served_share=max(float(outcome.served_tokens.sum() / wanted), 0.0) if wanted > 0 else float("nan"),
    )


def benchmark_of(lab: Lab, name: str, outcome: Outcome, other: Outcome) -> Benchmark:
    """Compare the alternative ``other`` with ``outcome`` on the same futures, path by path."""
    value, low, high = mean_interval(other.value_usd, antithetic=_paired(other))
    _, worse, better = mean_interval(outcome.value_usd - other.value_usd, antithetic=_paired(outcome))
    within = lab.policy.ruin.within_quarters if lab.policy.ruin else None
    return Benchmark(name, value, (low, high), ruin_probability(other.ruined_in, within)[0], (worse, better))


def _paired(outcome: Outcome) -> bool:
    return len(outcome.value_usd) % 2 == 0 and len(outcome.value_usd) > 2


def cash_bands(lab: Lab, plan: Plan, outcome: Outcome) -> tuple[CashBand, ...]:
    """Cash at the end of each quarter over the futures (a ruined lab has none), and the tree's mean."""
    levels = np.percentile(outcome.cash_usd, BANDS, axis=0)
    rows = []
    for t in range(outcome.cash_usd.shape[1]):
        at = plan.quarter == t
        mean = float(plan.probability[at] @ plan.cash_usd[at])
        p05, p25, p50, p75, p95 = (float(level) for level in levels[:, t])
        rows.append(CashBand(str(lab.horizon.first + t), p05, p25, p50, p75, p95, mean))
    return tuple(rows)


def worst_futures(lab: Lab, outcome: Outcome, count: int = 10) -> tuple[Story, ...]:
    """Tell the futures of least value, worst first."""
    worst = np.argsort(outcome.value_usd, kind="stable")[:count]
    return tuple(_story(lab, outcome, int(path)) for path in worst)


def _story(lab: Lab, outcome: Outcome, path: int) -> Story:
    first = lab.horizon.first
    end = int(outcome.ruined_in[path])
    last = end if end >= 0 else outcome.cash_usd.shape[1] - 1
    demand = outcome.demand_tokens.sum(axis=2)
    now = demand[:, max(last - 1, 0)]
    typical = np.median(now[now > 0]) if (now > 0).any() else np.nan
    spent = outcome.compute_cost_usd[path, : last + 1].sum() + outcome.capex_usd[path, : last + 1].sum()
    earned = outcome.revenue_usd[path, : last + 1].sum()
    parts = [f"demand {now[path] / typical - 1:+.0%} against the median"] if typical > 0 else []
    parts.append(f"rental market at {outcome.rental_index[path, last]:.2f} of today's")
    if outcome.late[path, : last + 1].max() > 0:
        parts.append(f"deliveries late in {int((outcome.late[path, : last + 1] > 0).sum())} quarters")
    parts.append(f"compute took {spent / earned:.0%} of revenue" if earned > 0 else "nothing was earned")
    parts.append(f"capability fell to {outcome.ratio[path, last]:.2f} of the frontier" if outcome.ratio[path, last] < 0.9 else f"capability {outcome.ratio[path, last]:.2f} of the frontier")  # fmt: skip
    tail = f"; out of cash in {first + end}" if end >= 0 else "; survived"
    text = "; ".join(parts) + tail
    return Story(path, float(outcome.value_usd[path]), str(first + end) if end >= 0 else None, text)
