"""Toy labs whose plans can be worked out by hand: one chip, round numbers, no perf and no sampling."""

from __future__ import annotations

import numpy as np

from exaplan.domain.capability import Capability
from exaplan.domain.futures import Tree, World
from exaplan.domain.lab import Ends, Finance, Futures, Horizon, Lab, Policy
from exaplan.domain.plan import Plan
from exaplan.domain.quarter import HOURS_PER_QUARTER, MONTHS_PER_QUARTER, SECONDS_PER_QUARTER, Quarter
from exaplan.domain.rates import RateTable, rate_columns, service_share
from exaplan.domain.supply import Contract, OnDemand, Purchase, Reserved, Site, Tranche
from exaplan.domain.technology import Chip, Model
from exaplan.domain.uncertain import Uncertain
from exaplan.domain.workload import Inference, Safety, Serve, TokenPrice, Train
from exaplan.plan.inputs import collect
from exaplan.plan.result import to_plan
from exaplan.plan.solve import Solved, solve_plan

FIRST = Quarter(2027, 1)
TOKENS_PER_CHIP_QUARTER = 1e9
"""One chip serves exactly this many tokens in a quarter (before availability)."""
FLOP_PER_CHIP_QUARTER = 1e21


def chip(name: str = "a") -> Chip:
    return Chip(id=name, bf16_flop_per_s=1e15, hbm_bytes=8e10, hbm_bandwidth_bytes_per_s=3e12)


def serve(
    name: str = "chat", *, demand_chips: float = 1000.0, usd_per_chip_quarter: float = 10_000.0, **more
) -> Serve:
    """A workload that would fill ``demand_chips`` and earns ``usd_per_chip_quarter`` on each."""
    price = usd_per_chip_quarter / TOKENS_PER_CHIP_QUARTER
    given = {
        "id": name, "model": "m", "goodput": 1.0, "input_tokens": 1, "output_tokens": 1, "tpot_s": 0.05,
        "utilization": 1.0, "growth": Uncertain.point(0.0),
        "demand_tokens_per_month": (demand_chips * TOKENS_PER_CHIP_QUARTER / MONTHS_PER_QUARTER,),
        "price": TokenPrice(input_usd_per_token=price, output_usd_per_token=price),
    }  # fmt: skip
    return Serve(**{**given, **more})


def train(name: str = "pretrain", **more) -> Train:
    given = {"id": name, "model": "m", "goodput": 1.0, "sequence_tokens": 4096, "batch_tokens": 4e6,
             "cluster_chips": 64, "precision": "bf16"}  # fmt: skip
    return Train(**{**given, **more})


def safety(name: str = "oversight") -> Safety:
    return Safety(**{**train(name).model_dump(exclude={"kind", "share_min", "share_max"}), "id": name})


def hourly(usd_per_quarter: float) -> float:
    return usd_per_quarter / HOURS_PER_QUARTER


def on_demand(name: str = "spot", *, usd_per_quarter: float = 6000.0, most: float = 1e6, **more) -> OnDemand:
    given = {"id": name, "chip": "a", "supplier": "cloud", "availability": 1.0,
             "price_usd_per_chip_h": (hourly(usd_per_quarter),), "max_chips": (most,)}  # fmt: skip
    return OnDemand(**{**given, **more})


def reserved(name: str = "reserve", *, usd_per_quarter: float = 4000.0, lead: int = 1, term: int = 4, most: float = 1e6, **more) -> Reserved:  # fmt: skip
    given = {"id": name, "chip": "a", "supplier": "cloud", "availability": 1.0, "lead_quarters": lead,
             "term_quarters": term, "price_usd_per_chip_h": (hourly(usd_per_quarter),), "max_order": (most,)}  # fmt: skip
    return Reserved(**{**given, **more})


def purchase(
    name: str = "buy", *, usd: float = 20_000.0, lead: int = 1, life: int = 8, most: float = 1e6, **more
) -> Purchase:
    given = {"id": name, "chip": "a", "supplier": "maker", "availability": 1.0, "lead_quarters": lead, "site": "here",
             "life_quarters": life, "price_usd_per_chip": (usd,), "max_order": (most,)}  # fmt: skip
    return Purchase(**{**given, **more})


def site(name: str = "here", *, power_w: float = 1e9, **more) -> Site:
    """A site with power to spare whose electricity costs next to nothing."""
    given = {"id": name, "power_w": (power_w,), "pue": 1.0, "electricity_usd_per_j": 1e-15}
    return Site(**{**given, **more})


def contract(
    name: str = "signed", *, due: tuple[int, ...] = (0,), chips: float = 1000.0, term: int = 4, usd_per_quarter: float = 4000.0, **more
) -> Contract:  # fmt: skip
    """A signed reservation that delivers ``chips`` in each of the quarters ``due``, counted from the start."""
    given = {"id": name, "chip": "a", "supplier": "cloud", "kind": "reserved", "availability": 1.0, "term_quarters": term,
             "tranches": tuple(Tranche(date=FIRST + t, chips=chips) for t in due),
             "price_usd_per_chip_h": hourly(usd_per_quarter)}  # fmt: skip
    return Contract(**{**given, **more})


