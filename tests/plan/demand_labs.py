"""Small labs of the demand side: several models for a segment, price points, trust, launches; and their inputs for the golden texts."""

from __future__ import annotations

import numpy as np
from tests.plan import toy

from exaplan.domain.earning import PricePoint
from exaplan.domain.lab import Floor, Policy, Risk
from exaplan.domain.launch import Launch, LaunchCost
from exaplan.domain.quarter import HOURS_PER_QUARTER
from exaplan.domain.rates import RateTable, rate_columns
from exaplan.domain.segment import Distillation, ServingModel
from exaplan.domain.technology import Model
from exaplan.domain.trust import ChurnPoint, PremiumPoint, Trust
from exaplan.plan.inputs import collect
from exaplan.plan.money_rows import cash
from exaplan.plan.stage_rows import demand, progress, use

FORK = [-1, 0, 0, 1, 2]
"""Three quarters, two futures that part after the first."""


def models(*names: str) -> dict[str, Model]:
    """Models of a toy lab by name; toy rates take no notice of what is in them."""
    shape = {"layers": 1, "hidden": 1, "heads": 1, "kv_heads": 1, "head_dim": 1, "vocab": 1}
    return {name: Model(id=name, **shape) for name in names}


def segment(*able: ServingModel, name: str = "chat", **more):
    """A segment that the given models may serve."""
    return toy.serve(name, **{"model": None, "models": able, **more})


def faster(lab, **speed: float) -> RateTable:
    """Toy rates where a model's column runs at a multiple of the round rate: ``small=4``."""
    rates = toy.rates(lab)
    factor = np.array([speed.get(column.model, 1.0) for column in rate_columns(lab)])
    return RateTable(**{**vars(rates), "mean": rates.mean * factor[:, None]})


def run(flop_quarters: float, *, source: str = "large", first: int = 0, last: int = 3) -> Distillation:
    """A distillation run that takes ``flop_quarters`` chip-quarters of development."""
    flop = flop_quarters * toy.FLOP_PER_CHIP_QUARTER
    return Distillation(source=source, flop=flop, first=toy.FIRST + first, last=toy.FIRST + last)


def segment_lab(quarters: int = 3, **more):
    """Two segments: one shared by a large model, a small one to be distilled and an old one; a plain one beside it."""
    able = (
        ServingModel(model="large", share_min=0.2),
        ServingModel(model="small", share_max=0.7, tokens_ratio=1.25, distil=run(300, last=1)),
        ServingModel(model="tiny", share_max=0.5, tokens_ratio=1.6, distil=run(50, source="small", last=2)),
        ServingModel(model="old", last=toy.FIRST),
    )
    given = {
        "models": models("large", "small", "tiny", "old", "m"),
        "workloads": (
            segment(*able, demand_chips=900, churn_when_unserved=0.2, sensitivity=0.3),
            toy.serve("batch", demand_chips=300, usd_per_chip_quarter=5000),
            toy.train(),
        ),
        "offers": (toy.on_demand(most=600), toy.reserved(lead=1, term=2, most=400)),
        "contracts": (toy.contract(chips=400),),
        "capability": toy.capability(returns=0.7, parity_flop_per_quarter=150 * toy.FLOP_PER_CHIP_QUARTER),
    }
    lab = toy.lab(quarters=quarters, **{**given, **more})
    tree = toy.tree(
        lab, parent=FORK, probability=[1, 0.5, 0.5, 0.5, 0.5], demand=[1.0, 1.3, 0.8, 1.6, 0.7],
        frontier=[1.0, 1.1, 1.1, 1.2, 1.3],
    )  # fmt: skip
    return lab, faster(lab, small=4.0, tiny=8.0, old=0.5), tree


def points(*pairs: tuple[float, float]) -> tuple[PricePoint, ...]:
    """Price points as (price, demand) against what the workload states."""
    return tuple(PricePoint(price_factor=price, demand_factor=demand) for price, demand in pairs)


