"""A race in a terminal, as one object for ``--json``, and as tidy rows: who is how far behind, and what would close it."""

from __future__ import annotations

import csv
import io
import math
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from statistics import mean
from typing import Any

from exaplan.domain.race_result import Prediction, RaceAnswer, Share, Spread, Standing
from exaplan.report.aligned import aligned
from exaplan.report.plainjson import finite
from exaplan.report.wording import percent, plural, usd

SCHEMA_VERSION = 1
YEAR_ENDS = "Q4"


def race_text(answer: RaceAnswer, *, by: int = -1, width: int = 100) -> str:
    """Say a race in plain text: the answer first, then the tables; ``by`` is the quarter of the headline."""
    head = [
        line for text in sentences(answer, by) for line in textwrap.wrap(text, width, subsequent_indent="   ")
    ]
    blocks = [
        ["Compute at work, million H100-equivalents, and months behind the best of the others", *_levels(answer, answer.compute, with_levels=True)],
        ["Capability, months behind the best of the others; who leads", *_levels(answer, answer.capability, with_levels=False)],
        ["P(parity by): level with the best of the others in some quarter until then", *_parity(answer)],
        ["Money", *_money(answer)],
    ]  # fmt: skip
    if answer.catches:
        blocks.append(["Critical path: one limit taken away from one lab, same futures", *_catches(answer)])
    forced = f" · shock {', '.join(answer.forced)} comes for certain" if answer.forced else ""
    foot = (
        f"{answer.race} · figures to {answer.as_of}, public estimates and assumptions as the file says · "
        f"{answer.paths:,} futures, seed {answer.seed}{forced} · 10th to 90th percentile in brackets, 95 % intervals of shares"
    )
    body = [line for block in blocks for line in ("", *block)]
    return "\n".join([*head, *body, "", *textwrap.wrap(foot, width)])


def sentences(answer: RaceAnswer, by: int = -1) -> list[str]:
    """Say who leads, who is how far behind in both measures, and who reaches parity with what chance."""
    first = min(answer.compute, key=lambda each: each.lag_now)
    last = answer.quarters[by]
    leading = with_interval(first.lead[by], answer.paths)
    told = [
        f"{first.lab} leads in compute at the end of {answer.quarters[0]}; it still does in {last} on {leading}."
    ]
    for compute, capability in zip(answer.compute, answer.capability, strict=True):
        if compute.lab == first.lab:
            continue
        told.append(
            f"{compute.lab} is {months(compute.lag_now, compute.lag_now_censored)} behind in compute and "
            f"{months(capability.lag_now, capability.lag_now_censored)} in capability; it reaches parity with the compute "
            f"leader by {last} on {with_interval(compute.parity[by])}, in capability on {with_interval(capability.parity[by])}."
        )
    return told


def with_interval(share: Share, paths: int | None = None) -> str:
    """Write a share with its interval.

    Examples
    --------
    >>> with_interval(Share(0.07, 0.064, 0.077))
    '7.0 % (6.4-7.7) of futures'
    """
    low, high = (f"{100 * side:.1f}" for side in (share.low, share.high))
    return f"{percent(share.value)} ({low}-{high}) of {f'{paths:,} ' if paths else ''}futures"


def months(value: float, censored: bool = False) -> str:
    """Write months.

    Examples
    --------
    >>> months(3.04), months(48.0, True), months(math.inf)
    ('3.0 months', 'at least 48.0 months', 'never within the race')
    """
    if math.isinf(value):
        return "never within the race"
    return f"{'at least ' if censored else ''}{value:.1f} months"


def _levels(answer: RaceAnswer, standings: Sequence[Standing], *, with_levels: bool) -> list[str]:
    ends = year_ends(answer.quarters)
    shown = [(place, answer.quarters[place]) for place in ends]
    if with_levels:
        heads = [
            "",
            *(name for _, name in shown),
            "behind now",
            f"in {answer.quarters[-1]}",
            "reaches today's best in",
        ]
    else:
        heads = ["", *(f"first {name}" for _, name in shown), "behind now", f"in {answer.quarters[-1]}", "reaches today's best in"]  # fmt: skip
    rows = []
    for each in standings:
        cells = (
            [_spread(each.level[place]) for place, _ in shown]
            if with_levels
            else [percent(each.lead[place].value) for place, _ in shown]
        )
        reach = _months(each.until_parity_now.p50)
        late = f" ({percent(each.until_parity_censored)} never)" if each.until_parity_censored else ""
        rows.append([each.lab, *cells, _months(each.lag_now), _lag(each.lag[-1]), f"{reach}{late}"])
    return aligned(heads, rows)


