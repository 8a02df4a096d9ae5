"""What is said about blocks and halls."""

from __future__ import annotations

from tests.plan import toy
from tests.plan.test_load_blocks import PEAKY

from exaplan.app.site_remarks import site_remarks
from exaplan.domain.sitestep import SiteStep


def test_nothing_is_said_where_there_is_nothing_to_say():
    assert site_remarks(toy.solved(toy.lab(quarters=1, sites=(toy.site(),)))) == []


def test_blocks_and_halls_are_told():
    hall = SiteStep(id="hall", power_w=5e5, lead_quarters=1, life_quarters=40, cost_usd=1e6)
    lab = toy.lab(
        quarters=3, load=PEAKY, workloads=(toy.serve(), toy.train()),
        sites=(toy.site(power_w=0.0, liquid=False, steps=(hall,)),),
        contracts=(toy.owned(chips=1000, term=3, pool="here", site="here"),),
    )  # fmt: skip
    assert site_remarks(toy.solved(lab)) == [
        "Load blocks by share of hours: peak 20%, shoulder 30%, trough 50%.",
        "Not stated whether it can be stopped, so it comes and goes with the load: pretrain.",
        "Nobody published whether 'a' needs liquid cooling, which the hall of 'here' lacks: taken to fit.",
    ]
