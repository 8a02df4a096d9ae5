"""Units at the lab-file door: a text with a unit in, a float in the record's unit out. Nothing behind it knows pint."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from exaplan.io.located import did_you_mean

if TYPE_CHECKING:
    from pint import UnitRegistry

_DEFINITIONS = """
n- = 1e-9
c- = 1e-2
micro- = 1e-6 = u- = µ-
m- = 1e-3
k- = 1e3
M- = 1e6
G- = 1e9
T- = 1e12
P- = 1e15
E- = 1e18
Z- = 1e21
Y- = 1e24
Ki- = 1024
Mi- = 1048576
Gi- = 1073741824
Ti- = 1099511627776
second = [time] = s = sec
minute = 60 * second = min
hour = 60 * minute = h
day = 24 * hour = d
year = 365 * day = yr = a
quarter = year / 4
month = year / 12 = mo
week = 7 * day
joule = [energy] = J
watt = joule / second = W
watthour = watt * hour = Wh
byte = [information] = B
bit = byte / 8
FLOP = [floating_point_operation]
OP = [integer_operation]
USD = [currency]
token = [token] = tok
chip = [chip]
user = [user] = seat
task = [task]
meter = [length] = m
wafer = [wafer]
stack = [stack]
percent = 0.01
"""
NAMES = (
    "s", "ms", "us", "min", "h", "day", "week", "month", "quarter", "year", "J", "W", "kW", "MW", "GW", "kWh", "MWh",
    "B", "kB", "MB", "GB", "TB", "GiB", "TiB", "Gbit", "FLOP", "GFLOP", "TFLOP", "PFLOP", "EFLOP", "OP", "TOP", "POP",
    "USD", "kUSD", "MUSD", "GUSD", "token", "ktok", "Mtok", "Gtok", "Ttok", "chip", "user", "task", "%",
)  # fmt: skip
"""Units named in suggestions."""

_EXAMPLES = {
    "share": "40 %", "ratio": "1.2", "s": "40 ms", "quarter": "6 quarters", "month": "3 months", "1/year": "30 %/year", "1/quarter": "5 %/quarter",
    "B": "192 GB", "B/s": "3.35 TB/s", "FLOP/s": "989 TFLOP/s", "OP/s": "1979 TOP/s", "W": "300 MW", "USD": "20 GUSD",
    "USD/quarter": "500 MUSD/quarter", "USD/chip": "45 kUSD/chip", "USD/chip/h": "3.30 USD/chip/h", "USD/J": "0.08 USD/kWh",
    "USD/W/quarter": "0.10 USD/W/quarter", "USD/token": "2.5 USD/Mtok", "USD/user/month": "20 USD/user/month",
    "token": "1200 tokens", "token/month": "4e12 tokens/month", "token/user/month": "400k tokens/user/month",
    "chip*h": "300k chip*h", "task/month": "2M tasks/month", "token/task": "80k tokens/task", "USD/task": "0.50 USD/task", "user": "500M users", "chip": "60k chips", "chip/quarter": "60k chips/quarter", "FLOP/quarter": "2e25 FLOP/quarter",
    "mm": "300 mm", "mm^2": "800 mm^2", "1/cm^2": "0.1 /cm^2", "USD/wafer": "18 kUSD/wafer", "USD/stack": "500 USD/stack",
}  # fmt: skip
_COUNTS = {"k": 1e3, "M": 1e6, "G": 1e9, "B": 1e9, "T": 1e12}
_NUMBER = re.compile(r"([+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(.*)", re.DOTALL)
_FACTOR = re.compile(r"(1|[A-Za-zµ%$€]+)(?:\^([1-3]))?")
LONGEST = 200


class QuantityError(ValueError):
    """A text is not the quantity that a field needs."""

    def __init__(self, reason: str, suggestion: str = "") -> None:
        self.reason = reason
        self.suggestion = suggestion
        super().__init__(f"{reason}; {suggestion}" if suggestion else reason)


def example(unit: str) -> str:
    """Return a quantity of that unit as one would write it."""
    return _EXAMPLES.get(unit, f"1 {unit}")


def split_quantity(text: str) -> tuple[float, str]:
    """Split ``60k chips/quarter`` into 60000.0 and ``chips/quarter``.

    Raises
    ------
    QuantityError
        Where the text does not begin with a finite number.
    """
    stripped = text.strip()
    if len(stripped) > LONGEST:
        raise QuantityError(f"a quantity of {len(stripped)} characters")
    found = _NUMBER.fullmatch(stripped)
    if found is None:
        if re.fullmatch(r"[+-]?\.?(nan|inf|infinity)\b.*", stripped, re.IGNORECASE):
            raise QuantityError(f"{stripped!r} is not a finite number")
        raise QuantityError(f"cannot read {stripped!r} as a number with a unit")
    number, rest = float(found[1].replace("_", "")), found[2]
    count = re.fullmatch(r"([kMGBT])(?:\s+(\S.*)|)", rest, re.DOTALL)
    if count is not None and (count[2] or count[1] != "B"):
        number, rest = number * _COUNTS[count[1]], count[2] or ""
    if not math.isfinite(number):
        raise QuantityError(f"{stripped!r} is not a finite number")
    return number, rest.strip()


def convert(text: str, unit: str) -> float:
    """Read a quantity and express it in ``unit``.

    Raises
    ------
    QuantityError
        Where the number, the unit or the dimension is wrong, or a unit is missing.

    Examples
    --------
    >>> convert("2.5 USD/Mtok", "USD/token")
    2.5e-06
    >>> convert("18 months", "quarter")
    6.0
    """
    number, written = split_quantity(text)
    if not written and unit != "ratio":
        _refuse_bare(number, text.strip(), unit)
    value = _round_off(number * _factor(written, unit))
    if not math.isfinite(value):
        raise QuantityError(f"{text.strip()!r} is not a finite number")
    return value


def _refuse_bare(number: float, text: str, unit: str) -> None:
    if unit == "share" and 0 <= abs(number) <= 1:
        raise QuantityError(f"{text} has no unit", f"a share is written in percent: {100 * number:g} %")
    raise QuantityError(f"{text} has no unit; this needs {unit}", f"for example {example(unit)}")


@lru_cache(maxsize=4096)
def _factor(written: str, unit: str) -> float:
    """Return what one ``written`` is in ``unit``."""
    from pint.errors import DimensionalityError

    registry = _registry()
    try:
        given = registry.Quantity(1.0, _expression(written))
    except QuantityError as error:
        raise QuantityError(error.reason, error.suggestion or f"for example {example(unit)}") from error
    wanted_unit = registry.Quantity(1.0, "" if unit in ("share", "ratio") else _expression(unit))
    try:
        return float((given / wanted_unit).to("").magnitude)
    except DimensionalityError as error:
        if written == "%" and unit.startswith("1/"):
            raise QuantityError("a rate of change lacks its time", f"for example {example(unit)}") from error
        wanted = "a share of one" if unit == "share" else "a plain number" if unit == "ratio" else unit
        raise QuantityError(
            f"{written} does not measure this; it needs {wanted}", f"for example {example(unit)}"
        ) from error


def _round_off(value: float) -> float:
    """Drop the last bits that a chain of unit conversions leaves behind (15 digits are kept)."""
    return float(f"{value:.15g}")


def _expression(written: str) -> str:
    """Turn ``% /year`` into an expression of known units; QuantityError names the unknown one."""
    words: list[str] = []
    divide = False
    text = re.sub(r"\s+per\s+", "/", written.replace("%", " % ").strip())
    for part in filter(None, re.split(r"([/*·])|\s+", text)):
        if part in "/*·":
            divide = part == "/"
            continue
        words.append(("/" if divide else "*") + _known(part, written))
        divide = False
    return "1" + "".join(words)


def _known(name: str, written: str) -> str:
    found = _FACTOR.fullmatch(name)
    if found is None:
        raise QuantityError(f"cannot read the unit {written!r}", "write it like USD/chip/h")
    base = found[1]
    if base == "%":
        base = "percent"
    elif base in ("$", "€"):
        raise QuantityError(f"unknown unit {base!r}", "money is in USD, kUSD, MUSD or GUSD")
    elif base != "1" and not _is_unit(base):
        if base in ("Gb", "Mb", "Tb"):
            raise QuantityError(f"unknown unit {base!r}", f"write {base[0]}B (bytes) or {base[0]}bit (bits)")
        hint = did_you_mean(base, NAMES)
        raise QuantityError(f"unknown unit {base!r}", hint if hint.startswith("did") else "")
    return base + (f"**{found[2]}" if found[2] else "")


@lru_cache(maxsize=1024)
def _is_unit(name: str) -> bool:
    return name in _registry()


@lru_cache(maxsize=1)
def _registry() -> UnitRegistry[Any]:
    """Build the registry once: our own short table, so that no foreign unit (h, B, a) slips in."""
    import pint

    registry: UnitRegistry[Any] = pint.UnitRegistry(None, cache_folder=None)
    registry.load_definitions(_DEFINITIONS.strip().splitlines())
    return registry
