"""What the chips do: serve customers, develop models, keep them safe."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from exaplan.domain.base import Record, Series, quantity, text
from exaplan.domain.quarter import Quarter
from exaplan.domain.uncertain import Uncertain


class TokenPrice(Record):
    """What a customer pays by the token."""

    input_usd_per_token: float = quantity("USD/token", "price of an input token", key="input", ge=0)
    output_usd_per_token: float = quantity("USD/token", "price of an output token", key="output", ge=0)


class Seats(Record):
    """What a customer pays by the month."""

    users: float = quantity("user", "users at the start, paying and free", gt=0)
    price_usd_per_user_month: float = quantity("USD/user/month", "price of a paid seat", key="price", ge=0)
    tokens_per_user_month: float = quantity(
        "token/user/month", "tokens a user consumes, input and output", key="tokens", gt=0
    )
    free_share: float = quantity("share", "share of users who consume and pay nothing", ge=0, lt=1)


class _WorkloadBase(Record):
    id: str = text("name of the workload")
    model: str = text("model it runs", refers_to="models")
    goodput: float = quantity(
        "share", "share of busy time that is useful work, after failures and restarts", gt=0, le=1
    )


class Serve(_WorkloadBase):
    """Inference for customers. Tokens are input and output together unless said otherwise."""

    kind: Literal["serve"] = "serve"
    input_tokens: float = quantity("token", "input tokens of a request", key="input", gt=0)
    output_tokens: float = quantity("token", "output tokens of a request", key="output", gt=0)
    tpot_s: float = quantity("s", "longest time per output token", key="tpot", gt=0)
    ttft_s: float | None = quantity("s", "longest time to first token", key="ttft", default=None, gt=0)
    utilization: float = quantity(
        "share", "highest share of serving capacity filled, so that queues stay short", gt=0, le=1
    )
    demand_tokens_per_month: Series | None = quantity(
        "token/month",
        "demand at the start (or per quarter), input and output",
        key="demand",
        default=None,
        literal="series",
        ge=0,
    )
    seats: Seats | None = text("earn by seat instead of by token", default=None)
    price: TokenPrice | None = text("earn by token", default=None)
    price_change: Uncertain = quantity(
        "1/year", "yearly change of the price", default=Uncertain.point(0.0), literal="uncertain", gt=-1
    )
    revenue_share: float = quantity(
        "share",
        "share of the customer's payment that reaches us (reseller channels)",
        default=1.0,
        gt=0,
        le=1,
    )
    level: Uncertain = quantity(
        "ratio",
        "uncertain factor on the starting demand",
        default=Uncertain.point(1.0),
        literal="uncertain",
        gt=0,
    )
    growth: Uncertain = quantity("1/year", "yearly growth of demand", literal="uncertain", gt=-1)
    volatility: float = quantity(
        "share", "yearly log standard deviation of demand along a path", default=0.0, ge=0
    )
    sensitivity: float = quantity(
        "ratio",
        "relative demand gained per log-unit of capability against the frontier",
        default=0.0,
        ge=0,
        lt=1,
    )
    churn_when_unserved: float = quantity(
        "share",
        "kappa: share of unserved demand that stays away in the next quarter",
        default=0.0,
        ge=0,
        le=1,
    )
    recovery: float = quantity(
        "share", "share of lost demand that returns each quarter", default=1.0, gt=0, le=1
    )

    @model_validator(mode="after")
    def _one_way_to_earn(self) -> Serve:
        if (self.seats is None) == (self.price is None):
            raise ValueError("give either price (by token) or seats (by month)")
        if (self.price is None) != (self.demand_tokens_per_month is None):
            raise ValueError("a workload paid by token needs demand; one paid by seat takes it from seats")
        return self

    @property
    def starting_tokens_per_month(self) -> Series:
        """Demand before growth, tokens per month, input and output."""
        if self.seats is not None:
            return (self.seats.users * self.seats.tokens_per_user_month,)
        assert self.demand_tokens_per_month is not None  # noqa: S101 - the validator guarantees one of the two
        return self.demand_tokens_per_month

    @property
    def revenue_usd_per_token(self) -> float:
        """What reaches us per token served at the start, free users and resellers counted."""
        if self.seats is not None:
            paid = (1 - self.seats.free_share) * self.seats.price_usd_per_user_month
            return self.revenue_share * paid / self.seats.tokens_per_user_month
        assert self.price is not None  # noqa: S101 - the validator guarantees one of the two
        tokens = self.input_tokens + self.output_tokens
        paid = (
            self.price.input_usd_per_token * self.input_tokens
            + self.price.output_usd_per_token * self.output_tokens
        )
        return self.revenue_share * paid / tokens


class _Training(_WorkloadBase):
    sequence_tokens: float = quantity("token", "sequence length", key="sequence", gt=0)
    batch_tokens: float = quantity("token", "global batch", key="batch", gt=0)
    cluster_chips: float = quantity("chip", "chips that one job spans", key="cluster", gt=0)
    precision: Literal["bf16", "fp8"] = text("number format of the matrix products")


class Train(_Training):
    """Model development: pre-training, RL, experiments."""

    kind: Literal["train"] = "train"
    share_min: float = quantity(
        "share", "least share of development FLOP that goes here", default=0.0, ge=0, le=1
    )
    share_max: float = quantity(
        "share", "largest share of development FLOP that goes here", default=1.0, gt=0, le=1
    )


class Safety(_Training):
    """Evaluation, oversight and alignment work."""

    kind: Literal["safety"] = "safety"


Workload = Annotated[Serve | Train | Safety, Field(discriminator="kind")]


class Software(Record):
    """When a chip's software is ready for a workload and how mature it is."""

    chip: str = text("chip", refers_to="chips")
    workloads: tuple[str, ...] = text("workloads it concerns", refers_to="workloads")
    ready: Quarter = text("first quarter in which the chip can run them")
    maturity: float = quantity("share", "share of the modelled rate reached when ready", gt=0, le=1)
    ramp_quarters: int = quantity(
        "quarter", "quarters until the full modelled rate", key="ramp", default=0, ge=0
    )
