"""Deals for toy labs, and a small lab that signs all of them."""

from __future__ import annotations

from tests.plan import toy
from tests.plan.shocks import shocked

from exaplan.domain.deals import (
    Channel,
    Equity,
    Exclusive,
    Milestone,
    MustSpend,
    Payment,
    Renewal,
    RevenueShare,
)
from exaplan.domain.lab import Ends, FixedCost, Policy, Risk
from exaplan.domain.supply_risk import SupplierOrder, SupplierShare

EQUITY = Equity(
    id="stake", supplier="maker", last=toy.FIRST + 1, investment=(Payment(amount_usd=2e6), Payment(after_quarters=2, amount_usd=1e6)),
    dilution_cost=-0.4, must_spend=MustSpend(amount_usd=1.5e6, every_quarters=2, times=2),
    revenue_share=RevenueShare(share=0.05, quarters=3), channels=(Channel(workload="chat", share=0.2, after_quarters=1, quarters=2),),
)  # fmt: skip
EXCLUSIVE = Exclusive(
    id="only", supplier="cloud", last=toy.FIRST + 1, excludes=("maker",), term_quarters=2, priority=0.5
)
DEALS = (EQUITY, EXCLUSIVE)
AGAIN = Renewal(term_quarters=1, price_usd_per_chip_h=toy.hourly(3500), payment_usd_per_chip=100)
MOST = (SupplierOrder(supplier="cloud", most_chips=1200),)
CAPS = (SupplierShare(supplier="cloud", share=0.9),)
LOOSE = toy.reserved(
    "loose", usd_per_quarter=4800, lead=0, term=2, most=400, exit_fee=0.3, flex_up=0.2, lot_chips=50
)
OFFERS = (
    LOOSE,
    toy.reserved(
        "cheap", usd_per_quarter=3000, lead=0, term=1, unlocked_by="only", step_up=0.1, renewal=AGAIN
    ),
)


def dealing_lab():
    """Both kinds of deal in four quarters and four futures, with supply that runs short, tax, and an end within their terms."""
    lab = toy.lab(
        quarters=4,
        sites=(toy.site(),),
        workloads=(
            toy.serve(demand_chips=1500, churn_when_unserved=0.3, recovery=0.5),
            toy.serve("batch", demand_chips=400, usd_per_chip_quarter=6000),
        ),
        offers=(
            toy.on_demand(usd_per_quarter=7000, most=300, supplier="rival"),
            toy.reserved("firm", usd_per_quarter=4500, term=2, most=500, deposit=0.1, renewal=AGAIN),
            toy.reserved("cheap", usd_per_quarter=3500, term=3, most=600, unlocked_by="only"),
            LOOSE,
            toy.purchase(usd=16_000, lead=2, life=4, deposit=0.2, most=200, milestones=(Milestone(after_quarters=1, share=0.3),)),
        ),
        contracts=(toy.contract(chips=300, term=2, usd_per_quarter=5000, supplier="maker", take_or_pay=0.8, exit_fee=0.2, renewal=Renewal(term_quarters=2, market_exposure=1.0)),),
        deals=DEALS,
        policy=Policy(risk=Risk(weight=0.2, level=0.5), cover_quarters=1.0, supplier_share=CAPS, supplier_order=MOST),
        finance=toy.finance(
            cash_usd=8e6, cost_of_equity=0.15, cash_rate=0.02, tax_rate=0.2,
            fixed_costs=(FixedCost(id="staff", amount_usd_per_quarter=(2e6,)),),
        ),
        ends=Ends(fade=0.2, quarters=4),
    )  # fmt: skip
    tree = toy.tree(
        lab, parent=[-1, 0, 0, 1, 1, 2, 2, 3, 4, 5, 6], probability=[1, 0.6, 0.4, 0.3, 0.3, 0.1, 0.3, 0.3, 0.3, 0.1, 0.3],
        demand=[1.0, 1.3, 0.7, 1.8, 1.1, 0.9, 0.4, 2.2, 1.0, 1.0, 0.3],
    )  # fmt: skip
    short = [1.0, 0.6, 1.1, 0.5, 0.8, 1.0, 1.2, 0.7, 1.0, 1.0, 1.0]
    return lab, toy.rates(lab), shocked(lab, tree, supply={"cloud": short})
