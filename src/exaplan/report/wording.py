"""Numbers and findings in words: one wording for terminal, page and JSON."""

from __future__ import annotations

import math
import re

from exaplan.domain.answer import Answer, Decision, Limit, Price
from exaplan.domain.derivation import Derivation

MINUS = "\u2212"
NOT_KNOWN = "n/a"
_DOLLAR_SCALES = ((1e12, "T"), (1e9, "B"), (1e5, "M"), (1e3, "k"))
_COUNT_SCALES = ((1e12, "T"), (1e9, "B"), (1e6, "M"))


def _rounded(value: float, digits: int = 3) -> float:
    """Round to significant digits first, so that 999.96 M becomes 1.0 B and not 1,000 M."""
    if value == 0:
        return 0.0
    return float(f"{value:.{digits - 1}e}")


def _mantissa(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    if value >= 1:
        return f"{value:.1f}"
    return f"{value:.2f}"


def usd(value: float | None, *, signed: bool = False) -> str:
    """Write money the way a board reads it: two or three digits and a scale.

    From 100,000 dollars on the scale is millions, so that a price of 620,000 reads ``$0.62 M``.

    Parameters
    ----------
    value : float or None
        Dollars; None and NaN give ``n/a``.
    signed : bool
        Write the plus sign too.

    Examples
    --------
    >>> usd(1.23e9), usd(0.62e6, signed=True), usd(45_200), usd(3.3)
    ('$1.2 B', '+$0.62 M', '$45.2 k', '$3.30')
    >>> usd(999.96e6), usd(0.0), usd(None)
    ('$1.0 B', '$0', 'n/a')
    """
    if value is None or math.isnan(value):
        return NOT_KNOWN
    sign = MINUS if value < 0 else "+" if signed and value > 0 else ""
    size = _rounded(abs(value))
    if size == 0:
        return "$0"
    if math.isinf(size):
        return f"{sign}$unbounded"
    for scale, letter in _DOLLAR_SCALES:
        if size >= scale:
            return f"{sign}${_mantissa(size / (1e6 if letter == 'M' else scale))} {letter}"
    if size >= 100:
        return f"{sign}${size:,.0f}"
    return f"{sign}${size:.2f}" if size >= 0.1 else f"{sign}${size:.2g}"


def percent(share: float | None, digits: int = 1) -> str:
    """Write a share of 0..1 in percent.

    Examples
    --------
    >>> percent(0.018), percent(0.9312, 0), percent(-0.4, 0), percent(0.0004)
    ('1.8 %', '93 %', '−40 %', '0.04 %')
    """
    if share is None or not math.isfinite(share):
        return NOT_KNOWN
    text = f"{abs(100 * share):.{digits}f}"
    if share and not float(text):
        text = f"{abs(100 * share):.1g}"
    return f"{MINUS if share < 0 and float(text) else ''}{text} %"


def count(value: float | None) -> str:
    """Write a number of things: separators up to a million, then a scale, powers of ten above 1e15.

    Examples
    --------
    >>> count(28_000), count(1.25e12), count(3.1e25), count(0.4567), count(1.05e6)
    ('28,000', '1.2 T', '3.1e25', '0.457', '1.1 M')
    """
    if value is None or not math.isfinite(value):
        return NOT_KNOWN
    sign, size = (MINUS if value < 0 else ""), abs(value)
    if size >= 1e15:
        mantissa, power = f"{size:.1e}".split("e")
        return f"{sign}{mantissa}e{int(power)}"
    for scale, letter in _COUNT_SCALES:
        if size >= scale:
            return f"{sign}{_mantissa(_rounded(size / scale))} {letter}"
    if size >= 100 or size == round(size):
        return f"{sign}{size:,.0f}"
    if size < 1e-3:
        return f"{sign}{size:.2e}"
    return f"{sign}{_rounded(size):g}"


def quantity(value: float | None, unit: str) -> str:
    """Write a number with its unit; dollars, dollars per unit and shares get their own form.

    Examples
    --------
    >>> quantity(2.1e9, "USD"), quantity(3.4, "USD/Mtok"), quantity(0.35, "share"), quantity(5.5, "months")
    ('$2.1 B', '$3.40/Mtok', '35.0 %', '5.5 months')
    """
    per = re.fullmatch(r"USD(?:\s*/\s*|\s+per\s+)(.+)", unit)
    if unit == "USD":
        return usd(value)
    if per:
        text = usd(value)
        return text if text == NOT_KNOWN else f"{text}/{per[1]}"
    if unit in {"share", "probability"}:
        return percent(value)
    text = count(value)
    return f"{text} {unit}".rstrip() if text != NOT_KNOWN and unit not in {"", "1"} else text


def money_interval(interval: tuple[float, float], *, signed: bool = False) -> str:
    """Write an interval of dollars, for example ``$17.4 B to $18.2 B``."""
    return f"{usd(interval[0], signed=signed)} to {usd(interval[1], signed=signed)}"


def share_interval(interval: tuple[float, float]) -> str:
    """Write an interval of shares, for example ``0.9 % to 3.4 %``."""
    return f"{percent(interval[0])} to {percent(interval[1])}"


def unit_of(text: str) -> str:
    """Name the thing that a price counts: ``USD/MW`` and ``MW`` both read ``MW``.

    Examples
    --------
    >>> unit_of("USD/MW"), unit_of("chip"), unit_of("USD per chip")
    ('MW', 'chip', 'chip')
    """
    return re.sub(r"^USD(\s*/\s*|\s+per\s+)", "", text)


def per_unit(worth: float, unit: str) -> tuple[float, str]:
    """Restate a worth per unit as people say it: a share is priced per percentage point."""
    thing = unit_of(unit)
    return (worth / 100, "percentage point") if thing == "share" else (worth, thing or "unit")


def price_sentence(price: Price) -> str:
    """Say what one more unit is worth: there and then, and today."""
    then, thing = per_unit(price.there_and_then, price.unit)
    today, _ = per_unit(price.today, price.unit)
    name = "" if price.name in {thing, price.kind} else f" ({price.name})"
    thing = "dollar" if thing == "USD" else thing
    worth = f"{usd(then, signed=True)} ({usd(today, signed=True)} today)"
    return f"One more {thing}{name} in {price.quarter} is worth {worth}"


def top_prices(answer: Answer, number: int = 3) -> tuple[Price, ...]:
    """Pick the quarter of highest worth of each thing priced, dearest first among unlike things.

    Prices of unlike units cannot be ranked against each other, so each (kind, name) gives its best
    quarter and kinds take turns.
    """
    best: dict[tuple[str, str], Price] = {}
    for price in answer.prices:
        key = (price.kind, price.name)
        if price.there_and_then > 0 and (key not in best or price.there_and_then > best[key].there_and_then):
            best[key] = price
    by_kind: dict[str, list[Price]] = {}
    for price in sorted(best.values(), key=lambda item: (-item.there_and_then, item.name)):
        by_kind.setdefault(price.kind, []).append(price)
    turns = [(turn, kind, price) for kind, prices in by_kind.items() for turn, price in enumerate(prices)]
    return tuple(price for _, _, price in sorted(turns, key=lambda item: item[0])[:number])


def limit_sentence(limit: Limit) -> str:
    """Say ``binds, worth $x per unit``, ``slack`` or ``relaxed by y at price z``."""
    worth, thing = per_unit(limit.worth, limit.unit)
    if limit.name.startswith("P(ruin)"):  # judged by the replay: it has no price
        if limit.state == "relaxed":
            points = 100 * limit.relaxed_by
            return f"exceeded by {points:.1f} points in the replay; try exaplan plan --search-ruin"
        return "kept" if limit.state == "slack" else "kept, but within the replay's error"
    if limit.unit == "future":  # a date: it has no price
        missed = f"missed in {percent(limit.relaxed_by)} of futures"
        return {"relaxed": missed, "binds": "kept in its last quarter"}.get(limit.state, "kept earlier")
    if limit.state == "relaxed":
        amount = (
            percent(limit.relaxed_by) if unit_of(limit.unit) == "share" else things(limit.relaxed_by, thing)
        )
        of_it = " of what it asks" if unit_of(limit.unit) == "share" else ""
        return f"relaxed by {amount}{of_it} at {usd(worth)} per {thing}"
    if limit.state == "binds":
        where = f" in {plural(limit.quarters_binding, 'quarter')}" if limit.quarters_binding else ""
        return f"binds{where}, worth {usd(worth)} per {thing}"
    return "slack" if limit.state == "slack" else limit.state


def benchmark_sentence(answer: Answer, name: str | None = None) -> str:
    """Say whether the plan beats the alternative on the same futures, said plainly either way.

    ``name`` stands for the alternative, for example ``it`` where it was just named.
    """
    low, high = answer.benchmark.advantage_ci
    name = answer.benchmark.name if name is None else name
    if low > 0:
        return f"The plan beats {name} by {money_interval((low, high))} on the same futures."
    if high < 0:
        return (
            f"The plan does NOT beat {name}: it is {money_interval((-high, -low))} worse on the same futures."
        )
    return (
        f"The plan does NOT clearly beat {name}: the difference is {money_interval((low, high), signed=True)} "
        "on the same futures."
    )


def now_decisions(answer: Answer) -> tuple[Decision, ...]:
    """List signatures of the first quarter, dearest first; on-demand rental needs none and stays open."""
    now = (item for item in answer.decisions if item.now and item.kind != "on-demand")
    return tuple(sorted(now, key=lambda item: (-item.committed_usd, item.offer)))


def later_decisions(answer: Answer) -> tuple[Decision, ...]:
    """List later signatures by date, likeliest first."""
    later = (item for item in answer.decisions if not item.now and item.kind != "on-demand")
    return tuple(sorted(later, key=lambda item: (item.sign_by, -item.probability, item.offer)))


def plural(number: int, thing: str) -> str:
    """Write ``1 quarter``, ``3 quarters``."""
    return f"{number:,} {thing}" + ("" if number == 1 else "s")


def things(number: float, thing: str) -> str:
    """Write a counted thing in the plural, unit symbols such as MW left alone.

    Examples
    --------
    >>> things(4000, "chip"), things(12, "MW")
    ('4,000 chips', '12 MW')
    """
    symbol = not thing.islower() or thing.endswith("s") or number == 1
    return f"{count(number)} {thing}" + ("" if symbol else "s")


def answer_sentence(answer: Answer) -> str:
    """Write the one sentence that the whole run comes down to."""
    now = now_decisions(answer)
    if not now:
        later = later_decisions(answer)
        after = f"; the first later date is {later[0].sign_by}" if later else ""
        return f"Sign nothing in {answer.first_quarter}{after}."
    committed = usd(sum(item.committed_usd for item in now))
    due = usd(sum(item.due_now_usd for item in now))
    return f"Sign {plural(len(now), 'order')} by {min(item.sign_by for item in now)}: {committed} committed, {due} due now."


def waiting(cost_usd: float | None) -> str:
    """Say what one quarter of waiting costs, empty when nobody solved for it."""
    if cost_usd is None or math.isnan(cost_usd):
        return ""
    if cost_usd < 0:
        return f"waiting a quarter gains {usd(-cost_usd)}"
    return f"waiting a quarter costs {usd(cost_usd)}"


def keep_open(answer: Answer) -> tuple[str, ...]:
    """List on-demand sources that the plan uses, with the quarter of heaviest use."""
    peaks: dict[str, tuple[float, float, str]] = {}
    for row in answer.capacity:
        if row.kind == "on-demand" and row.chips_p95 > 0.5:
            peaks[row.source] = max(
                peaks.get(row.source, (0.0, 0.0, "")), (row.chips_p95, row.chips, row.quarter)
            )
    return tuple(
        f"{source}: on demand, {count(round(mean))} chips on average in {quarter}, at most {count(round(most))} in 95 % of futures"
        for source, (most, mean, quarter) in sorted(peaks.items(), key=lambda item: -item[1][0])
    )


def rescue_sentence(answer: Answer) -> str:
    """Say whether rescue equity was priced above every cash price, so that ruin never finances growth."""
    if answer.rescue_price > answer.largest_cash_price:
        return (
            f"rescue dollar priced at {count(answer.rescue_price)}, above the largest cash price "
            f"{count(answer.largest_cash_price)}"
        )
    return (
        f"WARNING: rescue dollar priced at {count(answer.rescue_price)}, not above the largest cash price "
        f"{count(answer.largest_cash_price)}: growth may be financed by ruin"
    )


def substituted(derivation: Derivation) -> str:
    """Write the formula with the operands' numbers in place of their names.

    Examples
    --------
    >>> from exaplan.domain.derivation import Operand
    >>> parts = (Operand("served", 4e12, "tokens"), Operand("price", 2.5e-6, "USD/token"))
    >>> substituted(Derivation("revenue", 1e7, "USD", "served * price", parts))
    '4.0 T tokens * $2.5e-06/token'
    """
    numbers = {part.name: quantity(part.value, part.unit) for part in derivation.operands}
    if not numbers:
        return derivation.formula
    names = "|".join(re.escape(name) for name in sorted(numbers, key=len, reverse=True))
    return re.sub(rf"(?<!\w)(?:{names})(?!\w)", lambda match: numbers[match[0]], derivation.formula)
