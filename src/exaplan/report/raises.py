"""By when a round has to be raised, in words and columns."""

from __future__ import annotations

from typing import Any

from exaplan.domain.explored import LateRaise, Raises, RoundDates
from exaplan.report.aligned import aligned
from exaplan.report.wording import money_interval, percent, share_interval, usd


def raise_sentences(found: Raises) -> list[str]:
    """Say the latest safe date of each round."""
    return [_sentence(each, found.asked.ruin_limit) for each in found.rounds]


def _sentence(each: RoundDates, limit: float | None) -> str:
    """Say it of one round: the date, what comes after it, or that the date does not matter or does not help."""
    never = each.plans[-1].point
    if all(late.safe for late in each.plans):
        gain = each.plans[0].point.value - never.value
        kept = "P(ruin) is not clearly higher" if limit is None else f"P(ruin) keeps {percent(limit)}"
        return f"{each.round}: no date to keep: {kept} without it either; it adds {usd(gain, signed=True)} of value"
    if each.latest_safe is None:
        high = f"P(ruin) is above {percent(limit)}"
        return f"{each.round}: no safe date: {high} from {each.plans[0].quarter} on already; never raised: {percent(never.p_ruin)}"
    place = next(place for place, late in enumerate(each.plans) if late.quarter == each.latest_safe)
    there, after = each.plans[place], each.plans[place + 1]
    kept = "not clearly above the plan as given" if limit is None else f"limit {percent(limit)}"
    then = "never raised" if after.quarter is None else f"from {after.quarter} on"
    return (
        f"{each.round}: latest safe date {each.latest_safe}, P(ruin) {percent(there.point.p_ruin)} ({kept}); "
        f"{then}: {percent(after.point.p_ruin)}"
    )


def raise_mark(each: RoundDates, late: LateRaise) -> str:
    """Mark the latest safe date and what breaks the limit."""
    if late.quarter is not None and late.quarter == each.latest_safe and each.needed:
        return "(latest safe date)"
    return "" if late.safe else "(not safe)"


def raises_body(found: Raises) -> list[str]:
    """Lay the plans out, one line for each beginning of each round."""
    heads = [
        "round",
        "raised from",
        "P(ruin)",
        "95 %",
        "above the plan as given",
        "value",
        "95 % of the mean",
        "",
    ]
    rows = [
        [
            each.round,
            late.quarter or "never",
            percent(late.point.p_ruin),
            share_interval(late.point.p_ruin_ci),
            f"{_points(late.more_ruin)} ({_points(late.more_ruin_ci[0])} to {_points(late.more_ruin_ci[1])}) points",
            usd(late.point.value),
            money_interval(late.point.value_ci),
            raise_mark(each, late),
        ]
        for each in found.rounds
        for late in each.plans
    ]
    note = "  Each plan knows from the start how late the round comes; the other rounds stay as given."
    return [*aligned(heads, rows, left=2, last_left=True), "", note]


def _points(share: float) -> str:
    return f"{100 * share:+.1f}".replace("-", "−")


def late_raises(found: Raises) -> list[dict[str, Any]]:
    """Tidy columns of each plan beside its figures."""
    return [
        {
            "round": each.round,
            "raised_from": late.quarter or "never",
            "safe": late.safe,
            "latest_safe": late.quarter is not None and late.quarter == each.latest_safe,
            "more_ruin": late.more_ruin,
            "more_ruin_low": late.more_ruin_ci[0],
            "more_ruin_high": late.more_ruin_ci[1],
        }
        for each in found.rounds
        for late in each.plans
    ]
