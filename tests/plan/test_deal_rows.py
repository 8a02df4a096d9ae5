"""Each rule of a deal decides one small plan alone; arithmetic beside it. A chip earns 10 000 USD a quarter."""

from __future__ import annotations

import numpy as np
import pytest
from tests.plan import shocks, toy
from tests.plan.deal_labs import dealing_lab
from tests.simulate.test_replay import other_futures, own_futures

from exaplan.domain.deals import Channel, Equity, Exclusive, MustSpend, Payment, RevenueShare
from exaplan.domain.lab import Ends
from exaplan.plan.accounts import service_of
from exaplan.plan.deal_result import SignedDeal, deals_of, priority_of
from exaplan.plan.deal_rows import largest_revenue
from exaplan.plan.inputs import collect
from exaplan.plan.result import to_plan
from exaplan.plan.solve import solve_plan
from exaplan.plan.started import deal_in_words
from exaplan.simulate.replay import replay

CASH = 20e6
FLEET = (toy.owned(chips=100, term=8),)
"""Earns 1 M a quarter."""


def near(value):
    return pytest.approx(value, rel=1e-5, abs=10.0)


def dealt(*deals, quarters=4, cash=CASH, **more):
    given = {"contracts": FLEET, "finance": toy.finance(cash_usd=cash), "ends": Ends(fade=0.0, quarters=4)}
    return toy.lab(quarters=quarters, deals=deals, **{**given, **more})


def stake(*, amount=1e6, last=toy.FIRST, **more):
    return Equity(id="stake", supplier="cloud", last=last, investment=(Payment(amount_usd=amount),), **more)


def started(solved):
    return np.round(solved.value(solved.model.columns["deal_start"]))


def gained(solved):
    return toy.gained(to_plan(solved), solved.program.inputs.lab)


WITHOUT = 8e6
"""What the fleet earns within four quarters and after."""


def test_money_comes_on_its_dates_and_the_shares_given_for_it_cost_their_value():
    deal = Equity(
        id="stake", supplier="cloud", last=toy.FIRST, dilution_cost=-0.2,
        investment=(Payment(amount_usd=1e6), Payment(after_quarters=2, amount_usd=2e6), Payment(after_quarters=5, amount_usd=4e6)),
    )  # fmt: skip
    solved = toy.solved(dealt(deal))
    plan = to_plan(solved)
    # 1 M now, 2 M in quarter 2, 4 M in the tail, on top of 1 M earned a quarter; shares worth 0.8 of it are given
    assert plan.cash_usd - CASH == near([2e6, 3e6, 6e6, 7e6, 15e6])
    assert solved.value(solved.model.columns["given"]) * 1e6 == near([0.8e6, 0, 1.6e6, 0, 3.2e6])
    assert plan.value_usd - CASH == near(WITHOUT + 0.2 * 7e6)
    assert plan.leaf_value_usd[0] == near(plan.value_usd)


def test_an_investor_who_asks_more_than_he_brings_is_turned_down_unless_the_money_earns_more():
    dear = stake(amount=1e6, dilution_cost=0.5)
    offer = toy.purchase(usd=10_000, lead=0, life=4, last=toy.FIRST)
    poor = {"contracts": (), "sites": (toy.site(),), "offers": (offer,), "cash": 0.0}
    assert started(toy.solved(dealt(dear, **{**poor, "offers": ()}))).sum() == 0
    # without money no chip; with it 100 chips that earn 1 M a quarter for four quarters, for 1.5 M of shares
    late = toy.finance(cash_usd=0.0, collection_lag_quarters=1)
    solved = toy.solved(dealt(dear, finance=late, **{**poor, "cash": 0.0}))
    assert started(solved)[0, 0] == 1
    assert gained(solved) == near(1e6 - 1.5e6 - 1e6 + 4e6)


