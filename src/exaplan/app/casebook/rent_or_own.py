"""When renting at scale is a mistake: how long the need lasts and which hours it fills."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from exaplan.app.casebook.asking import spoken
from exaplan.app.casebook.estimate import Estimate, Rule
from exaplan.app.casebook.inquiry import Detail, Input, Inputs, Inquiry
from exaplan.app.casebook.planned import Setting, lab_of, outcome_of
from exaplan.domain.casebook import Asked, Plot, Table, Value, Word
from exaplan.domain.quarter import HOURS_PER_QUARTER
from exaplan.domain.supply import Purchase

_LEAD_QUARTERS = 2
_YEAR_QUARTERS = 4
_YEARS = (1.5, 2.0, 3.0, 4.0, 5.0)


@dataclass(frozen=True)
class Question(Inputs):
    """How long the need lasts, which hours it fills, and what either way costs."""

    years: float = 3.0
    busy: float = 0.7
    hourly: float = 2.95
    year_price: float = 2.65
    price_kusd: float = 34.0
    loss_per_year: float = 0.3
    drift: float = -0.13
    cost_of_capital: float = 0.12
    owned: str = "allowed"


def _setting(question: Question) -> Setting:
    first = lab_of(Setting("rent-or-own")).horizon.first
    quarters = round(4 * question.years)
    owned = quarters - _LEAD_QUARTERS
    kept = (1 - question.loss_per_year) ** (owned / 4)
    changes = {
        "horizon": f"{first} .. {first + (quarters - 1)}",
        "load.parts": f"[{{id: busy, hours: {question.busy * 100:.6g} %, demand: 100 %}}, "
        f"{{id: idle, hours: {(1 - question.busy) * 100:.6g} %, demand: 0 %}}]",
        "offers.hourly.price": f"{question.hourly:.6g} USD/chip/h",
        "offers.year.price": f"{question.year_price:.6g} USD/chip/h",
        "offers.year.last": str(first + max(quarters - 1 - _YEAR_QUARTERS, 0)),
        "offers.own.price": f"{question.price_kusd:.6g} kUSD/chip",
        "offers.own.life": f"{owned} quarters",
        "offers.own.residual": f"{kept * 100:.6g} %",
        "futures.rental.drift": f"{question.drift * 100:.6g} %/year",
        "finance.cost_of_equity": f"{question.cost_of_capital * 100:.6g} %/year",
    }
    if question.owned == "never":
        changes["offers.own.max_order"] = "0 chips/quarter"
    return Setting("rent-or-own").but(changes)


def saved(question: Question, batch: int) -> np.ndarray:
    """Present value gained by owning what pays, and the rent bill without it [2, path], on the same futures."""
    seed = question.seed + batch
    owning = outcome_of(_setting(question), seed)
    renting = outcome_of(_setting(replace(question, owned="never")), seed)
    quarters = renting.compute_cost_usd.shape[1]
    factor = (1 + question.cost_of_capital) ** (-np.arange(quarters) / 4)
    return np.stack([owning.value_usd - renting.value_usd, renting.compute_cost_usd @ factor])


def owning_usd_per_h(question: Question, years: float) -> tuple[float, float]:
    """Cost per hour of a chip owned that long, by hand: standing whether busy or not, and energy when busy.

    Standing is the annuity of what it loses in worth, with the hall, per hour that it is up.
    """
    lab = lab_of(_setting(question))
    own = next(one for one in lab.offers if isinstance(one, Purchase))
    site, power = lab.sites[0], lab.chips[own.chip].it_power_w or 0.0
    rate = (1 + question.cost_of_capital) ** 0.25 - 1
    quarters = 4 * years
    left = (1 - question.loss_per_year) ** years / (1 + rate) ** quarters
    capital = question.price_kusd * 1e3 * (1 - left) * rate / (1 - (1 + rate) ** -quarters)
    standing = (capital + power * site.upkeep_usd_per_w_quarter) / (HOURS_PER_QUARTER * own.availability)
    return standing, power * site.pue * site.electricity_usd_per_j * 3600


def even_share(question: Question, years: float) -> float | None:
    """Share of hours at which owning that long costs what the hour costs on demand; None above all hours."""
    standing, energy = owning_usd_per_h(question, years)
    share = standing / (question.hourly - energy)
    return share if 0 <= share <= 1 else None


def _detail(question: Question, found: Estimate, word: Word) -> Detail:
    even = even_share(question, question.years - _LEAD_QUARTERS / 4)
    sentence = (
        f"The claim {spoken(word)}. For a need of {question.years:g} years that fills {question.busy:.0%} of the hours, owning "
        f"what pays saves {found.value:.0%} of the rent bill; by hand, at today's rents, owning is even with the hour at "
        f"{'no share' if even is None else format(even, '.0%')} of the hours."
    )
    return Detail(sentence, (_table(question),), (_plot(question),))


def _table(question: Question) -> Table:
    rows: list[tuple[Value, ...]] = []
    for years in _YEARS:
        asked = replace(question, years=years)
        shares = [CASE.point(replace(asked, busy=busy))[0] for busy in (0.3, 0.5, 0.7, 0.95)]
        owned = years - _LEAD_QUARTERS / 4
        rows.append(
            (
                f"{years:g}",
                *[f"{share:.1%}" for share in shares],
                sum(owning_usd_per_h(asked, owned)),
                even_share(asked, owned),
            )
        )
    return Table(
        "Part of the rent bill that owning saves",
        ("need lasts, years", "30 % of hours", "50 %", "70 %", "95 %", "owning, USD/chip/h by hand", "even with the hour from, share of hours"),
        tuple(rows),
        "By hand: annuity of what the chip loses in worth, hall and power per hour that the chip is up, against the hourly price "
        "of today. Published owning costs give 44 % (hyperscaler, 1.30 USD) to 57 % (neocloud, 1.69 USD) of 2.95 USD on demand.",
    )  # fmt: skip


def _plot(question: Question) -> Plot:
    points = [
        (f"need of {years:g} years", busy, CASE.point(replace(question, years=years, busy=busy))[0])
        for years in (2.0, 3.0, 5.0)
        for busy in (0.2, 0.35, 0.5, 0.65, 0.8, 0.95)
    ]
    return Plot(
        "What owning saves of the rent bill", "share of hours that the need fills", "saved", tuple(points),
        level=CASE.rule.holds, level_name="the claim",
    )  # fmt: skip


CASE = Inquiry(
    name="rent-or-own",
    title="Is renting at scale a mistake?",
    systems=(4,),
    asked=Asked(
        question="Rent, reserve or own: at what utilization and for how long a need does renting compute at scale become a mistake?",
        claim="Who rents ten thousand chips for years pays at least a tenth more than who owns them.",
        date="2026",
        where="questions of chief financial officers as advisers and calculators of the cost of GPUs list them (ridgewayfs.com, gpu-tco)",
    ),
    question=Question(),
    metric=("part of the rent bill that owning saves", "share"),
    rule=Rule(0.1, 0.01, "holds: owning what pays saves 10 % of the rent bill or more; fails: less than 1 %; depends: between"),
    sample=saved,
    inputs=(
        Input("busy", "share of hours that the need fills", "share", "assumed: day and night, some of it moved", between=(0.4, 0.95), searched=(0.1, 0.99), below="owned chips idle too much"),
        Input("years", "years that the need lasts", "years", "assumed", tried=(2.0, 5.0), searched=(1.0, 5.0), below="too short to own"),
        Input("loss_per_year", "worth that a chip loses in a year", "share", "assumed: 3 to 6 years of life are booked", between=(0.15, 0.5), searched=(0.05, 0.8), below="chips keep their worth"),
        Input("price_kusd", "price of an owned chip", "kUSD", "assumed: gives the owning cost of a neocloud in the catalogue's prices", between=(27.0, 42.0), searched=(15.0, 80.0), below="chips are cheap"),
        Input("hourly", "price on demand", "USD/chip/h", "catalogue prices: H100, median of 37 providers, 2026-05", between=(2.4, 3.6)),
        Input("year_price", "price of a year's contract", "USD/chip/h", "catalogue prices: H100, 2026-06", between=(1.7, 2.9)),
        Input("drift", "yearly change of rents", "share", "assumed: middle of -25 % to 0 %", tried=(-0.3, 0.0, 0.1)),
        Input("cost_of_capital", "cost of capital", "share", "assumed", between=(0.08, 0.18)),
    ),
    detail=_detail,
    assumed=(
        "Owned chips are bought today, come after two quarters, and are sold when the need ends for what is left of their worth",
        "Outside the busy hours nothing is served: hourly rent stops, owned chips and contracts stand",
        "Tax is left out; money is never short, so that only cost decides",
    ),
    flip=({"busy": 0.2}, "fails"),
)  # fmt: skip
