"""What a floor under development costs in revenue and in months while compute is short, and what it buys."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from exaplan.app.casebook.asking import spoken
from exaplan.app.casebook.estimate import Estimate, Rule
from exaplan.app.casebook.inquiry import Detail, Input, Inputs, Inquiry
from exaplan.app.casebook.planned import Setting, lab_of, outcome_of
from exaplan.domain.capability import Capability
from exaplan.domain.casebook import Asked, Plot, Table, Value, Word

_GROWTH_SPREAD = 1.41  # half the width of 100 % to 300 % a year, as a factor: median 183 %
_FLOORS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)


@dataclass(frozen=True)
class Question(Inputs):
    """The floor, and how short compute is."""

    floor: float = 0.4
    growth: float = 1.83
    order_kchips: float = 60.0
    price: float = 1.0


def _setting(question: Question) -> Setting:
    low, high = (1 + question.growth) / _GROWTH_SPREAD - 1, (1 + question.growth) * _GROWTH_SPREAD - 1
    return Setting("floor-cost").but(
        {
            "policy.floor.share": f"{question.floor * 100:.6g} %",
            "workloads.api.growth": f"{low * 100:.6g} % to {high * 100:.6g} %/year",
            "offers.committed.max_order": f"{question.order_kchips * 1000:.0f} chips/quarter",
            "workloads.api.price": f"{{input: {0.42 * question.price:.6g} USD/Mtok, output: {1.06 * question.price:.6g} USD/Mtok}}",
        }
    )


def _revenue(question: Question, batch: int) -> np.ndarray:
    return np.asarray(outcome_of(_setting(question), question.seed + batch).revenue_usd.sum(axis=1))


def lost(question: Question, batch: int) -> np.ndarray:
    """Revenue lost to the floor, over revenue without it [2, path]: both plans on the same futures."""
    without = _revenue(replace(question, floor=0.0), batch)
    return np.stack([without - _revenue(question, batch), without])


def ratio_kept(flop: np.ndarray, law: Capability) -> np.ndarray:
    """Capability against a frontier of median growth after the last quarter [path]; ``flop`` [path, quarter].

    Row 9 of the plan with equality: what is developed is shown, whether or not demand could be served.
    """
    pace = (1 + law.frontier_growth.median) ** 0.25
    keep = (1 - law.decay) / pace
    ratio = np.full(len(flop), law.start)
    for quarter in range(flop.shape[1]):
        progress = (1 + law.algorithmic_progress.median) ** (quarter / 4) * (
            flop[:, quarter] / law.parity_flop_per_quarter
        ) ** law.returns
        ratio = keep * ratio + (1 - keep) * progress / pace**quarter
    return ratio


def _months_kept(question: Question) -> float:
    """Months of the frontier's pace between developing under the floor and not at all."""
    law = lab_of(_setting(question)).capability
    assert law is not None  # noqa: S101 - the lab of the case states one
    held, none = (
        ratio_kept(outcome_of(_setting(each), question.seed).flop, law)
        for each in (question, replace(question, floor=0.0))
    )
    return 12 * float(np.log(held / none).mean()) / float(np.log1p(law.frontier_growth.median))


def _months_lost(question: Question, share: float) -> float:
    """Months of growth of demand that a lost share of revenue stands for."""
    return -12 * float(np.log1p(-share)) / float(np.log1p(question.growth))


def _detail(question: Question, found: Estimate, word: Word) -> Detail:
    sentence = (
        f"The claim {spoken(word)}. A floor of {question.floor:.0%} costs {found.value:.1%} of two years' revenue, as much "
        f"as {_months_lost(question, found.value):.1f} months of growth; it keeps the lab {_months_kept(question):.0f} months "
        f"of the frontier's pace ahead of one that serves customers with everything."
    )
    return Detail(sentence, (_table(question),), (_plot(question),))


def _table(question: Question) -> Table:
    rows: list[tuple[Value, ...]] = []
    before = 0.0
    for floor in _FLOORS[1:]:
        asked = replace(question, floor=floor)
        share = CASE.point(asked)[0]
        rows.append(
            (
                f"{floor:.0%}",
                f"{share:.1%}",
                f"{(share - before) * 10:.2f}",
                _months_lost(asked, share),
                _months_kept(asked),
            )
        )
        before = share
    return Table(
        "The floor, from none to most of the fleet",
        ("floor", "revenue lost", "points of revenue per point of floor", "months of growth lost", "months of frontier kept"),
        tuple(rows),
        "Months kept: development of the plan under the floor against none, at the median pace of the frontier.",
    )  # fmt: skip


def _plot(question: Question) -> Plot:
    points = [
        (f"demand grows {growth:.0%} a year", floor, CASE.point(replace(question, floor=floor, growth=growth))[0])
        for growth in (0.5, 1.0, question.growth)
        for floor in _FLOORS
    ]  # fmt: skip
    return Plot(
        "Revenue lost to a floor under development",
        "floor, share of energized compute",
        "revenue lost over two years",
        tuple(points),
        level=CASE.rule.holds,
        level_name="the claim",
    )


CASE = Inquiry(
    name="floor-cost",
    title="What does a floor under development cost in revenue and months?",
    systems=(2, 3, 7),
    asked=Asked(
        question="How much revenue is given up by keeping compute for research and own products that customers would have paid for?",
        claim="While compute is short, a floor of 40 % under development costs at least a tenth of revenue.",
        date="2026-01",
        where="a cloud's chief financial officer: had all new GPUs of two quarters gone to customers, growth would have been over "
        "40 %; a lab's chief financial officer: a floor for development is kept",
    ),
    question=Question(),
    metric=("revenue lost to the floor", "share"),
    rule=Rule(0.1, 0.02, "holds: 10 % of two years' revenue or more; fails: less than 2 %; depends: between"),
    sample=lost,
    inputs=(
        Input("floor", "floor under development", "share", "assumed: near what the labs are said to spend, 50 to 70 % with all research", tried=(0.2, 0.5), searched=(0.0, 0.6), below="the floor is cheap"),
        Input("growth", "growth of demand", "share", "assumed: median of 100 % to 300 % a year", between=(0.4, 3.0), searched=(0.0, 3.0), below="compute is not short enough"),
        Input("order_kchips", "chips that can be signed in a quarter", "thousand chips", "assumed: what a supplier lets one customer have", between=(40.0, 160.0), searched=(20.0, 600.0), below="compute is short"),
        Input("price", "price of tokens over that of the case", "ratio", "assumed: half of revenue is left after serving", between=(0.8, 1.3)),
    ),
    detail=_detail,
    assumed=(
        "Without the floor no compute goes to development: the model stays what it is and demand does not feel it within two years",
        "Compute serves either use at the catalogue's rate of one chip",
        "What development earns after two years is not counted: the cost is a price, not a verdict on the floor",
    ),
    flip=({"floor": 0.02}, "fails"),
)  # fmt: skip
