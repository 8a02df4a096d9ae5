"""Calendar quarters, the time step of every plan."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

HOURS_PER_QUARTER = 8760 / 4
SECONDS_PER_QUARTER = 3600 * HOURS_PER_QUARTER
MONTHS_PER_QUARTER = 3
_PATTERN = re.compile(r"^(\d{4})-Q([1-4])$")


@dataclass(frozen=True, order=True)
class Quarter:
    """A calendar quarter; adding an integer moves it, subtracting another one counts quarters.

    Examples
    --------
    >>> Quarter.parse("2026-Q3") + 3
    Quarter(year=2027, number=2)
    >>> Quarter.parse("2027-Q2") - Quarter.parse("2026-Q3")
    3
    """

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Quarter:
        """Read ``2026-Q3``; ValueError otherwise."""
        match = _PATTERN.match(text.strip())
        if match is None:
            raise ValueError(f"{text!r} is not a quarter; write it like 2026-Q3")
        return cls(int(match[1]), int(match[2]))

    @property
    def ordinal(self) -> int:
        """Quarters since year 0."""
        return 4 * self.year + self.number - 1

    def __add__(self, quarters: int) -> Quarter:
        year, rest = divmod(self.ordinal + quarters, 4)
        return Quarter(year, rest + 1)

    def __sub__(self, other: Quarter) -> int:
        return self.ordinal - other.ordinal

    def __str__(self) -> str:
        return f"{self.year}-Q{self.number}"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def check(value: Any) -> Quarter:
            if isinstance(value, Quarter):
                return value
            if isinstance(value, str):
                return cls.parse(value)
            raise ValueError(f"{value!r} is not a quarter; write it like 2026-Q3")

        return core_schema.no_info_plain_validator_function(
            check, serialization=core_schema.to_string_ser_schema()
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", "pattern": _PATTERN.pattern, "examples": ["2026-Q3"]}
