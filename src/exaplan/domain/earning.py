"""Ways to earn beside the token and the seat: tasks paid by success, and points of price with the demand at each."""

from __future__ import annotations

from itertools import pairwise

from pydantic import model_validator

from exaplan.domain.base import Record, quantity, text


class PricePoint(Record):
    """One price at which a workload may be offered, against the price and the demand that the workload states."""

    price_factor: float = quantity("ratio", "price over the stated price", key="price", gt=0)
    demand_factor: float = quantity("ratio", "demand over the stated demand", key="demand", ge=0)


MOST_POINTS = 5


def refuse_unordered(points: tuple[PricePoint, ...]) -> None:
    """Refuse points of price among which there is nothing to choose.

    Raises
    ------
    ValueError
        One point, or more than five; a dearer point that does not ask for less.
    """
    if points and not 2 <= len(points) <= MOST_POINTS:
        raise ValueError(f"give 2 to {MOST_POINTS} price points, not {len(points)}")
    for cheaper, dearer in pairwise(points):
        if dearer.price_factor <= cheaper.price_factor or dearer.demand_factor >= cheaper.demand_factor:
            raise ValueError(
                "write the price points from the cheapest up, each with less demand than the one before"
            )


class Tasks(Record):
    """Work that agents do, paid by success. A failed attempt is made again up to ``retries`` times; each costs its tokens."""

    tasks_per_month: float = quantity("task/month", "tasks at the start", key="per_month", gt=0)
    tokens_per_task: float = quantity("token/task", "tokens of one attempt, input and output", gt=0)
    success: float = quantity("share", "share of attempts that succeed", gt=0, le=1)
    price_usd_per_success: float = quantity(
        "USD/task", "price of a task that succeeded; a failed one pays nothing", key="price_per_success", ge=0
    )
    retries: int = text("further attempts after a failed one", default=0)

    @model_validator(mode="after")
    def _attempts_are_counted(self) -> Tasks:
        if self.retries < 0:
            raise ValueError("retries are 0 or more")
        return self

    @property
    def solved_share(self) -> float:
        """Share of tasks that succeed in the end: 1 - (1 - success)^(retries + 1)."""
        return 1 - (1 - self.success) ** (self.retries + 1)

    @property
    def attempts(self) -> float:
        """Attempts per task, expected: sum over k = 0 .. retries of (1 - success)^k = solved share / success.

        Examples
        --------
        >>> Tasks(tasks_per_month=1, tokens_per_task=1, success=0.5, price_usd_per_success=1, retries=2).attempts
        1.75
        """
        return self.solved_share / self.success

    @property
    def tokens_per_month(self) -> float:
        """Tokens of all attempts."""
        return self.tasks_per_month * self.attempts * self.tokens_per_task

    @property
    def usd_per_token(self) -> float:
        """Price of the successes over the tokens of all attempts: price x success / tokens of an attempt."""
        return self.price_usd_per_success * self.solved_share / (self.attempts * self.tokens_per_task)
