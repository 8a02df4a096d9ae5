"""How a number came about: the formula, what went in, and where that came from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Operand:
    """One input of a derivation."""

    name: str
    value: float
    unit: str
    source: str = ""


@dataclass(frozen=True)
class Derivation:
    """One computed number with its equation.

    ``formula`` is written with the operands' names, for example ``value = served * price``.
    """

    key: str
    value: float
    unit: str
    formula: str
    operands: tuple[Operand, ...] = ()
    source: str = ""
