"""One small lab to which every feature can be added by name, so that combinations of them can be run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from tests.plan import deal_labs, toy
from tests.plan.demand_labs import launch, models, points, run, trusted
from tests.plan.labs import FORK, FORK_CHANCE, conduct_lab
from tests.plan.shocks import shocked
from tests.plan.silicon_lab import program

from exaplan.domain.deals import Milestone, Renewal
from exaplan.domain.lab import Debt, Ends, FixedCost, Floor, Policy, Risk, Round, SupplierFinance
from exaplan.domain.load import Load
from exaplan.domain.rates import rate_columns
from exaplan.domain.runs import FlopRule, Run
from exaplan.domain.segment import ServingModel
from exaplan.domain.sitestep import SiteStep

FEATURES = (
    "deals", "shocks", "renewals", "lots", "volume", "exits", "steps", "blocks", "reserve", "pool", "segments", "prices",
    "trust", "launches", "internal", "runs", "mix", "covenant", "loans", "silicon", "tax", "late", "risk", "floors",
    "cover", "metered", "milestones",
)  # fmt: skip
"""Names of what can be added to the plain lab."""


def combined_lab(features: Iterable[str] = FEATURES):
    """Build the plain lab with the named features: lab, rates and a tree of four quarters and four futures."""
    on = set(features)
    lab = toy.lab(
        quarters=4, chips={"a": toy.chip("a"), "b": toy.chip("b")}, models=models("m", "large", "small", "old"), sites=(_site(on),), workloads=_workloads(on),
        offers=_offers(on), contracts=_contracts(on), finance=_finance(on), policy=_policy(on),
        capability=toy.capability(
            returns=0.7, parity_flop_per_quarter=150 * toy.FLOP_PER_CHIP_QUARTER,
            **({"experiments": ("rl",), "experiments_share": 0.6} if "mix" in on else {}),
        ),
        ends=Ends(fade=0.2, quarters=4), **_further(on),
    )  # fmt: skip
    tree = toy.tree(
        lab, parent=FORK, probability=FORK_CHANCE,
        demand=[1.0, 1.2, 0.8, 1.6, 1.0, 1.0, 0.6, 1.9, 1.1, 1.0, 0.5],
        price=[1.0, 0.95, 0.9, 0.9, 0.9, 0.85, 0.8, 0.8, 0.8, 0.8, 0.8],
        rental=[1.0, 1.1, 0.9, 1.3, 1.0, 1.0, 0.8, 1.4, 1.1, 1.0, 0.7],
        frontier=[1.0, 1.1, 1.2, 1.3, 1.3, 1.35, 1.4, 1.5, 1.5, 1.6, 1.6],
        slip=[0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0], setback=[0.0, 0.0, 0.5, 0.0, 0.3, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    )  # fmt: skip
    if "shocks" in on:
        short = [1.0, 0.6, 1.1, 0.5, 0.8, 1.0, 1.2, 0.7, 1.0, 1.0, 1.0]
        gone = [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
        tree = shocked(lab, tree, supply={"cloud": short}, gone={"rival": gone}, standstill={"here": gone})
    rates = toy.rates(lab, speed={"b": 2.0}, idle_w=100.0)
    faster = np.array([{"small": 3.0, "old": 0.5}.get(column.model, 1.0) for column in rate_columns(lab)])
    return lab, replace(rates, mean=rates.mean * faster[:, None]), tree


def _workloads(on: set[str]):
    chat = {"demand_chips": 1200, "sensitivity": 0.4, "churn_when_unserved": 0.3, "recovery": 0.5}
    if "segments" in on:
        able = (
            ServingModel(model="large", share_min=0.2),
            ServingModel(model="small", share_max=0.7, distil=run(60, last=2)),
            ServingModel(model="old", last=toy.FIRST + 1),
        )
        chat |= {"model": None, "models": able}
    if "prices" in on:
        chat["price_points"] = points((0.8, 1.4), (1, 1), (1.3, 0.6))
    if "trust" in on:
        chat["trust"] = trusted({0: 0, 0.1: 0.08}, {0: 0.1, 0.1: 0.02})
    if "reserve" in on:
        chat["reserve"] = 0.1
    pretrain = {"preemptible": False} if "blocks" in on else {}
    rl = {"preemptible": True, "restart_loss": 0.1} if "blocks" in on else {}
    if "pool" in on:
        rl["single_pool"] = True
    use = conduct_lab()[0].internal[0]
    return (
        toy.serve("chat", **chat), toy.serve("batch", demand_chips=300, usd_per_chip_quarter=7000),
        toy.train("pretrain", **pretrain), toy.train("rl", **rl), toy.safety(), *((use,) if "internal" in on else ()),
    )  # fmt: skip


def _offers(on: set[str]):
    again = {"renewal": deal_labs.AGAIN} if "renewals" in on else {}
    loose = {"take_or_pay": 0.7} if "metered" in on else {}
    volume = {"exit_fee": 0.3, "flex_up": 0.2} if "volume" in on else {}
    lots = {"lot_chips": 50} if "lots" in on else {}
    stages = {"milestones": (Milestone(after_quarters=1, share=0.3),)} if "milestones" in on else {}
    offers = [
        toy.on_demand(usd_per_quarter=7000, most=300, supplier="rival", market_exposure=0.5),
        toy.reserved("firm", usd_per_quarter=4500, term=2, most=500, deposit=0.1, **again),
        toy.reserved("metered", usd_per_quarter=4700, term=2, most=300, **loose),
        toy.reserved("loose", usd_per_quarter=4800, lead=0, term=2, most=400, **volume, **lots),
        toy.purchase(usd=16_000, lead=2, life=4, deposit=0.2, most=200, chip="b", **stages),
    ]
    if "deals" in on:
        offers.append(
            toy.reserved("cheap", usd_per_quarter=3500, term=3, most=600, unlocked_by="only", step_up=0.1)
        )
    if "silicon" in on:
        offers.append(toy.reserved("after", usd_per_quarter=4000, most=200, term=2, unlocked_by="asic"))
    return tuple(offers)


def _contracts(on: set[str]):
    more = {"take_or_pay": 0.8} if "metered" in on else {}
    if "exits" in on:
        more["exit_fee"] = 0.2
    if "renewals" in on:
        more["renewal"] = Renewal(term_quarters=2, market_exposure=1.0)
    return (
        toy.contract(chips=500, term=2, usd_per_quarter=5000, supplier="maker", **more),
        toy.owned(chips=300, due=(-1,), term=5, site="here", pool="here"),
    )


def _site(on: set[str]):
    hall = SiteStep(id="hall", power_w=2e5, lead_quarters=1, life_quarters=8, cost_usd=4e5)
    annex = hall.model_copy(update={"id": "annex", "continuous": True})
    steps = {"steps": (hall, annex), "power_w": 3.5e5} if "steps" in on else {}
    if "shocks" in on:
        steps["ready"] = toy.FIRST + 1
    return toy.site(**steps)


def _finance(on: set[str]):
    more = {"collection_lag_quarters": 1, "revenue_cost": 0.1, "receivables_usd": 2e6} if "late" in on else {}
    if "tax" in on:
        more |= {"tax_rate": 0.2, "losses_carried_usd": 1e6}
    if "covenant" in on:
        more["debt"] = Debt(limit_usd=4e6, rate=0.05, revenue_multiple=0.1)
    if "loans" in on:
        more["supplier_finance"] = (
            SupplierFinance(supplier="maker", share=0.5, rate=0.05, term_quarters=2, limit_usd=2e6),
        )
    return toy.finance(
        cash_usd=9e6, cost_of_equity=0.15, cash_rate=0.02,
        fixed_costs=(FixedCost(id="staff", amount_usd_per_quarter=(2e6,)),),
        rounds=(Round(id="A", first=toy.FIRST, last=toy.FIRST + 2, max_usd=2e7, dilution_cost=0.1),), **more,
    )  # fmt: skip


def _policy(on: set[str]):
    more = {}
    if "risk" in on:
        more["risk"] = Risk(weight=0.2, level=0.5)
    if "floors" in on:
        more |= {
            "floor": Floor(workloads=("pretrain", "rl"), share=0.1),
            "safety": Floor(workloads=("oversight",), share=0.02), "oversight": 0.02,
        }  # fmt: skip
    if "cover" in on:
        more["cover_quarters"] = 1.0
    if "deals" in on:
        more |= {"supplier_share": deal_labs.CAPS, "supplier_order": deal_labs.MOST}
    return Policy(**more)


def _further(on: set[str]):
    more = {}
    if "deals" in on:
        more["deals"] = deal_labs.DEALS
    if "blocks" in on:
        more["load"] = Load(blocks=2, shape=(1.0, 2.0, 3.0))
    if "launches" in on:
        more["launches"] = (
            launch(last=2, chips=50, flop_quarters=20, decay=0.2, cost_usd=2e5),
            launch("second", last=1, step_share=0.25, workload="batch"),
        )
    if "runs" in on:
        more["runs"] = (
            Run(id="next", workload="pretrain", flop=1e23, uplift=0.4, uplift_workloads=("chat",), fade=0.2, divergence=0.2),
            Run(id="apart", workload="rl", flop=5e22, uplift=0.3, uplift_workloads=("batch",), counts_in_capability=False, cost_usd=1e5),
        )  # fmt: skip
        more["rules"] = (
            FlopRule(
                id="act", threshold_flop=8e22, workload="oversight", evaluation_flop=1e22, delay_quarters=1
            ),
        )
    if "silicon" in on:
        more["silicon"] = (program(),)
    return more
