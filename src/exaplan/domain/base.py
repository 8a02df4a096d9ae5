"""The base of every input record and the one way to declare a field with its unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

Series = tuple[float, ...]
"""One value for every quarter of the horizon, or a single value that holds throughout."""

FieldLiteral = Literal["point", "series", "trace", "uncertain", "range"]


class Record(BaseModel):
    """A frozen record that refuses unknown keys; built by field name or by its key in the lab file."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, arbitrary_types_allowed=True, allow_inf_nan=False
    )


def quantity(
    unit: str,
    description: str,
    *,
    key: str | None = None,
    default: Any = ...,
    literal: FieldLiteral = "point",
    **bounds: float,
) -> Any:
    """Declare a field that is a number with a unit.

    ``unit`` is what the record holds (SI, USD, quarters, shares 0..1 written ``share``); the lab file may use any
    unit of the same dimension. ``key`` is the field's name in the lab file (default: the field's own name).
    ``literal`` says what may be written there: one number (``point``), one per quarter or ``csv:`` (``series``), one per
    step of a trace or ``csv:`` (``trace``), an uncertain number (``uncertain``), or a range that exaplan decides within (``range``).
    ``bounds`` are ``gt, ge, lt, le`` in the record's unit; for anything but a point the reader checks them over the
    whole support.
    """
    extra: dict[str, Any] = {"unit": unit, "literal": literal, "bounds": bounds}
    checks: dict[str, Any] = dict(bounds) if literal == "point" else {}
    return Field(default, alias=key, description=description, json_schema_extra=extra, **checks)


def text(
    description: str, *, default: Any = ..., key: str | None = None, refers_to: str | None = None
) -> Any:
    """Declare a field without a unit: an id, a name, a choice. ``refers_to`` names the collection an id must be in."""
    return Field(default, alias=key, description=description, json_schema_extra={"refers_to": refers_to})


def over_quarters(series: Sequence[float], quarters: int) -> np.ndarray:
    """Spread a series over the horizon, shape [quarter]; the last value holds on where it is shorter.

    Examples
    --------
    >>> over_quarters((5.0,), 3)
    array([5., 5., 5.])
    """
    values = np.asarray(series, dtype=float)
    return values[np.minimum(np.arange(quarters), len(values) - 1)]
