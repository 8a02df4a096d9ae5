"""What a command line asks to change: ``KEY=V,KEY2=V2`` for a what-if, ``KEY=a..b:n`` or ``KEY=v1,v2`` for a sweep."""

from __future__ import annotations

import re

import numpy as np

from exaplan.domain.errors import InputError, Problem
from exaplan.domain.explored import Axis
from exaplan.domain.quarter import Quarter

MOST_SETTINGS = 101
"""Settings of one key; more than a chart can tell apart."""

_NEXT_KEY = re.compile(r",\s*(?=[A-Za-z_][\w-]*(?:\.[\w.-]+)*\s*=)")
_NUMBER = re.compile(r"\s*([-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*?)\s*")
_QUARTER = re.compile(r"\s*(\d{4}-Q[1-4])\s*")
_SWEEP_HINT = "write KEY=a..b:n, for example policy.floor.share=30 %..60 %:7, or KEY=v1,v2,v3"


def read_changes(text: str) -> dict[str, str]:
    """Read the changes of one what-if.

    Raises
    ------
    InputError
        For a part that is not ``KEY=VALUE``, or a key given twice.

    Examples
    --------
    >>> read_changes("finance.cash=20 GUSD, sites.texas.power=[1 GW, 2 GW]")
    {'finance.cash': '20 GUSD', 'sites.texas.power': '[1 GW, 2 GW]'}
    """
    found: dict[str, str] = {}
    for part in _NEXT_KEY.split(text):
        key, value = _pair(part, "write KEY=VALUE, for example policy.floor.share=45 %")
        if key in found:
            raise _fault(text, f"{key} is changed twice", "give each key once, or two --what-if")
        found[key] = value
    return found


def read_axis(text: str) -> Axis:
    """Read one key of a sweep and its settings, with units as in a lab file.

    Raises
    ------
    InputError
        For anything but ``KEY=a..b:n`` or ``KEY=v1,v2``, ends of different units, or fewer than two settings.

    Examples
    --------
    >>> read_axis("policy.floor.share=30 %..60 %:3").settings
    ('30 %', '45 %', '60 %')
    >>> read_axis("offers.own.lead=1..4 quarters:4").settings
    ('1 quarters', '2 quarters', '3 quarters', '4 quarters')
    >>> read_axis("sites.texas.ready=2028-Q1..2028-Q3:3").settings
    ('2028-Q1', '2028-Q2', '2028-Q3')
    >>> read_axis("offers.own.max_order=10k chips/quarter,30k chips/quarter").numbers
    (10.0, 30.0)
    """
    key, value = _pair(text, _SWEEP_HINT)
    span = re.fullmatch(r"(.+?)\.\.(.+?)(?::\s*(\d+))?\s*", value)
    if span:
        return _span(text, key, (span[1], span[2]), span[3])
    settings = tuple(part.strip() for part in _outside_brackets(value))
    if len(settings) < 2 or not all(settings):
        raise _fault(text, "a sweep needs at least two settings", _SWEEP_HINT)
    _few(text, len(settings))
    return _axis(key, settings)


def _pair(text: str, hint: str) -> tuple[str, str]:
    key, found, value = text.partition("=")
    if not found or not key.strip() or not value.strip():
        raise _fault(text, "this is not KEY=VALUE", hint)
    return key.strip(), value.strip()


def _span(text: str, key: str, ends: tuple[str, str], number: str | None) -> Axis:
    if number is None or int(number) < 2:
        raise _fault(text, "the number of settings is missing or below two", _SWEEP_HINT)
    count = _few(text, int(number))
    dated = [_QUARTER.fullmatch(end) for end in ends]
    if dated[0] and dated[1]:
        first, last = (Quarter.parse(match[1]) for match in dated if match)
        steps = np.linspace(0, last - first, count)
        return _axis(key, tuple(dict.fromkeys(str(first + round(float(step))) for step in steps)))
    read = [_NUMBER.fullmatch(end) for end in ends]
    if not (read[0] and read[1]):
        raise _fault(text, "the ends of a range are two numbers or two quarters", _SWEEP_HINT)
    low, high = (match for match in read if match)
    units = [unit for unit in (high[2], low[2]) if unit]
    if len({unit.rstrip("s") for unit in units}) > 1:
        raise _fault(text, f"the ends are in {low[2]!r} and {high[2]!r}", "write both ends in one unit")
    unit = units[0] if units else ""
    apart = " " if unit and re.search(r"\d\s+\S", ends[1] if high[2] else ends[0]) else ""
    values = np.linspace(float(low[1].replace("_", "")), float(high[1].replace("_", "")), count)
    return _axis(key, tuple(f"{value:.6g}{apart}{unit}" for value in values))


def _axis(key: str, settings: tuple[str, ...]) -> Axis:
    """Read the settings as numbers of one unit where they are."""
    read = [_NUMBER.fullmatch(setting) for setting in settings]
    units = {match[2].rstrip("s") if match else None for match in read}
    if None in units or len(units) > 1:
        return Axis(key, settings, None, "")
    found = [match for match in read if match]
    return Axis(key, settings, tuple(float(match[1].replace("_", "")) for match in found), found[0][2])


def _few(text: str, count: int) -> int:
    if count > MOST_SETTINGS:
        raise _fault(text, f"{count} settings", f"ask for at most {MOST_SETTINGS}")
    return count


def _outside_brackets(value: str) -> list[str]:
    """Split at commas that stand in no bracket."""
    parts, depth = [""], 0
    for letter in value:
        depth += (letter in "[{(") - (letter in "]})")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _fault(text: str, reason: str, suggestion: str) -> InputError:
    return InputError(Problem(f"{text!r}: {reason}", suggestion=suggestion))
