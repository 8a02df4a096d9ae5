"""A simulation as a sheet: which policy wins, value and P(ruin), then distribution, lost sales, delay, stories, regret."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from exaplan.domain.simulated import PolicyRow, Simulated
from exaplan.report import simulated_charts as charts
from exaplan.report.sheet import Picture, Section, Sheet
from exaplan.report.wording import money_interval, percent, plural, share_interval, usd

NONE = "–"


def simulated_sheet(record: Simulated) -> Sheet:
    """Write the sheet of a simulation, answer first."""
    found = record.replay
    horizon = f"{plural(record.quarters, 'quarter')} from {record.first_quarter}"
    return Sheet(
        kicker="Monte Carlo of a plan",
        lab=record.lab,
        source=f"{record.lab_file} · {horizon} · {found.paths:,} futures, seed {record.seed} · plan {record.plan}",
        say=f"{record.verdict} {_value_and_ruin(record)}",
        facts=tuple(_facts(record)),
        sections=tuple(_sections(record)),
        pictures=tuple(_pictures(record)),
        remarks=record.remarks,
        command=f"exaplan simulate {shlex.quote(record.lab_file)} --paths {found.paths} --seed {record.seed}",
        timings=tuple(record.timings.items()),
    )


def _value_and_ruin(record: Simulated) -> str:
    found = record.replay
    within = f" within {plural(record.limit_quarters, 'quarter')}" if record.limit_quarters else ""
    against = f", limit {percent(record.limit)}" if record.limit is not None else ""
    return (
        f"The plan is worth {usd(found.value)} ({money_interval(found.value_ci)}) with P(ruin){within} "
        f"{percent(found.p_ruin)} ({share_interval(found.p_ruin_ci)}{against})."
    )


def _facts(record: Simulated) -> Iterator[tuple[str, str]]:
    yield "Best other", _best_other(record)
    yield (
        "Off the tree",
        f"the tree said {usd(record.tree_value)}; futures it was not made on say {usd(record.replay.value)} ({usd(record.replay.value - record.tree_value, signed=True)})",
    )
    if record.delay_months is None:
        yield (
            "Delay survived",
            "none: the plan breaks its limit, or median cash its minimum, with demand on time",
        )
    else:
        more = " or more" if record.delay_bounded else ""
        yield (
            "Delay survived",
            f"demand may come {record.delay_months:g} months late{more}: P(ruin) stays within the limit and median cash above its minimum",
        )
    breaches = max((row.share for row in record.floor_breaches), default=0.0)
    yield (
        "Floor",
        f"missed in {percent(breaches)} of futures in its worst quarter"
        if breaches
        else "kept in every future",
    )
    if record.rolling is not None:
        yield "Planned again", _rolling_sentence(record)


def _best_other(record: Simulated) -> str:
    others = [row for row in record.policies if row.kind != "plan"]
    if not others:
        return "none"
    best = max(others, key=lambda row: row.value)
    word = "clearly better than" if best.gain_ci[0] > 0 else "clearly worse than" if best.gain_ci[1] < 0 else "not clearly different from"  # fmt: skip
    return (
        f"{best.name}: {usd(best.gain, signed=True)} ({money_interval(best.gain_ci, signed=True)}) against the plan on the same "
        f"futures, {word} it, with P(ruin) {percent(best.p_ruin)}"
    )


def _rolling_sentence(record: Simulated) -> str:
    rolling = record.rolling
    assert rolling is not None  # noqa: S101 - the caller has checked it
    often = "every quarter" if rolling.every == 1 else f"every {rolling.every} quarters"
    return (
        f"{often} from where each of {rolling.paths} futures stands: worth {usd(rolling.gain, signed=True)} "
        f"({money_interval(rolling.gain_ci, signed=True)}) more than following the tree, P(ruin) {percent(rolling.p_ruin)} "
        f"({share_interval(rolling.p_ruin_ci)}) instead of {percent(rolling.plan_p_ruin)}; {rolling.plans:,} plans, {rolling.failed} without an answer"
    )


def _sections(record: Simulated) -> Iterator[Section]:
    yield from _policies(record)
    yield _regret(record)
    rows = tuple(
        (f"to {row.through}", percent(row.p_ruin), share_interval((row.low, row.high)))
        for row in record.ruin_by_year
    )
    yield Section("P(ruin) by year", ("", "P(ruin) ", "95 % interval "), rows)
    rows = tuple(
        (percent(row.share, 0), usd(row.value_usd), money_interval((row.low_usd, row.high_usd)))
        for row in record.quantiles
    )
    yield Section("Value: quantiles over the futures", ("quantile", "value ", "95 % interval "), rows)
    lost = tuple(
        (
            row.workload, percent(row.unserved_share), share_interval((row.unserved_low, row.unserved_high)),
            percent(row.stayed_away_share), usd(row.revenue_usd), money_interval((row.revenue_low_usd, row.revenue_high_usd)),
        )
        for row in record.lost_sales
    )  # fmt: skip
    note = "Turned away: asked for and not served; stayed away: lost earlier and not back yet. Shares of all demand."
    heads = ("", "turned away ", "95 % interval ", "stayed away ", "revenue lost ", "95 % interval ")
    yield Section("Lost sales over the horizon", heads, lost, note)
    yield _floors(record)
    yield _delays(record)
    tuned = tuple(
        (
            row.name, f"{row.evaluations}", usd(row.training_value_usd), percent(row.training_p_ruin), row.setting,
        )
        for row in record.tuning
    )  # fmt: skip
    yield Section(
        "Simple rules, as tuned",
        ("", "evaluations ", "value there ", "P(ruin) there ", "setting"),
        tuned,
        long=True,
    )
    stories = tuple((usd(story.value_usd), story.text) for story in record.stories)
    yield Section("The worst futures", ("value ", ""), stories, long=True)


def _policies(record: Simulated) -> Iterator[Section]:
    worth = tuple(
        (row.name, usd(row.value), money_interval(row.value_ci), *_gain(row)) for row in record.policies
    )
    heads = ("", "value ", "95 % interval ", "less the plan ", "95 % interval ")
    yield Section(
        "Policies on the same futures", heads, worth, "Differences to the plan are taken future by future."
    )
    risk = tuple(
        (
            row.name, percent(row.p_ruin), share_interval(row.p_ruin_ci),
            {True: "yes", False: "no", None: NONE}[row.within_limit], row.setting,
        )
        for row in record.policies
    )  # fmt: skip
    heads = ("", "P(ruin) ", "95 % interval ", "keeps limit", "setting")
    yield Section("P(ruin) of each policy, and how it is set", heads, risk, long=True)


def _gain(row: PolicyRow) -> tuple[str, str]:
    if row.kind == "plan":
        return NONE, NONE
    return usd(row.gain, signed=True), money_interval(row.gain_ci, signed=True)


def _regret(record: Simulated) -> Section:
    rows = tuple(
        (
            row.name, usd(row.regret_mean), money_interval(row.regret_mean_ci), usd(row.regret_max),
            percent(row.best_share), share_interval(row.best_share_ci),
        )
        for row in record.policies
    )  # fmt: skip
    heads = ("", "mean regret ", "95 % interval ", "largest ", "best in ", "95 % interval ")
    return Section("Regret: what each policy leaves to the best of them, future by future", heads, rows)


def _floors(record: Simulated) -> Section:
    missed = [row for row in record.floor_breaches if row.share > 0]
    rows = tuple(
        (
            row.quarter,
            percent(row.share),
            share_interval((row.low, row.high)),
            f"{1e24 * row.missed:.2g} FLOP",
        )
        for row in missed
    )
    worst = record.floor_breaches[0] if record.floor_breaches else None
    bound = f" (at most {percent(worst.high)} at 95 %)" if worst and not missed else ""
    note = "" if missed else f"Missed in no future{bound}."
    return Section(
        "Development floor missed", ("quarter", "futures ", "95 % interval ", "mean missed "), rows, note
    )


def _delays(record: Simulated) -> Section:
    rows = tuple(
        (
            f"{row.months:.1f}", percent(row.p_ruin), share_interval((row.p_ruin_low, row.p_ruin_high)),
            usd(row.least_median_cash_usd), usd(row.value_usd), "yes" if row.survived else "no",
        )
        for row in record.delays
    )  # fmt: skip
    heads = ("months ", "P(ruin) ", "95 % interval ", "lowest median cash ", "value ", "survived")
    return Section("The same futures with demand late", heads, rows)


def _pictures(record: Simulated) -> Iterator[Picture]:
    yield Picture(
        "values",
        "Value over the futures",
        "Share of futures by present value of equity.",
        charts.values_chart(record),
    )
    yield Picture(
        "policies",
        "Policies against the plan",
        "Mean difference of value on the same futures with its 95 % interval; P(ruin) beside it.",
        charts.policies_chart(record),
    )
    yield Picture(
        "cash",
        "Cash at the end of each quarter",
        "Middle half and middle nine tenths of futures, the median, and the minimum; a ruined lab has none.",
        charts.cash_chart(record),
    )
    yield Picture(
        "delay",
        "Demand late",
        "P(ruin) within the owner's time with its 95 % interval; dashed: the limit.",
        charts.delay_chart(record),
    )
