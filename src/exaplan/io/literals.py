"""Uncertainty literals: ``a to b``, ``normal(a to b)``, ``uniform(a to b)``, ``choice(x: 70 %, y: 30 %)``, and ``a .. b``."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from exaplan.domain.uncertain import Family, Uncertain
from exaplan.io.units import QuantityError, convert, example, split_quantity

_CALL = re.compile(r"(\w+)\s*\((.*)\)\s*(.*)", re.DOTALL)
_TO = re.compile(r"\s+to\s+")
_RANGE = re.compile(r"\s*\.\.\s*")


def is_uncertain(text: str) -> bool:
    """Whether a text is an uncertainty literal rather than one number.

    Examples
    --------
    >>> is_uncertain("30 % to 120 % /year"), is_uncertain("30 %/year")
    (True, False)
    """
    return bool(_TO.search(text) or re.match(r"\s*(normal|lognormal|uniform|choice|growth)\s*\(", text))


def split_range(text: str) -> tuple[tuple[int, str], tuple[int, str]] | None:
    """Split ``a .. b`` into its two ends with the offset of each, or None where it is not a range.

    Examples
    --------
    >>> split_range("20 % .. 60 %")
    ((0, '20 %'), (8, '60 %'))
    """
    found = _RANGE.search(text)
    if found is None or not text[: found.start()].strip() or not text[found.end() :].strip():
        return None
    return (0, text[: found.start()].strip()), (found.end(), text[found.end() :].strip())


def read_uncertain(text: str, unit: str, bounds: Mapping[str, float]) -> Uncertain:
    """Read an uncertain number in ``unit``; its whole support must keep ``bounds`` (``gt, ge, lt, le``).

    ``a to b`` is the interval from the 5th to the 95th percentile: normal in ln(1 + g) for a rate of change (a unit
    per time), lognormal where the field must be positive, normal otherwise.

    Raises
    ------
    QuantityError
        Where the literal, a unit, its order or its support is wrong.

    Examples
    --------
    >>> read_uncertain("30 % to 120 % /year", "1/year", {"gt": -1}).family
    'growth'
    """
    stripped = text.strip()
    call = _CALL.fullmatch(stripped)
    if call is not None and not re.match(r"[\d+-.]", stripped):
        found = _call(call[1], call[2], call[3], unit)
    elif ends := _TO.split(stripped):
        found = (
            _interval(ends, _natural_family(unit, bounds, ends), unit)
            if len(ends) > 1
            else _certain(stripped, unit)
        )
    _check_support(found, unit, bounds)
    return found


def check_bounds(value: float, unit: str, bounds: Mapping[str, float]) -> None:
    """Raise QuantityError where one number breaks its field's bounds."""
    for name, limit in bounds.items():
        words, kept = {
            "gt": ("above", value > limit),
            "ge": ("at least", value >= limit),
            "lt": ("below", value < limit),
            "le": ("at most", value <= limit),
        }[name]
        if not kept:
            raise QuantityError(f"must be {words} {shown(limit, unit)}, not {shown(value, unit)}")


def shown(value: float, unit: str) -> str:
    """Write a number in the record's unit for a message.

    Examples
    --------
    >>> shown(0.4, "share"), shown(2.0, "USD")
    ('40 %', '2 USD')
    """
    if unit == "share":
        return f"{100 * value:g} %"
    if unit.startswith("1/"):
        return f"{100 * value:g} %{unit[1:]}"
    return f"{value:g}" if unit == "ratio" else f"{value:g} {unit}"


def _certain(text: str, unit: str) -> Uncertain:
    return Uncertain.point(convert(text, unit))


def _natural_family(unit: str, bounds: Mapping[str, float], ends: list[str]) -> Family:
    if unit == "month" and split_quantity(ends[0])[0] == 0:
        return "uniform"
    if unit in ("1/year", "1/quarter"):
        return "growth"
    return "lognormal" if bounds.get("gt", bounds.get("ge", -1.0)) >= 0 else "normal"