def price_lab(quarters: int = 3, **more):
    """Two workloads with price points, one of them reached by a reseller, money late and taxed."""
    given = {
        "workloads": (
            toy.serve(demand_chips=900, churn_when_unserved=0.3, recovery=0.5, price_points=points((0.7, 1.6), (1, 1), (1.5, 0.5))),
            toy.serve("plain", demand_chips=100),
            toy.serve("batch", demand_chips=500, usd_per_chip_quarter=7000, price_points=points((0.9, 1.3), (1.2, 0.6))),
        ),
        "offers": (toy.on_demand(most=300), toy.reserved(lead=1, term=2, most=700)),
        "contracts": (toy.contract(chips=600),),
        "finance": toy.finance(tax_rate=0.2, collection_lag_quarters=1, revenue_cost=0.1),
    }  # fmt: skip
    lab = toy.lab(quarters=quarters, **{**given, **more})
    tree = toy.tree(
        lab, parent=FORK, probability=[1, 0.5, 0.5, 0.5, 0.5], demand=[1.0, 1.3, 0.8, 1.6, 0.7],
        price=[1.0, 0.9, 0.9, 0.8, 0.9],
    )  # fmt: skip
    return lab, toy.rates(lab), tree


def trusted(premium: dict[float, float] | None = None, churn: dict[float, float] | None = None) -> Trust:
    """Trust as share of safety work -> premium, and -> churn."""
    return Trust(
        premium=tuple(PremiumPoint(safety_share=x, premium=y) for x, y in (premium or {}).items()),
        churn=tuple(ChurnPoint(safety_share=x, churn=y) for x, y in (churn or {}).items()),
    )


def trust_lab(quarters: int = 3, **more):
    """Two segments that pay for safety and leave for want of it, a plain one, and safety work on two chips."""
    given = {
        "chips": {"a": toy.chip("a"), "b": toy.chip("b")},
        "workloads": (
            toy.serve(demand_chips=600, churn_when_unserved=0.3, recovery=0.5, trust=trusted({0: 0, 0.05: 0.1, 0.2: 0.2}, {0: 0.15, 0.1: 0.02})),
            toy.serve("plain", demand_chips=200),
            toy.serve("batch", demand_chips=300, usd_per_chip_quarter=7000, trust=trusted(churn={0: 0.3, 0.05: 0.1, 0.2: 0})),
            toy.safety(),
        ),
        "offers": (toy.on_demand(most=500), toy.reserved(chip="b", lead=1, term=2, most=300)),
        "contracts": (toy.contract(chips=500),),
        "finance": toy.finance(tax_rate=0.2, collection_lag_quarters=1, revenue_cost=0.1),
    }  # fmt: skip
    lab = toy.lab(quarters=quarters, **{**given, **more})
    tree = toy.tree(
        lab, parent=FORK, probability=[1, 0.5, 0.5, 0.5, 0.5], demand=[1.0, 1.3, 0.8, 1.6, 0.7],
        price=[1.0, 0.9, 0.9, 0.8, 0.9],
    )  # fmt: skip
    return lab, toy.rates(lab, speed={"b": 2.0}), tree


def launch(
    name: str = "big",
    *,
    first: int = 0,
    last: int = 0,
    chips: float = 0.0,
    flop_quarters: float = 0.0,
    **more,
) -> Launch:
    """A launch whose window is counted from the start; it takes ``chips`` for a quarter and chip-quarters of development."""
    cost = LaunchCost(
        serving_chip_hours=chips * HOURS_PER_QUARTER,
        development_flop=flop_quarters * toy.FLOP_PER_CHIP_QUARTER,
    )
    given = {
        "id": name,
        "workload": "chat",
        "first": toy.FIRST + first,
        "last": toy.FIRST + last,
        "cost": cost,
    }
    if "step_share" not in more:
        given["step_tokens_per_month"] = 500 * toy.TOKENS_PER_CHIP_QUARTER / 3
    return Launch(**{**given, **more})


def launch_lab(quarters: int = 3, **more):
    """Two launches of which one takes chips and money and fades, the other development and a share of demand."""
    given = {
        "workloads": (toy.serve(demand_chips=600, churn_when_unserved=0.3, recovery=0.5, sensitivity=0.3), toy.serve("batch", demand_chips=300, usd_per_chip_quarter=7000), toy.train()),
        "offers": (toy.on_demand(most=200), toy.reserved(lead=1, term=2, most=700)),
        "contracts": (toy.contract(chips=700),),
        "capability": toy.capability(returns=0.7, parity_flop_per_quarter=150 * toy.FLOP_PER_CHIP_QUARTER),
        "launches": (
            launch(last=2, chips=80, decay=0.2, cost_usd=2e5),
            launch("small", last=1, flop_quarters=60, step_share=0.25, workload="batch"),
        ),
    }  # fmt: skip
    lab = toy.lab(quarters=quarters, **{**given, **more})
    tree = toy.tree(
        lab, parent=FORK, probability=[1, 0.5, 0.5, 0.5, 0.5], demand=[1.0, 1.3, 0.8, 1.6, 0.7],
        price=[1.0, 0.9, 0.9, 0.8, 0.9],
    )  # fmt: skip
    return lab, toy.rates(lab), tree