def _parity(answer: RaceAnswer) -> list[str]:
    ends = year_ends(answer.quarters)[-2:]
    heads = [""] + [
        f"{name} {answer.quarters[place]}" for name in ("compute", "capability") for place in ends
    ]
    rows = [
        [compute.lab, *(_share(measure.parity[place]) for measure in (compute, capability) for place in ends)]
        for compute, capability in zip(answer.compute, answer.capability, strict=True)
    ]
    return aligned(heads, rows)


def _money(answer: RaceAnswer) -> list[str]:
    last = answer.quarters[-1]
    heads = ["", f"revenue a year, {last}", "P(ruin)", "P(leapfrog)"]
    rows = [
        [each.lab, _dollars(revenue[-1]), _share(ruin), _share(leap)]
        for each, revenue, ruin, leap in zip(
            answer.compute, answer.revenue_usd, answer.ruin, answer.leapfrog, strict=True
        )
    ]
    price = answer.price[-1]
    market = (
        f"  A token costs customers {percent(price.p50, 2)} of today's price in {last} ({percent(price.p10, 2)} to "
        f"{percent(price.p90, 2)}); sellers keep {percent(answer.margin_kept, 0)} of the fall of cost, in logs."
    )
    return [*aligned(heads, rows), market]


def _catches(answer: RaceAnswer) -> list[str]:
    heads = ["", "without the limit of", "P(parity)", "gain, points", "sooner", "binds orders"]
    rows = [
        [
            each.lab,
            each.cause,
            _share(each.parity),
            f"{100 * each.gain:+.1f} ({100 * each.gain_low:+.1f} to {100 * each.gain_high:+.1f})",
            "n/a" if math.isnan(each.months_sooner) else f"{each.months_sooner:.0f} months",
            percent(each.binding, 0),
        ]
        for each in answer.catches
    ]
    told = []
    for lab in dict.fromkeys(each.lab for each in answer.catches):
        own = [each for each in answer.catches if each.lab == lab and each.cause != "recipes"]
        if own:
            best, most = max(own, key=lambda each: each.gain), max(own, key=lambda each: each.binding)
            words = (
                f"{best.cause} stand between {lab} and parity in compute"
                if best.cause == "chips"
                else f"{best.cause} stands between {lab} and parity in compute"
            )
            weak = best.gain_low <= 0
            told.append(
                f"  {f'No single limit brings {lab} to parity in compute' if weak else words[0].upper() + words[1:]}; "
                f"{most.cause} {'bind' if most.cause == 'chips' else 'binds'} {percent(most.binding, 0)} of its orders."
            )
    return [*aligned(heads, rows, left=2), *told]


def _spread(spread: Spread) -> str:
    low, middle, high = (f"{value / 1e6:.1f}" for value in (spread.p10, spread.p50, spread.p90))
    return f"{middle} ({low}-{high})" if spread.p10 != spread.p90 else f"{spread.p50 / 1e6:.2f}"


def _dollars(spread: Spread) -> str:
    return f"{usd(4 * spread.p50)} ({usd(4 * spread.p10)} to {usd(4 * spread.p90)})"


def _months(value: float) -> str:
    return "never" if math.isinf(value) else f"{value:.1f}"


def _lag(spread: Spread) -> str:
    return f"{_months(spread.p50)} ({_months(spread.p10)}-{_months(spread.p90)})"


def _share(share: Share) -> str:
    return f"{percent(share.value)} ({100 * share.low:.1f}-{100 * share.high:.1f})"


def year_ends(quarters: Sequence[str]) -> list[int]:
    """Places of the first quarter, of the last quarter of each year, and of the last quarter; at most four of them.

    Examples
    --------
    >>> year_ends(["2025-Q4", "2026-Q1", "2026-Q2", "2026-Q3", "2026-Q4", "2027-Q1"])
    [0, 4, 5]
    """
    last = len(quarters) - 1
    ends = [place for place, name in enumerate(quarters) if name.endswith(YEAR_ENDS) or place in (0, last)]
    return ends if len(ends) <= 4 else [*ends[:3], ends[-1]]