def test_a_deal_is_signed_once_and_in_its_window_only():
    deal = Equity(id="stake", supplier="cloud", first=toy.FIRST + 1, last=toy.FIRST + 2, dilution_cost=-0.5, investment=(Payment(amount_usd=1e6),))  # fmt: skip
    solved = toy.solved(dealt(deal))
    assert started(solved)[[0, 3], 0].sum() == 0
    assert started(solved).sum() == 1
    assert [row.probability for row in deals_of(solved)] == [pytest.approx(1)]


def test_waiting_for_news_is_a_choice():
    deal = stake(amount=1.0, last=toy.FIRST + 1, fee_usd=0.5e6, channels=(Channel(workload="chat", tokens_per_month=100 * 1e9 / 3, quarters=1),))  # fmt: skip
    lab = dealt(deal, quarters=2, contracts=(toy.owned(chips=200, term=2),), workloads=(toy.serve(demand_chips=200),), ends=Ends(fade=0.0, quarters=1))  # fmt: skip
    solved = toy.solved(lab, parent=[-1, 0, 0], probability=[1, 0.5, 0.5], demand=[1.0, 1.0, 0.0])
    # 100 chips' customers are worth 1 M only where the 200 chips stand idle, and one knows that in quarter 1
    assert started(solved).ravel() == pytest.approx([0, 0, 1])
    assert gained(solved) == near(2e6 + 0.5 * 2e6 + 0.5 * (1e6 - 0.5e6 + 1.0 - 1.0))


def test_what_is_not_spent_with_the_partner_is_paid_for_nothing():
    clause = MustSpend(amount_usd=1.2e6, every_quarters=1, times=2)
    offer = toy.reserved(usd_per_quarter=12_000, lead=0, term=1, most=50)
    lab = dealt(stake(amount=3e6, dilution_cost=-1.0, must_spend=clause), offers=(offer,))
    solved = toy.solved(lab)
    # a chip loses 2000 but spares 12 000 of shortfall: 50 chips in each of two quarters, 0.6 M short in each
    assert to_plan(solved).ordered[:4, 0] == pytest.approx([50, 50, 0, 0])
    assert solved.value(solved.model.columns["must_spend_short"])[:, 0] == pytest.approx([0.6, 0.6, 0, 0, 0])
    assert gained(solved) == near(WITHOUT + 3e6 - 2 * 50 * 2000 - 2 * 0.6e6)
    assert deals_of(solved)[0].shortfall_usd == near(1.2e6)


def test_a_period_of_several_quarters_asks_for_its_sum():
    clause = MustSpend(amount_usd=1e6, every_quarters=3, times=1)
    offer = toy.reserved(usd_per_quarter=4000, lead=1, term=1, most=50)
    lab = dealt(stake(amount=3e6, dilution_cost=-1.0, must_spend=clause), offers=(offer,), workloads=(toy.serve(demand_chips=150),))  # fmt: skip
    solved = toy.solved(lab)
    # 0.2 M in each of quarters 1 and 2 (the first cannot be reached) leave 0.6 M of the million
    assert solved.value(solved.model.columns["must_spend_short"])[:, 0] == pytest.approx([0, 0, 0.6, 0, 0])


@pytest.mark.parametrize(
    ("name", "spent"), [("rent", 6000), ("reserve", 4000), ("deposit", 4000), ("buy", 20_000)]
)
def test_every_way_to_pay_the_supplier_counts_as_spending(name, spent):
    offers = {
        "rent": toy.on_demand(most=40),
        "reserve": toy.reserved(lead=0, term=1, most=40, last=toy.FIRST),
        "deposit": toy.reserved(lead=0, term=1, most=40, deposit=0.5, last=toy.FIRST),
        "buy": toy.purchase(lead=0, life=4, most=40, supplier="cloud", deposit=0.3, last=toy.FIRST),
    }
    clause = MustSpend(amount_usd=5e6, every_quarters=1, times=1)
    lab = dealt(
        stake(amount=10e6, dilution_cost=-1.0, must_spend=clause), offers=(offers[name],), sites=(toy.site(),)
    )
    solved = toy.solved(lab)
    short = solved.value(solved.model.columns["must_spend_short"])[0, 0] * 1e6
    assert short == near(5e6 - 40 * spent)


