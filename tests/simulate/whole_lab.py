"""A lab with everything on at once: what plans decide (``tests.plan.combined_lab``) and every process of the futures."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
from tests.plan import toy
from tests.plan.combined_lab import FEATURES, combined_lab
from tests.plan.silicon_lab import program

from exaplan.domain.deals import Renewal
from exaplan.domain.futures import World
from exaplan.domain.futures_input import (
    Branch,
    CapitalWindow,
    Correlation,
    DemandDelay,
    ModelShift,
    Pinned,
    Slip,
)
from exaplan.domain.lab import Futures, Lab
from exaplan.domain.load import Load
from exaplan.domain.rates import RateTable, rate_columns
from exaplan.domain.rental import Regime, RentalMarket, Spot, Switch
from exaplan.domain.silicon import Respin
from exaplan.domain.supply import Contract, Instalment, Tranche
from exaplan.domain.supply_risk import Default, RenewalNews, SiteDelay, Supply
from exaplan.domain.uncertain import Uncertain
from exaplan.economy.sampling import sample_world
from exaplan.economy.tree import grow_tree
from exaplan.plan.inputs import collect
from exaplan.plan.solve import Solved, solve_plan

SMOOTH = tuple(name for name in FEATURES if name not in ("lots", "pool", "launches", "segments", "runs"))
"""Everything but the slowest whole numbers: deals, halls and own silicon are left; a plan takes half a minute."""

LIQUID = tuple(name for name in SMOOTH if name not in ("deals", "steps", "silicon"))
"""Everything without whole numbers; a plan takes a second or two."""

OWN = ("silicon", "renewals", "late", "tax", "shocks", "loans", "floors", "milestones", "metered")
"""Own silicon beside what moves money and chips."""


def futures() -> Futures:
    """Every process at once, two of them held in named futures, on a tree of four leaves."""
    market = RentalMarket(
        start=1.1,
        volatility=0.3,
        reversion=2.0,
        regimes=(
            Regime(id="glut", level=0.6, switches=(Switch(to="scarcity", rate=2.0),)),
            Regime(id="scarcity", level=1.4, switches=(Switch(to="glut", rate=2.0),)),
        ),
        spot=Spot(volatility=0.4, reversion=2.0),
    )
    return Futures(
        branches=tuple(Branch(date=toy.FIRST + t, into=2) for t in (1, 3)),
        samples=600,
        demand_correlation=0.5,
        correlations=(Correlation(between=("demand", "rental"), rho=0.4),),
        rental=market,
        demand_delay=(DemandDelay(chance=0.5, months=Uncertain(family="uniform", low=0.0, high=9.0)),),
        slips=(Slip(supplier="maker", probability=0.3), Slip(supplier="cloud", probability=0.2)),
        supply=(Supply(supplier="cloud", level=Uncertain.point(0.8), volatility=0.3),),
        defaults=(
            Default(supplier="maker", chance_per_year=0.4),
            Default(supplier="cloud", chance_per_year=0.3),
        ),
        site_delays=(SiteDelay(site="here", probability=0.3),),
        renewals=(
            RenewalNews(supplier="cloud", jump=Uncertain(family="lognormal", low=0.8, high=1.4), refusal=0.3),
            RenewalNews(supplier="maker", refusal=0.4),
        ),
        capital_window=(CapitalWindow(id="market", closes=1.0, reopens=2.0),),
        model_shifts=(
            ModelShift(id="sparse", chips=("b",), chance_per_year=0.6, factor=Uncertain.point(0.6)),
        ),
        rates="sampled",
        pinned=(
            Pinned(id="bear", probability=0.2, demand=0.1, delay=0.9),
            Pinned(id="bull", probability=0.1, demand=0.9),
        ),
    )


def whole_lab(features: tuple[str, ...] = LIQUID, *, blocks: int = 3) -> tuple[Lab, RateTable]:
    """Build the lab of many features under every process: its rates have an error that paths draw."""
    lab, _, _ = combined_lab(features)
    chat, *others = lab.workloads
    growing = Uncertain(family="growth", low=-0.4, high=0.9)
    chat = chat.model_copy(update={"growth": growing, "volatility": 0.2})
    law = lab.capability.model_copy(
        update={"algorithmic_progress": Uncertain(family="growth", low=0.5, high=1.5)}
    )
    more: dict[str, object] = {
        "workloads": (chat, *others), "capability": law, "futures": futures(), "contracts": _contracts(lab),
    }  # fmt: skip
    if blocks > 1:
        more["load"] = Load(blocks=blocks, shape=(1.0, 2.0, 3.0))
    if "silicon" in features:
        agreed = Respin(probability=0.3, delay_quarters=1, cost_usd=2e5)
        more["silicon"] = (program(slip=0.4, respin=agreed, nre=((0, 3e5), (1, 2e5)), life_quarters=4),)
    lab = lab.model_copy(update=more)
    rates = toy.rates(lab, speed={"b": 2.0}, idle_w=100.0)
    faster = np.array([{"small": 3.0, "old": 0.5}.get(column.model, 1.0) for column in rate_columns(lab)])
    mean = rates.mean * faster[:, None]
    return lab, replace(rates, mean=mean, log_sd=np.full(rates.log_sd.shape, 0.2))


def _contracts(lab: Lab) -> tuple[Contract, ...]:
    """Contracts with instalments of a purchase under way, and a renewal that costs something once."""
    under_way = Contract(
        id="under-way", chip="b", supplier="maker", kind="owned", pool="here", site="here", availability=0.9,
        tranches=(Tranche(date=toy.FIRST + 1, chips=60), Tranche(date=toy.FIRST + 2, chips=40)),
        term_quarters=9, deposit_paid_usd=3e5,
        instalments=(Instalment(date=toy.FIRST, amount_usd=4e5), Instalment(date=toy.FIRST + 3, amount_usd=2e5)),
    )  # fmt: skip
    again = Renewal(term_quarters=3, payment_usd_per_chip=900.0, market_exposure=1.0)
    first = lab.contracts[0].model_copy(update={"deposit_paid_usd": 2e5, "renewal": again})
    return (first, *lab.contracts[1:], under_way)


@cache
def whole_plan(features: tuple[str, ...] = LIQUID, blocks: int = 3) -> Solved:
    """Solve the whole lab on a tree grown from its own futures."""
    lab, rates = whole_lab(features, blocks=blocks)
    return solve_plan(collect(lab, rates, grow_tree(lab)))


def sampled(paths: int = 120, seed: int = 4, features: tuple[str, ...] = LIQUID) -> World:
    """Sample futures of the whole lab that its plan was not built on."""
    return sample_world(whole_lab(features)[0], paths=paths, seed=seed, purpose="report")
