"""Whether a chip is worth more a year after it was bought: cash, books and economic worth under a rental market that turns."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from exaplan.app.casebook.asking import spoken
from exaplan.app.casebook.estimate import Estimate, Rule, estimated
from exaplan.app.casebook.inquiry import Detail, Input, Inputs, Inquiry
from exaplan.app.casebook.planned import Setting, futures_of, lab_of
from exaplan.domain.casebook import Asked, Plot, Table, Value, Word
from exaplan.domain.quarter import HOURS_PER_QUARTER
from exaplan.io.catalogue import load_rows

_BOOK_LIVES = (3.0, 5.0, 6.0)
_YEAR = 4
_BATCHES = 8


@dataclass(frozen=True)
class Question(Inputs):
    """The rental market as it stands on the day of purchase, and what it costs to keep the chip running."""

    rent: float = 2.65
    mean_rent: float = 2.51
    drift: float = -0.13
    volatility: float = 0.35
    reversion: float = 0.7
    life_years: float = 5.0
    running: float = 0.45
    busy: float = 0.9
    cost_of_capital: float = 0.12
    draws: int = 400


def _setting(question: Question) -> Setting:
    """Take the market of the lab that rents or owns, as long as the chip lives; nothing is planned here."""
    first = lab_of(Setting("rent-or-own")).horizon.first
    quarters = max(round(4 * question.life_years), _YEAR + 1)
    return Setting("rent-or-own").but(
        {
            "horizon": f"{first} .. {first + (quarters - 1)}",
            "futures.rental.start": f"{question.rent / question.mean_rent:.6g}",
            "futures.rental.drift": f"{question.drift * 100:.6g} %/year",
            "futures.rental.volatility": f"{question.volatility * 100:.6g} %",
            "futures.rental.reversion": f"{question.reversion * 100:.6g} %/year",
        }
    )


def earned(question: Question, batch: int) -> np.ndarray:
    """Net rent of a chip, USD [path, quarter]: what the market pays for its busy hours, less running, or nothing."""
    index = futures_of(_setting(question), question.seed + batch).rental_index
    hourly = question.rent * question.busy * index - question.running
    return np.asarray(np.maximum(hourly, 0.0)) * HOURS_PER_QUARTER


def worth(question: Question, batch: int, *, after: int = 0) -> np.ndarray:
    """Discounted net rents from a quarter to the end of the chip's life [path], in dollars of that quarter.

    Each path sees its own rents; the mean over paths is what a buyer who knows the market would pay on average.
    """
    net = earned(question, batch)[:, after:]
    return np.asarray(net @ (1 + question.cost_of_capital) ** (-np.arange(net.shape[1]) / 4))


def kept(question: Question, batch: int) -> np.ndarray:
    """Worth after a year, and at purchase [2, path]."""
    return np.stack([worth(question, batch, after=_YEAR), worth(question, batch)])


def _mean(question: Question, after: int = 0) -> float:
    return estimated([worth(question, batch, after=after) for batch in range(_BATCHES)]).value


def _detail(question: Question, found: Estimate, word: Word) -> Detail:
    first = estimated([earned(question, batch)[:, :_YEAR].sum(axis=1) for batch in range(_BATCHES)]).value
    price = _mean(question)
    sentence = (
        f"The claim {spoken(word)}. An H100 bought in 2026-06 for what its rents are worth, {price:,.0f} USD at "
        f"{question.rent:g} USD an hour, is worth {found.value:.0%} of that a year on; in the year it earns {first / price:.0%} "
        f"of its price, net of running. In the books {1 - 1 / 3:.0%} are left over a life of 3 years and {1 - 1 / 6:.0%} over 6."
    )
    return Detail(sentence, (_past(question), _views(question)), (_plot(question),))


def past_rents() -> list[tuple[str, float]]:
    """Rents of an H100 on one-year contracts of neoclouds by month, oldest first, from the catalogue."""
    rows = [
        (row["date"], float(row["price"]))
        for row in load_rows("prices")
        if row["chip_as_printed"] == "H100"
        and row["term"] == "1-year contract"
        and row["seller"] == "neocloud"
    ]
    return sorted(rows)


def _past(question: Question) -> Table:
    """List what chips bought at past rents are worth at the last one, each life counted from its purchase."""
    known = past_rents()
    last, rent = known[-1]
    rows: list[tuple[Value, ...]] = []
    for month, price in known[:-1]:
        years = (int(last[:4]) - int(month[:4])) + (int(last[5:7]) - int(month[5:7])) / 12
        then = _mean(replace(question, rent=price))
        aged = replace(question, rent=rent, life_years=question.life_years - years)
        rows.append((month, price, years, then, _mean(aged), f"{_mean(aged) / then:.0%}"))
    return Table(
        f"Bought earlier: what the same chip is worth in {last}",
        ("bought", "rent then, USD/h", "years held", "worth then, USD", f"worth in {last}, USD", "of its worth then"),
        tuple(rows),
        f"Rents are the catalogue's one-year contracts; in {last} they stand at {rent:g} USD. Worth is rents to the end of life.",
    )  # fmt: skip


def _views(question: Question) -> Table:
    price = _mean(question)
    rows: list[tuple[Value, ...]] = []
    for year in range(round(question.life_years)):
        paths = np.concatenate([worth(question, batch, after=4 * year) for batch in range(_BATCHES)])
        ends = np.percentile(paths, [5.0, 95.0]) / price
        books = [f"{max(1 - year / life, 0.0):.0%}" for life in _BOOK_LIVES]
        cash = (
            sum(earned(question, batch)[:, : 4 * year].sum(axis=1).mean() for batch in range(_BATCHES))
            / _BATCHES
        )
        rows.append(
            (
                str(year),
                f"{cash / price:.0%}",
                f"{paths.mean() / price:.0%}",
                f"{ends[0]:.0%} to {ends[1]:.0%}",
                *books,
            )
        )
    return Table(
        "Cash, economic worth and books, in parts of the price",
        ("years held", "net rent so far", "worth", "90 % of futures", *[f"book, life of {life:g} years" for life in _BOOK_LIVES]),
        tuple(rows),
        "Cash is not discounted. Books are straight lines.",
    )  # fmt: skip


def _plot(question: Question) -> Plot:
    points = [
        (f"rents change {drift:+.0%} a year", rent, CASE.point(replace(question, rent=rent, drift=drift))[0])
        for drift in (-0.25, question.drift, 0.0, 0.1)
        for rent in (1.25, 1.5, 1.7, 2.0, 2.35, 2.65, 3.0, 3.5)
    ]
    return Plot(
        "Worth of a chip a year after purchase over its price",
        "rent on the day of purchase, USD/chip/h",
        "worth after a year over worth at purchase",
        tuple(points),
        level=1.0,
        level_name="equal cost",
    )


CASE = Inquiry(
    name="compute-appreciates",
    title="Is compute an appreciating asset?",
    systems=(6,),
    asked=Asked(
        question="With rents of used chips up by half within a year, is compute an asset that appreciates rather than one that wears out?",
        claim="A chip bought at today's rents is worth more in a year than it is today.",
        date="2026-06",
        where="press on the rise of H100 rents (one-year contracts 1.70 USD in 2025-10, 2.65 USD in 2026-06) and the debate on "
        "depreciation: lives of 5 to 6 years in the books of clouds, 2 to 3 by a short seller",
    ),
    question=Question(),
    metric=("worth of a chip after a year over its worth at purchase", "share"),
    rule=Rule(1.0, 0.9, "holds: worth as much as at purchase, or more; fails: it loses more than a tenth; depends: between"),
    sample=kept,
    inputs=(
        Input("rent", "rent on the day of purchase", "USD/chip/h", "catalogue prices: H100, one-year contract, 2026-06", tried=(1.7, 2.35, 2.99), searched=(0.8, 4.0), below="rents have room to rise"),
        Input("drift", "yearly change of the mean rent", "share", "assumed: price-performance gains 30 to 37 % a year, scarcity eats part of it", between=(-0.25, 0.05), searched=(-0.3, 0.6), below="new chips press rents faster than scarcity lifts them"),
        Input("life_years", "years that the chip earns", "years", "clouds book 5 to 6, a short seller 2 to 3", between=(3.0, 7.0), searched=(2.0, 12.0), below="too much of the life is gone in a year"),
        Input("reversion", "pull of rents to their mean, per year", "share", "assumed: a shortage lasts about a year", between=(0.3, 1.5)),
        Input("volatility", "volatility of rents", "share", "catalogue prices: 2.99, 1.70, 2.35, 2.65 within 20 months", between=(0.2, 0.5)),
        Input("running", "running cost", "USD/chip/h", "assumed: hall, power and staff", between=(0.3, 0.7)),
        Input("cost_of_capital", "cost of capital", "share", "assumed", between=(0.08, 0.18)),
    ),
    detail=_detail,
    assumed=(
        "The price of a chip is what its rents are worth: a list price below that is a gain on the day of purchase, not appreciation",
        "Rents revert to a mean of 2.51 USD, that of the five known one-year rents since 2024, which itself drifts",
        "A chip that does not earn its running cost is switched off, and has no other worth",
    ),
    flip=({"rent": 1.0, "drift": 0.1}, "holds"),
)  # fmt: skip