def everything_lab():
    """All of the demand side at once, with the loop, floors, oversight and the tail of losses."""
    able = (
        ServingModel(model="large", share_min=0.2),
        ServingModel(model="small", share_max=0.6, distil=run(100, last=1)),
        ServingModel(model="old", last=toy.FIRST + 1),
    )
    chat = segment(
        *able, demand_chips=800, churn_when_unserved=0.3, recovery=0.5, sensitivity=0.4,
        price_points=points((0.8, 1.4), (1, 1), (1.3, 0.6)), trust=trusted({0: 0, 0.1: 0.08}, {0: 0.1, 0.1: 0.02}),
    )  # fmt: skip
    lab = toy.lab(
        quarters=3,
        models=models("large", "small", "old", "m"),
        workloads=(chat, toy.serve("batch", demand_chips=300, usd_per_chip_quarter=7000, trust=trusted({0: 0, 0.2: 0.1})), toy.train(), toy.safety()),
        offers=(toy.on_demand(most=200, availability=0.9), toy.reserved(lead=1, term=2, most=700, take_or_pay=0.7)),
        contracts=(toy.contract(chips=700, term=2, take_or_pay=0.8, exit_fee=0.2), toy.owned(chips=300)),
        policy=Policy(floor=Floor(workloads=("pretrain",), share=0.1), oversight=0.03, risk=Risk(weight=0.2, level=0.5)),
        finance=toy.finance(cash_usd=3e7, tax_rate=0.2, collection_lag_quarters=1, revenue_cost=0.1, cost_of_equity=0.12),
        capability=toy.capability(returns=0.7, parity_flop_per_quarter=150 * toy.FLOP_PER_CHIP_QUARTER),
        launches=(
            launch(last=1, chips=50, flop_quarters=20, decay=0.2, cost_usd=2e5),
            launch("small", last=1, step_share=0.25, workload="batch"),
        ),
    )  # fmt: skip
    tree = toy.tree(
        lab, parent=FORK, probability=[1, 0.5, 0.5, 0.5, 0.5], demand=[1.0, 1.3, 0.8, 1.6, 0.7],
        price=[1.0, 0.9, 0.9, 0.8, 0.9], frontier=[1.0, 1.1, 1.1, 1.2, 1.3], slip=[0, 0, 1, 0, 0],
    )  # fmt: skip
    return lab, faster(lab, small=4.0, old=0.5), tree


def demand_of_every_kind():
    """A workload that uses everything of the demand side."""
    able = (ServingModel(model="large"), ServingModel(model="small", distil=run(10)))
    return segment(
        *able,
        name="everything",
        price_points=points((0.8, 1.5), (1, 1)),
        trust=trusted({0: 0, 0.1: 0.1}, {0: 0.1, 0.1: 0}),
    )


def two_quarters(lab, rates, *, demand=(1.0, 1.5, 0.5)):
    """Inputs of a lab over two quarters and two futures: what the golden texts are written on."""
    return collect(
        lab, rates, toy.tree(lab, parent=[-1, 0, 0], probability=[1.0, 0.5, 0.5], demand=list(demand))
    )


def segment_inputs():
    """Inputs of the segment lab for the golden texts."""
    lab, rates, _ = segment_lab(2)
    return two_quarters(lab, rates)


def price_inputs():
    """Inputs of the price lab for the golden texts."""
    lab, rates, _ = price_lab(2)
    return two_quarters(lab, rates)


def trust_inputs():
    """Inputs of the trust lab for the golden texts."""
    lab, rates, _ = trust_lab(2)
    return two_quarters(lab, rates)


def launch_inputs():
    """Inputs of the launch lab for the golden texts."""
    lab, rates, _ = launch_lab(2)
    one = tuple(item.model_copy(update={"last": toy.FIRST + 1}) for item in lab.launches)
    return two_quarters(lab.model_copy(update={"launches": one}), rates)


GOLDEN_INPUTS = {
    "launches": launch_inputs,
    "trust": trust_inputs,
    "routing": segment_inputs,
    "distilled": segment_inputs,
    "distillation": segment_inputs,
    "pricing": price_inputs,
    "price_mix": price_inputs,
}
"""Row function -> the inputs on which its golden text is written."""

GOLDEN_WITH = {
    "distilled": (progress,),
    "pricing": (demand,),
    "launches": (use, demand, progress, cash),
}
"""Row function -> the rows to which it adds terms; where they change, they stand in its golden text too."""