def test_signed_contracts_count_and_other_suppliers_do_not():
    clause = MustSpend(amount_usd=1e6, every_quarters=1, times=1)
    contracts = (
        toy.contract(chips=100, term=2, usd_per_quarter=4000, take_or_pay=0.5),
        toy.contract("other", chips=100, term=2, usd_per_quarter=4000, supplier="rival"),
    )
    lab = dealt(stake(amount=5e6, dilution_cost=-1.0, must_spend=clause), contracts=contracts)
    solved = toy.solved(lab)
    # 0.2 M of must-pay and 0.2 M paid by use
    assert solved.value(solved.model.columns["must_spend_short"])[0, 0] == pytest.approx(0.6)


def test_spending_still_owed_at_the_end_is_compared_with_what_is_still_paid():
    clause = MustSpend(amount_usd=1e6, every_quarters=2, times=3)
    offer = toy.reserved(lead=1, term=4, most=100, last=toy.FIRST)
    lab = dealt(stake(amount=20e6, dilution_cost=-1.0, must_spend=clause), offers=(offer,), quarters=3)
    solved = toy.solved(lab)
    # 0.4 M in quarters 1 to 4: periods are quarters 0-1, 2-3, 4-5; the first is 0.6 M short; of the second and third 0.4
    # in quarter 2 and 0.8 after the horizon are paid
    assert solved.value(solved.model.columns["must_spend_short"])[:, 0] == pytest.approx([0, 0.6, 0, 0.8])


def test_a_part_of_revenue_goes_to_the_investor_while_it_is_due():
    clause = RevenueShare(share=0.1, quarters=6)
    solved = toy.solved(dealt(stake(amount=2e6, dilution_cost=-1.0, revenue_share=clause)))
    paid = solved.value(solved.model.columns["revenue_paid"])[:, 0] * 1e6
    # 0.1 M of each of four quarters, and of two of the four quarters in the tail
    assert paid == near([0.1e6, 0.1e6, 0.1e6, 0.1e6, 0.2e6])
    assert gained(solved) == near(WITHOUT + 2e6 - 0.6e6)
    assert deals_of(solved)[0].revenue_paid_usd == near(0.6e6)


def test_a_revenue_share_that_costs_more_than_the_money_is_not_signed_and_not_paid():
    solved = toy.solved(
        dealt(stake(amount=0.5e6, dilution_cost=-1.0, revenue_share=RevenueShare(share=0.1, quarters=6)))
    )
    assert started(solved).sum() == 0
    assert solved.value(solved.model.columns["revenue_paid"]).sum() == pytest.approx(0)
    assert gained(solved) == near(WITHOUT)
    assert largest_revenue(solved.program.inputs)[:4] == pytest.approx(2 * 10 * np.ones(4))


def test_shares_of_revenue_and_shortfalls_are_deducted_from_tax():
    clause = RevenueShare(share=0.1, quarters=4)
    money = toy.finance(cash_usd=CASH, tax_rate=0.25)
    solved = toy.solved(dealt(stake(amount=2e6, dilution_cost=-1.0, revenue_share=clause), finance=money))
    assert gained(solved) == near(0.75 * (WITHOUT - 0.4e6) + 2e6)


def test_a_partners_customers_come_and_go_with_the_deal():
    channel = Channel(
        workload="chat", tokens_per_month=50 * 1e9 / 3, share=0.25, after_quarters=1, quarters=2
    )
    lab = dealt(stake(amount=1.0, channels=(channel,)), workloads=(toy.serve(demand_chips=40),))
    solved = toy.solved(lab)
    served = to_plan(solved).output[:4, 0, 0] / toy.TOKENS_PER_CHIP_QUARTER
    # 40 of one's own; 50 and a quarter of the 40 more in quarters 1 and 2: all 100 chips are busy
    assert served == pytest.approx([40, 100, 100, 40])


