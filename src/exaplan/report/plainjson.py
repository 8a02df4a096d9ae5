"""Numbers as JSON can say them."""

from __future__ import annotations

import math
from typing import Any


def finite(value: Any) -> Any:
    """Replace NaN and infinity by null, tuples by lists.

    Examples
    --------
    >>> finite({"gap": float("nan"), "ends": (1.0, float("inf"))})
    {'gap': None, 'ends': [1.0, None]}
    """
    if isinstance(value, dict):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