def owned(
    name: str = "fleet", *, due: tuple[int, ...] = (0,), chips: float = 1000.0, term: int = 4, **more
) -> Contract:
    return contract(name, due=due, chips=chips, term=term, usd_per_quarter=0.0, **{"kind": "owned", **more})


def finance(**more) -> Finance:
    given = {"cash_usd": 1e9, "cash_rate": 0.0, "cost_of_equity": 1e-9, "tax_rate": 0.0}
    return Finance(**{**given, **more})


def lab(*, quarters: int = 4, **more) -> Lab:
    model = Model(id="m", layers=1, hidden=1, heads=1, kv_heads=1, head_dim=1, vocab=1)
    given = {
        "lab": "Toy", "horizon": Horizon(first=FIRST, last=FIRST + (quarters - 1)),
        "chips": {"a": chip()}, "models": {"m": model}, "workloads": (serve(),), "finance": finance(),
        "policy": Policy(), "futures": Futures(), "ends": Ends(fade=0.0, quarters=8),
    }  # fmt: skip
    return Lab(**{**given, **more})


def capability(**more) -> Capability:
    given = {"start": 1.0, "parity_flop_per_quarter": 100 * FLOP_PER_CHIP_QUARTER, "frontier_growth": Uncertain.point(1.0),
             "algorithmic_progress": 0.0, "decay": 0.1, "returns": 1.0}  # fmt: skip
    return Capability(**{**given, **more})


def rates(
    lab: Lab,
    cannot: tuple[tuple[str, str], ...] = (),
    *,
    speed: dict[str, float] | None = None,
    idle_w: float = 0.0,
) -> RateTable:
    """Every chip does every workload at the round rate times its ``speed``, except the pairs in ``cannot``.

    A chip at work draws 1 kW.
    """
    columns = rate_columns(lab)
    chips, workloads = tuple(lab.chips), tuple(column.id for column in columns)
    serving = np.array([isinstance(column.workload, Inference) for column in columns])
    per_quarter = np.where(serving, TOKENS_PER_CHIP_QUARTER, FLOP_PER_CHIP_QUARTER)
    shape = (len(chips), len(workloads))
    factor = np.array([(speed or {}).get(name, 1.0) for name in chips])[:, None, None]
    mean = (
        np.broadcast_to(per_quarter / SECONDS_PER_QUARTER, shape)[:, :, None]
        * factor
        * service_share(columns, lab.horizon)
    )
    can = mean > 0
    for name, workload in cannot:
        can[chips.index(name), workloads.index(workload)] = False
    text = np.full(shape, "", dtype=object)
    return RateTable(
        chips=chips, workloads=workloads, mean=np.where(can, mean, 0.0), log_sd=np.zeros(shape), feasible=can,
        power_w=np.full(shape, 1000.0), idle_power_w=np.full(len(chips), idle_w), bottleneck=text, configuration=text,
        provenance=text,
    )  # fmt: skip


def tree(lab: Lab, *, parent: list[int] | None = None, probability: list[float] | None = None, demand=1.0,
         rental=1.0, frontier=1.0, price=1.0, slip=0, setback=0.0) -> Tree:  # fmt: skip
    """A tree with typed node factors; a chain without any. ``slip`` is one number per node, for every supplier."""
    quarters = lab.horizon.quarters
    parents = np.array(parent if parent is not None else [-1, *range(quarters - 1)])
    stage = np.zeros(len(parents), dtype=int)
    for node in range(1, len(parents)):
        stage[node] = stage[parents[node]] + 1
    ones = np.ones(len(parents))
    base = np.array([w.starting_tokens_per_month[0] * MONTHS_PER_QUARTER for w in lab.serve])
    earned = np.array([w.revenue_usd_per_token for w in lab.serve])
    world = World(
        demand_tokens=(ones * demand)[:, None] * base,
        price_usd_per_token=(ones * price)[:, None] * earned,
        rental_index=ones * rental,
        frontier=ones * frontier,
        slip=(ones * slip).astype(int)[:, None] * np.ones(max(1, len(lab.suppliers)), dtype=int),
        setback=(ones * setback)[:, None] * np.ones(len(lab.runs)),
    )
    chance = np.array(probability) if probability is not None else ones
    return Tree(parents, stage, chance, world, np.ones((quarters, 2 * len(lab.serve) + 3)))


def solved(
    lab: Lab, *, cannot: tuple[tuple[str, str], ...] = (), speed: dict[str, float] | None = None, **branches
) -> Solved:
    return solve_plan(collect(lab, rates(lab, cannot, speed=speed), tree(lab, **branches)))


def planned(
    lab: Lab, *, cannot: tuple[tuple[str, str], ...] = (), speed: dict[str, float] | None = None, **branches
) -> Plan:
    """The plan of a lab on its toy rates and a typed tree, in chips and dollars."""
    return to_plan(solved(lab, cannot=cannot, speed=speed, **branches))


def gained(plan: Plan, lab: Lab) -> float:
    """Value beyond the cash that was there, USD."""
    return plan.value_usd - lab.finance.cash_usd
