"""Three small labs that between them use every part of a plan."""

from __future__ import annotations

from tests.plan import toy

from exaplan.domain.lab import Debt, Ends, FixedCost, Floor, Policy, Risk, Round, SupplierFinance
from exaplan.domain.quarter import MONTHS_PER_QUARTER
from exaplan.domain.runs import FlopRule, Run
from exaplan.domain.supply import Instalment
from exaplan.domain.uncertain import Uncertain
from exaplan.domain.workload import Internal

FORK = [-1, 0, 0, 1, 1, 2, 2, 3, 4, 5, 6]
"""Four quarters: the root, two nodes, four, four."""
FORK_CHANCE = [1.0, 0.6, 0.4, 0.3, 0.3, 0.1, 0.3, 0.3, 0.3, 0.1, 0.3]


def contracts_lab():
    """Lead times, open orders with an exit fee, metered use, late deliveries, lost customers, and the tail of losses."""
    lab = toy.lab(
        quarters=4,
        workloads=(
            toy.serve("chat", demand_chips=3000, churn_when_unserved=0.4, recovery=0.3),
            toy.serve("batch", demand_chips=1500, usd_per_chip_quarter=5500),
        ),
        offers=(
            toy.on_demand(usd_per_quarter=7000, most=800, market_exposure=1.0),
            toy.reserved("firm", usd_per_quarter=4000, lead=1, term=3, most=1500, deposit=0.1, availability=0.95),
            toy.reserved("loose", usd_per_quarter=4800, lead=2, term=2, take_or_pay=0.6, market_exposure=0.5),
        ),
        contracts=(
            toy.contract(due=(-1, 1, 2), chips=900, term=4, usd_per_quarter=6000, take_or_pay=0.8, exit_fee=0.1),
            toy.contract("old", due=(-3,), chips=500, term=5, usd_per_quarter=3000, take_or_pay=0.7, availability=0.9),
        ),
        policy=Policy(risk=Risk(weight=0.3, level=0.6), rescue_price=15.0, cover_quarters=2.0),
        finance=toy.finance(
            cash_usd=25e6, cost_of_equity=0.15, cash_rate=0.03, cash_minimum_usd=1e6,
            fixed_costs=(FixedCost(id="staff", amount_usd_per_quarter=(4e6,), growth=0.2),),
        ),
    )  # fmt: skip
    tree = toy.tree(
        lab, parent=FORK, probability=FORK_CHANCE,
        demand=[1.0, 1.3, 0.7, 1.8, 1.1, 0.9, 0.4, 2.2, 1.0, 1.0, 0.3],
        rental=[1.0, 1.2, 0.9, 1.5, 1.0, 1.1, 0.7, 1.4, 1.2, 1.0, 0.6],
        price=[1.0, 0.9, 1.0, 0.8, 0.9, 0.9, 0.8, 0.7, 0.8, 0.9, 0.6],
        slip=[0, 0, 1, 1, 0, 0, 2, 0, 1, 0, 0],
    )  # fmt: skip
    return lab, toy.rates(lab), tree


def owner_lab():
    """Purchases with deposit and scrap at a site short of power, tax with losses carried, debt and a round."""
    lab = toy.lab(
        quarters=4,
        chips={"a": toy.chip("a"), "b": toy.chip("b")},
        sites=(toy.site(power_w=2.4e6, pue=1.2, electricity_usd_per_j=0.08 / 3.6e6, ready=toy.FIRST + 1, upkeep_usd_per_w_quarter=0.03),),
        workloads=(toy.serve(demand_chips=4000), toy.serve("api", demand_chips=1000, usd_per_chip_quarter=7000)),
        offers=(
            toy.on_demand(usd_per_quarter=8000, most=2000),
            toy.purchase(usd=18_000, lead=1, life=4, deposit=0.25, residual=0.1, most=1500, availability=0.9),
            toy.purchase("buy-b", chip="b", usd=30_000, lead=2, life=2, deposit=0.4, residual=0.2),
        ),
        contracts=(
            toy.owned(due=(-2, 2), chips=400, term=5, pool="here", site="here",
                      instalments=(Instalment(date=toy.FIRST + 1, amount_usd=2e6), Instalment(date=toy.FIRST + 6, amount_usd=1e6))),
        ),
        policy=Policy(risk=Risk(weight=0.2, level=0.5), rescue_price=12.0, cover_quarters=0.5),
        finance=toy.finance(
            cash_usd=5e6, cost_of_equity=0.2, cash_rate=0.04, cash_minimum_usd=2e6, tax_rate=0.25, losses_carried_usd=3e6,
            revenue_cost=0.1, collection_lag_quarters=1, receivables_usd=4e6,
            fixed_costs=(FixedCost(id="staff", amount_usd_per_quarter=(6e6, 7e6)),),
            rounds=(Round(id="B", first=toy.FIRST + 1, last=toy.FIRST + 2, max_usd=12e6, dilution_cost=0.5),),
            debt=Debt(limit_usd=15e6, rate=0.1, outstanding_usd=4e6),
        ),
        ends=Ends(fade=0.4, quarters=3),
    )  # fmt: skip
    tree = toy.tree(
        lab, parent=FORK, probability=FORK_CHANCE, demand=[1.0, 1.2, 0.8, 1.5, 1.0, 1.0, 0.5, 1.8, 0.9, 1.1, 0.3],
        slip=[0, 1, 0, 0, 1, 2, 0, 0, 0, 1, 0],
    )  # fmt: skip
    return lab, toy.rates(lab, speed={"b": 2.0}, idle_w=200.0), tree


