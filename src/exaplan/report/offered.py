"""One offer as a sheet: the words and the tables."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from exaplan.domain.explained import Offered, Wait
from exaplan.report import explained_charts as charts
from exaplan.report.explained import gain, source_of
from exaplan.report.sheet import Picture, Section, Sheet
from exaplan.report.wording import MINUS, percent, usd


def offer_sheet(record: Offered) -> Sheet:
    """Say up to which price and date to sign, what each clause is worth, and at what risk."""
    stood = record.stood
    drawn = (
        (
            "price",
            "Worth against price",
            "What the plan gains from having the offer at each price, all else as offered.",
            charts.price_chart(record),
        ),
        (
            "clauses",
            "What each clause is worth",
            "Change of the plan's objective if the contract said otherwise; one clause at a time.",
            charts.clauses_chart(record),
        ),
        (
            "waits",
            "What waiting costs",
            "What is left of the offer's worth when it can be signed from a quarter on and not before.",
            charts.waits_chart(record),
        ),
    )
    return Sheet(
        kicker=f"Offer {record.offer}",
        lab=stood.lab,
        source=source_of(stood),
        say=offer_sentence(record),
        facts=tuple(_offer_facts(record)),
        sections=(_clause_section(record), _wait_section(record)),
        pictures=tuple(
            Picture(key, title, words, chart) for key, title, words, chart in drawn if chart is not None
        ),
        remarks=record.remarks,
        command=f"exaplan offer {shlex.quote(stood.lab_file)} {record.offer} --paths {record.paths} --seed {record.seed}",
        timings=tuple(record.timings.items()),
    )


def _priced(record: Offered, price: float) -> str:
    unit = "a chip" if record.price_unit == "USD/chip" else "a chip-hour"
    return f"{usd(price)} {unit}"


def offer_sentence(record: Offered) -> str:
    """Say the answer: worth, price, date."""
    if record.chips_expected < 0.5:
        if record.walk_away_price is not None:
            return f"Do not sign {record.offer} at {_priced(record, record.price)}: below {_priced(record, record.walk_away_price)} it would be worth something."
        return (
            f"Do not sign {record.offer} at {_priced(record, record.price)}: it is {record.walk_away_note}."
        )
    up_to = (
        f"up to {_priced(record, record.walk_away_price)} (asked: {usd(record.price)})"
        if record.walk_away_price is not None
        else f"and {record.walk_away_note}"
    )
    text = f"{record.offer} is worth {usd(record.worth_usd)} to the plan, {up_to}"
    if record.sign_by is None:
        return f"{text}."
    later = next((wait for wait in record.waits if wait.from_quarter > record.sign_by), None)
    text += f"; sign by {record.sign_by}"
    return f"{text}: from {later.from_quarter} on it costs {usd(later.cost_usd)}." if later else f"{text}."


def _offer_facts(record: Offered) -> Iterable[tuple[str, str]]:
    yield (
        "The plan",
        (
            f"signs {_chips(record.chips_now)} {record.chip} in {record.stood.first_quarter}, "
            f"{round(record.chips_expected):,} expected over the horizon, from {record.supplier} ({record.offer_kind})"
        ),
    )
    prices = f"asked {_priced(record, record.price)}"
    if record.volume_break_even_price is not None:
        over = record.volume_break_even_price / record.price - 1
        prices += f"; the planned volume as a whole breaks even at {usd(record.volume_break_even_price)} ({percent(over)} more)"
    if record.walk_away_price is not None:
        change = record.walk_away_price / record.price - 1
        side = "more" if change >= 0 else "less"
        prices += f"; no chip of it is worth having above {usd(record.walk_away_price)} ({percent(abs(change))} {side})"
    yield "Price", prices
    if record.usd_per_chip_hour is not None and record.usd_per_chip_hour_discounted is not None:
        yield (
            "Chip-hour",
            (
                f"{usd(record.usd_per_chip_hour_discounted)} per chip-hour at work, discounted, to the end of the terms; "
                f"{usd(record.usd_per_chip_hour)} undiscounted, within the horizon; both after must-spend and deposit"
            ),
        )
    if record.worthless_after is not None and record.chips_expected >= 0.5:
        last = record.waits[-1].from_quarter
        open_end = record.worthless_after >= last
        yield (
            "Dates",
            f"signed in {record.worthless_after} at the latest it is still worth something"
            + (
                " (the last quarter in which it can be signed)" if open_end else "; later it is worth nothing"
            ),
        )
    points = 100 * record.p_ruin_change
    sign = "+" if points > 0 else MINUS if points < 0 else ""
    yield (
        "P(ruin)",
        (
            f"{percent(record.p_ruin_with)} with it, {percent(record.p_ruin_without)} without: {sign}{abs(points):.1f} points "
            f"(standard error {100 * record.p_ruin_change_se:.1f}) on the same {record.paths:,} unseen futures"
        ),
    )
    low, high = record.replay_change_ci
    yield (
        "Replay",
        (
            f"on those futures it brings {usd(record.replay_change_usd, signed=True)} "
            f"({usd(low, signed=True)} to {usd(high, signed=True)}); the tree says {usd(record.worth_usd, signed=True)}"
        ),
    )


def _chips(number: float) -> str:
    return f"{round(number):,}" if round(number) else "no"


def _clause_section(record: Offered) -> Section:
    rows = tuple(
        (
            row.clause,
            row.now,
            row.instead,
            gain(row.gain_usd, record.stood.objective_usd),
            "" if row.price_equivalent is None else f"{100 * row.price_equivalent:+.1f} %".replace("-", MINUS),
        )
        for row in record.clauses
    )  # fmt: skip
    return Section(
        "What each clause is worth",
        ("if instead", "now", "then", "the plan gains ", "as a discount "),
        rows,
        "One change at a time, solved again. As a discount: the cut of the price that is worth the same, at the rate of the first per cent.",
    )


def _wait_section(record: Offered) -> Section:
    rows, dead = [], 0
    for wait in record.waits:
        dead = dead + 1 if not wait.chips else 0
        if dead <= 1:
            rows.append(_wait_row(wait))
    more = len(record.waits) - len(rows)
    return Section(
        "What waiting costs",
        ("signed from", "costs ", "worth left ", "chips, expected "),
        tuple(rows),
        "From then on nothing changes." if more else "",
    )


def _wait_row(wait: Wait) -> tuple[str, ...]:
    return (wait.from_quarter, usd(wait.cost_usd), usd(wait.worth_left_usd), f"{round(wait.chips):,}")