def test_a_partners_customers_count_among_those_who_asked():
    channel = Channel(workload="chat", share=1.0, after_quarters=1)
    lab = dealt(stake(amount=1.0, channels=(channel,)), workloads=(toy.serve(demand_chips=70),))
    solved = toy.solved(lab)
    rows = service_of(solved.program.inputs, to_plan(solved))
    asked = np.array([row.demand_tokens for row in rows]) / toy.TOKENS_PER_CHIP_QUARTER
    assert asked == pytest.approx([70, 140, 140, 140])
    outcome = replay(solved, own_futures(solved.program.inputs.tree), seed=1)
    assert outcome.demand_tokens[0, :, 0] / toy.TOKENS_PER_CHIP_QUARTER == pytest.approx([70, 140, 140, 140])
    assert outcome.served_tokens[0, :, 0] / toy.TOKENS_PER_CHIP_QUARTER == pytest.approx([70, 100, 100, 100])


def test_a_partners_customers_stay_in_the_tail_as_long_as_agreed_and_can_be_turned_away():
    def value(quarters, chips=100):
        channel = Channel(workload="chat", share=1.0, quarters=quarters)
        lab = dealt(stake(amount=1.0, channels=(channel,)), workloads=(toy.serve(demand_chips=40),), contracts=(toy.owned(chips=chips, term=8),))  # fmt: skip
        return gained(toy.solved(lab))

    alone = 8 * 0.4e6
    assert value(6) == near(alone + 6 * 0.4e6)
    assert value(None) == near(alone + 8 * 0.4e6)
    assert value(None, chips=50) == near(8 * 0.5e6)


def test_an_exclusive_deal_shuts_the_others_out_for_its_term_and_opens_a_cheaper_offer():
    # 100 chips for a quarter: the rival's at 6000, the partner's at 5000, under the deal at 3000 but no rival's
    offers = (
        toy.reserved("rival", usd_per_quarter=6000, lead=0, term=1, most=100, supplier="rival"),
        toy.reserved("theirs", usd_per_quarter=5000, lead=0, term=1, most=20),
        toy.reserved("cheap", usd_per_quarter=3000, lead=0, term=1, most=60, unlocked_by="only"),
    )
    deal = Exclusive(id="only", supplier="cloud", excludes=("rival",), term_quarters=2, last=toy.FIRST)
    lab = dealt(deal, offers=offers, contracts=(), quarters=4, ends=Ends(fade=0.0, quarters=1))
    solved = toy.solved(lab)
    alone = 4 * (100 * 4000 + 20 * 5000)
    # two quarters without the rival's 0.4 M but four with 60 cheap chips at 7000 of margin
    assert started(solved)[0, 0] == 1
    assert to_plan(solved).ordered == pytest.approx(
        np.array([[0, 20, 60], [0, 20, 60], [100, 20, 60], [100, 20, 60]])
    )
    assert gained(solved) == near(alone - 2 * 0.4e6 + 4 * 60 * 7000)
    refused = toy.solved(lab.model_copy(update={"deals": (deal.model_copy(update={"fee_usd": 1e6}),)}))
    assert started(refused).sum() == 0
    assert to_plan(refused).ordered[:, 2].sum() == pytest.approx(0)
    assert gained(refused) == near(alone)


