"""What safety work earns: a premium on the price and fewer customers who leave."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from pydantic import model_validator

from exaplan.domain.base import Record, quantity, text


class PremiumPoint(Record):
    """Premium at one share of safety work."""

    safety_share: float = quantity(
        "share", "safety capacity at work over serving capacity at work", key="safety", ge=0, le=1
    )
    premium: float = quantity("share", "revenue gained over the stated price", ge=0)


class ChurnPoint(Record):
    """Churn at one share of safety work."""

    safety_share: float = quantity(
        "share", "safety capacity at work over serving capacity at work", key="safety", ge=0, le=1
    )
    churn: float = quantity(
        "1/quarter",
        "share of what is served that leaves after the quarter, beyond the stated growth",
        ge=0,
        le=1,
    )


class Trust(Record):
    """Premium and churn against the share of safety work; straight lines between the points, level after the last."""

    premium: tuple[PremiumPoint, ...] = text("premium on revenue, rising by less and less", default=())
    churn: tuple[ChurnPoint, ...] = text("customers who leave, falling by less and less", default=())

    @model_validator(mode="after")
    def _bends_the_right_way(self) -> Trust:
        _refuse_bent("premium", [(point.safety_share, point.premium) for point in self.premium], 1.0)
        _refuse_bent("churn", [(point.safety_share, point.churn) for point in self.churn], -1.0)
        return self

    @property
    def premium_lines(self) -> tuple[tuple[float, float], ...]:
        """Lines (a, b) whose lower envelope a + b share is the premium."""
        return lines_of([(point.safety_share, point.premium) for point in self.premium])

    @property
    def churn_lines(self) -> tuple[tuple[float, float], ...]:
        """Lines (a, b) whose upper envelope a + b share is the churn."""
        return lines_of([(point.safety_share, point.churn) for point in self.churn])


def lines_of(points: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Intercept and slope of the lines through neighbouring points, then the level of the last point.

    Examples
    --------
    >>> lines_of([(0.0, 0.0), (0.5, 2.0)])
    ((0.0, 4.0), (2.0, 0.0))
    """
    lines = []
    for (x, y), (further, higher) in pairwise(points):
        slope = (higher - y) / (further - x)
        lines.append((y - slope * x, slope))
    return (*lines, *((y, 0.0) for _, y in points[-1:]))


def _refuse_bent(what: str, points: list[tuple[float, float]], sign: float) -> None:
    """Refuse points out of order, or a curve that does not level off: the program would take the wrong side of it."""
    if not points:
        return
    if len(points) < 2 or points[0][0] != 0 or any(b[0] <= a[0] for a, b in pairwise(points)):
        raise ValueError(f"write two or more points of {what}, from safety: 0 % up")
    slopes = [sign * slope for _, slope in lines_of(points)]
    if any(after > before + 1e-12 for before, after in pairwise(slopes)):
        way = "rises by less and less" if sign > 0 else "falls by less and less"
        raise ValueError(f"{what} {way} as safety grows; these points do not")
