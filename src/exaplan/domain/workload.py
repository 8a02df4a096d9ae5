"""What the chips do: serve customers, develop models, keep them safe."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from exaplan.domain.base import Record, Series, quantity, text
from exaplan.domain.earning import PricePoint, Tasks, refuse_unordered
from exaplan.domain.quarter import Quarter
from exaplan.domain.segment import ServingModel, refuse_mixed
from exaplan.domain.trust import Trust
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
    goodput: float = quantity(
        "share", "share of busy time that is useful work, after failures and restarts", gt=0, le=1
    )


class Inference(_WorkloadBase):
    """What every workload that generates tokens states about a request."""

    input_tokens: float = quantity("token", "input tokens of a request", key="input", gt=0)
    output_tokens: float = quantity("token", "output tokens of a request", key="output", gt=0)
    tpot_s: float = quantity("s", "longest time per output token", key="tpot", gt=0)
    ttft_s: float | None = quantity("s", "longest time to first token", key="ttft", default=None, gt=0)
    utilization: float = quantity(
        "share", "highest share of serving capacity filled, so that queues stay short", gt=0, le=1
    )


class Serve(Inference):
    """Inference for customers. Tokens are input and output together unless said otherwise."""

    kind: Literal["serve"] = "serve"
    model: str | None = text("model it runs", default=None, refers_to="models")
    models: tuple[ServingModel, ...] = text(
        "models able to serve it, where there are several: the plan picks the mix", default=()
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
    tasks: Tasks | None = text("earn by task that succeeds instead of by token", default=None)
    price: TokenPrice | None = text("earn by token", default=None)
    price_change: Uncertain = quantity(
        "1/year", "yearly change of the price", default=Uncertain.point(0.0), literal="uncertain", gt=-1
    )
    price_points: tuple[PricePoint, ...] = text(
        "prices it may be offered at, cheapest first, with the demand at each; the stated price alone where empty",
        default=(),
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
    trust: Trust | None = text("what safety work earns with these customers", default=None)
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

    load_shape: Series | None = quantity(
        "ratio",
        "its own load in equal time steps, where it differs from load.shape; [1] is even",
        default=None,
        literal="trace",
        ge=0,
    )

    reserve: float = quantity(
        "share",
        "chips held ready beyond those at work, idle or on preemptible work, as a share of its serving capacity",
        default=0.0,
        ge=0,
    )

    @model_validator(mode="after")
    def _one_way_to_earn(self) -> Serve:
        if sum(way is not None for way in (self.seats, self.price, self.tasks)) != 1:
            raise ValueError("give either price (by token), seats (by month) or tasks (by success)")
        if (self.price is None) != (self.demand_tokens_per_month is None):
            raise ValueError(
                "a workload paid by token needs demand; one paid by seat or task takes it from there"
            )
        if self.load_shape is not None and not any(self.load_shape):
            raise ValueError("a load_shape that is zero throughout says nothing")
        return self

    @model_validator(mode="after")
    def _able_to_serve(self) -> Serve:
        if (self.model is None) == (not self.models):
            raise ValueError("give either model or models: what serves it, or the several able to")
        refuse_mixed(self.models)
        refuse_unordered(self.price_points)
        return self

    @property
    def starting_tokens_per_month(self) -> Series:
        """Demand before growth, tokens per month, input and output."""
        if self.seats is not None:
            return (self.seats.users * self.seats.tokens_per_user_month,)
        if self.tasks is not None:
            return (self.tasks.tokens_per_month,)
        assert self.demand_tokens_per_month is not None  # noqa: S101 - the validator guarantees one of the three
        return self.demand_tokens_per_month

    @property
    def revenue_usd_per_token(self) -> float:
        """What reaches us per token served at the start; free users, failed attempts and resellers counted."""
        if self.seats is not None:
            paid = (1 - self.seats.free_share) * self.seats.price_usd_per_user_month
            return self.revenue_share * paid / self.seats.tokens_per_user_month
        if self.tasks is not None:
            return self.revenue_share * self.tasks.usd_per_token
        assert self.price is not None  # noqa: S101 - the validator guarantees one of the three
        tokens = self.input_tokens + self.output_tokens
        paid = (
            self.price.input_usd_per_token * self.input_tokens
            + self.price.output_usd_per_token * self.output_tokens
        )
        return self.revenue_share * paid / tokens


class Place(Record):
    """Chips of one family that may be scheduled together."""

    chip: str = text("chip", refers_to="chips")
    pool: str = text("a site's id, or the name of a cloud location")


class _Training(_WorkloadBase):
    model: str = text("model it runs", refers_to="models")
    sequence_tokens: float = quantity("token", "sequence length", key="sequence", gt=0)
    batch_tokens: float = quantity("token", "global batch", key="batch", gt=0)
    cluster_chips: float = quantity("chip", "chips that one job spans", key="cluster", gt=0)
    precision: Literal["bf16", "fp8"] = text("number format of the matrix products")
    preemptible: bool | None = text(
        "whether its chips may come and go with the serving load; false: the same chips in every load block; absent: "
        "they come and go at no loss",
        default=None,
    )
    restart_loss: float = quantity(
        "share",
        "share of the work of chips that come and go which stops and restarts cost (preemptible: true)",
        default=0.0,
        ge=0,
        lt=1,
    )

    place: Place | None = text(
        "the one chip in the one pool where it runs; absent: wherever it can", default=None
    )
    single_pool: bool = text(
        "whether it runs on one chip in one pool at a time, of the plan's choice in each quarter",
        default=False,
    )

    @model_validator(mode="after")
    def _only_what_stops_restarts(self) -> _Training:
        if self.restart_loss > 0 and not self.preemptible:
            raise ValueError("restart_loss needs preemptible: true; what never stops loses nothing by it")
        return self


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


class Internal(Inference):
    """Own use of own models: it saves hours and makes serving more efficient a quarter later, with diminishing returns."""

    kind: Literal["internal"] = "internal"
    model: str = text("model it runs", refers_to="models")
    reference_tokens_per_month: float = quantity(
        "token/month", "volume at which the saving and the gain are stated", key="reference", gt=0
    )
    saving_usd_per_quarter: float = quantity(
        "USD/quarter", "hours and other costs saved at the reference volume", key="saving", ge=0
    )
    returns: float = quantity("ratio", "exponent of diminishing returns to internal use", gt=0, le=1)
    efficiency_gain: float = quantity(
        "share",
        "serving output gained from the next quarter on by one quarter at the reference volume",
        default=0.0,
        ge=0,
        lt=1,
    )
    efficiency_decay: float = quantity(
        "1/quarter", "share of that gain that goes stale in a quarter", default=0.0, ge=0, le=1
    )


Workload = Annotated[Serve | Train | Safety | Internal, Field(discriminator="kind")]


class Software(Record):
    """When a chip's software is ready for a workload and how mature it is."""

    chip: str = text("chip", refers_to="chips")
    workloads: tuple[str, ...] = text("workloads it concerns", refers_to="workloads")
    ready: Quarter = text("first quarter in which the chip can run them")
    maturity: float = quantity("share", "share of the modelled rate reached when ready", gt=0, le=1)
    ramp_quarters: int = quantity(
        "quarter", "quarters until the full modelled rate", key="ramp", default=0, ge=0
    )