def test_priority_makes_good_its_share_of_a_shortfall():
    offer = toy.reserved(lead=0, term=1, most=100)
    deal = Exclusive(id="first", supplier="cloud", priority=0.75, last=toy.FIRST, fee_usd=0.1e6)
    lab = dealt(deal, offers=(offer,), contracts=(), quarters=3, ends=Ends(fade=0.0, quarters=1))
    supply = {"cloud": [1.0, 0.6, 1.3]}
    solved = shocks.solved(lab, supply=supply)
    # 40 chips are missing in quarter 1; 30 of them come with the deal, worth 6000 each; more than was offered comes to all
    assert to_plan(solved).ordered[:, 0] == pytest.approx([100, 90, 130])
    assert gained(solved) == near(320 * 6000 - 0.1e6)
    assert priority_of(solved)[:, 0] == pytest.approx([1, 1, 1])
    dear = lab.model_copy(update={"deals": (deal.model_copy(update={"fee_usd": 0.2e6}),)})
    alone = shocks.solved(dear, supply=supply)
    assert to_plan(alone).ordered[:, 0] == pytest.approx([100, 60, 130])
    assert replayed(alone) == near(to_plan(alone).value_usd)


def replayed(solved):
    tree = solved.program.inputs.tree
    outcome = replay(solved, own_futures(tree), seed=1, absorbing=False)
    return tree.probability[tree.leaves] @ outcome.value_usd


def test_on_the_trees_own_futures_a_plan_with_deals_is_worth_what_it_said():
    solved = solve_plan(collect(*dealing_lab()))
    plan = to_plan(solved)
    assert started(solved).sum() >= 2
    assert [row.probability for row in deals_of(solved)] == pytest.approx([1, 1])
    assert replayed(solved) == pytest.approx(plan.value_usd, rel=1e-6)


def test_a_path_without_the_deal_gets_no_priority():
    offer = toy.reserved(lead=0, term=1, most=100)
    deal = Exclusive(id="first", supplier="cloud", priority=1.0, last=toy.FIRST, fee_usd=9e6)
    lab = dealt(deal, offers=(offer,), contracts=(), quarters=2)
    solved = shocks.solved(lab, supply={"cloud": [1.0, 0.9]})
    world = own_futures(solved.program.inputs.tree)
    world.supply[0, 1] = 0.5
    assert replay(solved, world, seed=1).ordered[0, :, 0] == pytest.approx([100, 50])


def test_a_path_shares_its_own_revenue():
    clause = RevenueShare(share=0.1, quarters=6)
    solved = toy.solved(dealt(stake(amount=2e6, dilution_cost=-1.0, revenue_share=clause)))
    world = own_futures(solved.program.inputs.tree)
    world.price_usd_per_token[:, 1:] *= 0.5
    # half of the revenue from quarter 1 on: 1 M, then 0.5 M a quarter, of which a tenth is shared as long as agreed
    cash = replay(solved, world, seed=1).cash_usd[0] - CASH
    assert cash == near(2e6 + 0.9e6 + 0.45e6 * np.arange(4))
    assert replay(solved, world, seed=1).value_usd[0] == near(
        CASH + 2e6 + 1e6 + 3 * 0.5e6 + 4 * 0.5e6 - 0.1e6 - 0.15e6 - 0.1e6
    )


def test_deals_do_not_know_what_is_to_come():
    solved = solve_plan(collect(*dealing_lab()))
    world = other_futures(solved.program.inputs.tree)
    later = type(world)(**{n: np.where((np.arange(4) > 1).reshape(1, 4, *[1] * (v.ndim - 2)), v * 2, v) for n, v in vars(world).items()})  # fmt: skip
    first, second = (replay(solved, w, seed=1) for w in (world, later))
    for name in ("ordered", "cash_usd", "served_tokens"):
        assert np.allclose(getattr(first, name)[:, :2], getattr(second, name)[:, :2], rtol=1e-9, atol=1e-3), (
            name
        )


def test_deals_are_told_in_words():
    signed = SignedDeal("stake", 1.0, (("2027-Q1", 0.25), ("2027-Q2", 0.75)), 2e6, 0.0)
    assert deal_in_words("maker", signed) == "with maker; $2.0 M paid for spending that was not reached"
    assert deal_in_words("maker", SignedDeal("only", 0.0, (), 0.0, 0.0)) == "with maker"