def _call(name: str, inside: str, trailing: str, unit: str) -> Uncertain:
    if name == "choice":
        return _choice(inside, trailing, unit)
    if name not in ("normal", "lognormal", "uniform", "growth"):
        raise QuantityError(
            f"{name}(…) is not a distribution", "known: normal, lognormal, uniform, growth, choice"
        )
    ends = _TO.split(f"{inside.strip()} {trailing}".strip())
    if len(ends) < 2:
        raise QuantityError(
            f"{name}(…) needs two ends", f"for example {name}({example(unit)} to {example(unit)})"
        )
    family: Family = name  # type: ignore[assignment]
    return _interval(ends, family, unit)


def _interval(ends: list[str], family: Family, unit: str) -> Uncertain:
    if len(ends) != 2:
        raise QuantityError("an interval has two ends", "write it like 2 to 3 USD/chip/h")
    low_text, high_text = (end.strip() for end in ends)
    high = convert(high_text, unit)
    low = convert(_lend_unit(low_text, high_text), unit)
    if low > high:
        raise QuantityError(
            f"the interval is turned round: {low_text} is above {high_text}",
            f"write {high_text} to {low_text}",
        )
    if family == "lognormal" and low <= 0:
        raise QuantityError(
            "a positive quantity cannot reach zero or below", "raise the lower end, or use uniform(a to b)"
        )
    if family == "growth" and low <= -1:
        raise QuantityError("a change cannot reach -100 %", "raise the lower end")
    return Uncertain(family=family, low=low, high=high)


def _lend_unit(low: str, high: str) -> str:
    """Give the lower end the unit of the upper one where it states none, or only its beginning (``30 % to 60 %/year``)."""
    _, own = split_quantity(low)
    _, other = split_quantity(high)
    stem, whole = own.replace(" ", ""), other.replace(" ", "")
    if stem == whole or not whole.startswith(stem):
        return low
    number = low[: len(low) - len(own)] if own else low
    return f"{number.strip()} {other}"


def _choice(inside: str, trailing: str, unit: str) -> Uncertain:
    values: list[float] = []
    weights: list[float] = []
    for part in inside.split(","):
        value, colon, weight = part.partition(":")
        if not colon:
            raise QuantityError(
                f"{part.strip()!r} has no weight", "write it like choice(2 quarters: 70 %, 4 quarters: 30 %)"
            )
        values.append(convert(f"{value} {trailing}".strip(), unit))
        weights.append(convert(weight, "share"))
    if min(weights) < 0 or not math.isclose(sum(weights), 1.0, rel_tol=1e-6):
        raise QuantityError(
            f"the weights add up to {100 * sum(weights):g} %", "weights are non-negative and add up to 100 %"
        )
    return Uncertain(family="choice", values=tuple(values), weights=tuple(weights))


def _check_support(found: Uncertain, unit: str, bounds: Mapping[str, float]) -> None:
    """Refuse a distribution whose support leaves the field's bounds (open ends of the support may touch them)."""
    if found.family == "choice":
        for value in found.values:
            check_bounds(value, unit, bounds)
        return
    if found.family in ("point", "uniform"):
        check_bounds(found.low, unit, bounds)
        check_bounds(found.high, unit, bounds)
        return
    low = {"lognormal": 0.0, "growth": -1.0}.get(found.family, -math.inf)
    floor = bounds.get("gt", bounds.get("ge", -math.inf))
    if low < floor:
        raise QuantityError(
            f"a {found.family} distribution reaches below {shown(floor, unit)}",
            "write a to b, or uniform(a to b)",
        )
    ceiling = bounds.get("lt", bounds.get("le", math.inf))
    if ceiling < math.inf:
        raise QuantityError(
            f"a {found.family} distribution reaches above {shown(ceiling, unit)}", "write uniform(a to b)"
        )