def race_document(answer: RaceAnswer, by: int = -1) -> dict[str, Any]:
    """Give a race as one JSON object; infinite months are null."""
    found: dict[str, Any] = finite({"schema_version": SCHEMA_VERSION, **asdict(answer)})
    return {**found, "headline": sentences(answer, by)}


def race_csv(answer: RaceAnswer) -> str:
    """Give a race as tidy rows: one per lab, measure and quarter."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n")
    write.writerow(
        [
            "lab",
            "measure",
            "quarter",
            "p10",
            "p50",
            "p90",
            "parity_share",
            "parity_low",
            "parity_high",
            "lead_share",
        ]
    )
    for measure, standings in (("compute_h100e", answer.compute), ("capability", answer.capability)):
        for each in standings:
            for place, quarter in enumerate(answer.quarters):
                level, parity = each.level[place], each.parity[place]
                write.writerow(
                    [each.lab, measure, quarter, level.p10, level.p50, level.p90, parity.value, parity.low, parity.high, each.lead[place].value]
                )  # fmt: skip
    return out.getvalue()


def backtest_text(points: Sequence[Prediction], wider: Sequence[Prediction]) -> str:
    """Say a back-test: how many points lie inside, how wide the bands are, and which score is better.

    ``wider`` holds the same points against constant growth at the rates of all named buyers, those in China included.
    """
    inside, naive = sum(each.inside for each in points), sum(each.naive_inside for each in points)
    widest = max(each.race.p90 / each.race.p10 for each in points)
    heads = [
        "from",
        "lab",
        "at",
        "actual",
        "p10",
        "p50",
        "p90",
        "inside",
        "score",
        "constant growth",
        "inside",
        "score",
    ]
    rows = [
        [
            each.start, each.lab, each.date, _millions(each.actual), *(_millions(value) for value in (each.race.p10, each.race.p50, each.race.p90)),
            "yes" if each.inside else "no", f"{each.score:.2f}",
            f"{_millions(each.naive.p10)}-{_millions(each.naive.p90)}", "yes" if each.naive_inside else "no", f"{each.naive_score:.2f}",
        ]
        for each in points
    ]  # fmt: skip
    found = (
        f"{inside} of {plural(len(points), 'later fleet')} lie inside the 80 % band of the race ({naive} inside that of constant "
        f"growth); P90/P10 is at most {widest:.1f}."
    )
    return "\n".join(
        [
            found,
            "Mean interval score, smaller is better:",
            f"  against constant growth as of buyers outside China   {_compared(points)}",
            f"  against constant growth as of all named buyers       {_compared(wider)}",
            "",
            *aligned(heads, rows, left=3),
            "",
            "Million H100-equivalents, against Epoch AI's later estimates; scores of the rows in natural logs. Inputs are dated",
            "before the start; docs/race.md says how they were set, and what is not proved by this.",
        ]
    )


def _compared(points: Sequence[Prediction]) -> str:
    """Write both scores of a back-test: in million H100-equivalents, as defined, and in logs, where labs weigh alike."""
    own, naive = (
        [mean([getattr(each, name) for each in points]) for name in names]
        for names in (("score_h100e", "score"), ("naive_score_h100e", "naive_score"))
    )
    return (
        f"{own[0] / 1e6:.2f} M {_word(own[0], naive[0])} {naive[0] / 1e6:.2f} M H100e; "
        f"in logs {own[1]:.2f} {_word(own[1], naive[1])} {naive[1]:.2f}"
    )


def _word(own: float, other: float) -> str:
    """Compare two scores; within 2 % they count as level.

    Examples
    --------
    >>> _word(1.13, 1.14), _word(1.0, 1.5), _word(2.0, 1.5)
    ('level with', 'better than', 'worse than')
    """
    return "level with" if abs(own / other - 1) < 0.02 else "better than" if own < other else "worse than"


def _millions(value: float) -> str:
    return f"{value / 1e6:.2f}"