def developer_lab():
    """The loop from development to demand with two training workloads, both floors, oversight and a chip that cannot train."""
    workloads = (
        toy.serve(demand_chips=900, sensitivity=0.5, churn_when_unserved=0.2),
        toy.serve("seats", demand_chips=300, sensitivity=0.2),
        toy.train("pretrain", share_min=0.2),
        toy.train("rl", share_max=0.6),
        toy.safety(),
    )
    lab = toy.lab(
        quarters=4,
        chips={"a": toy.chip("a"), "junk": toy.chip("junk")},
        workloads=workloads,
        offers=(toy.on_demand(most=900), toy.reserved(lead=1, term=3), toy.reserved("cheap", chip="junk", usd_per_quarter=1500)),
        contracts=(toy.contract(chips=300), toy.owned("old", chip="junk", chips=200, due=(-1,))),
        policy=Policy(
            floor=Floor(workloads=("pretrain", "rl"), share=0.25, level_flop_per_s=20 * toy.FLOP_PER_CHIP_QUARTER / toy.SECONDS_PER_QUARTER),
            safety=Floor(workloads=("oversight",), share=0.05), oversight=0.08, risk=Risk(weight=0.1, level=0.5),
        ),
        finance=toy.finance(cash_usd=2e7, cost_of_equity=0.12, tax_rate=0.2),
        capability=toy.capability(returns=0.7, algorithmic_progress=0.4, frontier_growth=Uncertain.point(0.8), start=0.9,
                                  parity_flop_per_quarter=150 * toy.FLOP_PER_CHIP_QUARTER),
    )  # fmt: skip
    tree = toy.tree(
        lab, parent=FORK, probability=FORK_CHANCE, demand=[1.0, 1.2, 0.9, 1.6, 1.1, 1.0, 0.7, 2.0, 1.2, 1.0, 0.6],
        frontier=[1.0, 1.1, 1.2, 1.3, 1.4, 1.35, 1.5, 1.6, 1.5, 1.7, 1.8],
    )  # fmt: skip
    return lab, toy.rates(lab, cannot=(("junk", "pretrain"),), speed={"junk": 0.5}), tree


def conduct_lab():
    """Own use, a run with a rule, experiments against final runs, a covenant and a supplier's loan; two quarters."""
    use = Internal(
        id="staff", model="m", goodput=1.0, input_tokens=1, output_tokens=1, tpot_s=0.05, utilization=1.0,
        reference_tokens_per_month=1e11 / MONTHS_PER_QUARTER, saving_usd_per_quarter=8e5, returns=0.5,
        efficiency_gain=0.1, efficiency_decay=0.5,
    )  # fmt: skip
    run = Run(id="next", workload="pretrain", flop=2e23, uplift=0.5, uplift_workloads=("chat",), fade=0.2,
              cost_usd=1e5, divergence=0.25, due=toy.FIRST + 1)  # fmt: skip
    rule = FlopRule(id="act", threshold_flop=1e23, workload="oversight", evaluation_flop=5e22, delay_quarters=1, cost_usd=2e5)  # fmt: skip
    lender = SupplierFinance(supplier="maker", share=0.5, rate=0.08, term_quarters=4, limit_usd=2e6)
    lab = toy.lab(
        quarters=2,
        sites=(toy.site(),),
        workloads=(toy.serve(sensitivity=0.5), toy.train(), toy.train("rl"), toy.safety(), use),
        offers=(toy.on_demand(usd_per_quarter=3000), toy.purchase(lead=0, life=2, deposit=0.4, most=500)),
        capability=toy.capability(parity_flop_per_quarter=1e24, experiments=("rl",), experiments_share=0.6),
        finance=toy.finance(
            cash_usd=2e6, cost_of_equity=0.1, debt=Debt(limit_usd=1e6, rate=0.12, revenue_multiple=0.02),
            supplier_finance=(lender,), tax_rate=0.2,
        ),
        runs=(run,), rules=(rule,),
    )  # fmt: skip
    tree = toy.tree(
        lab, parent=[-1, 0, 0], probability=[1.0, 0.5, 0.5], demand=[1.0, 1.5, 0.5], setback=[0.0, 0.0, 1.0]
    )
    return lab, toy.rates(lab), tree
