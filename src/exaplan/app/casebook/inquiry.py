"""A case as data: a metric sampled on futures, a rule, and one table of inputs from which all the rest follows.

The table gives what is drawn for P(verdict), what is tried for the sensitivity, and where the verdict flips.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any, Generic, TypeVar

import numpy as np

from exaplan.app.casebook.asking import Change, Measured, judged, percentiles
from exaplan.app.casebook.estimate import Estimate, Rule, Sample, estimated, raised
from exaplan.domain.casebook import Asked, CaseRecord, Metric, Plot, Table, Threshold, Word
from exaplan.domain.uncertain import Uncertain
from exaplan.report.casebook import quantity

MOST_PATHS = 4096
"""Futures at which a verdict within the error of its sampling is left as it is: it depends."""
_POINT_BATCHES = 1
_HALVINGS = 7


@dataclass(frozen=True)
class Inputs:
    """Inputs that every question has; a case adds its own fields."""

    draws: int = 40
    seed: int = 20261122


Question = TypeVar("Question", bound=Inputs)


@dataclass(frozen=True)
class Input:
    """One named number of a question.

    Attributes
    ----------
    field, name, unit : str
        Field of the question; how it reads on the page; ``share`` is printed as a percentage.
    source : str
        Where the value comes from, or the word assumed with a reason.
    between : tuple of float or None
        5th and 95th percentile: drawn, and tried one at a time. None: not drawn. Lognormal where positive; a share below 1
        stays between 0 and 1 (normal in the log odds).
    tried : tuple of float
        Further values tried one at a time.
    searched : tuple of float or None
        Where the value at which the verdict flips is looked for.
    below : str
        What is true on the lower side of that value.
    """

    field: str
    name: str
    unit: str
    source: str
    between: tuple[float, float] | None = None
    tried: tuple[float, ...] = ()
    searched: tuple[float, float] | None = None
    below: str = ""

    def at(self, scores: np.ndarray) -> np.ndarray:
        """Map standard normal draws to values.

        Raises
        ------
        ValueError
            Where the input is not drawn.
        """
        if self.between is None:
            raise ValueError(f"{self.field} is not drawn")
        low, high = self.between
        if self.unit == "share" and 0 < low < high < 1:
            odds = Uncertain(family="lognormal", low=low / (1 - low), high=high / (1 - high)).at(scores)
            return np.asarray(odds / (1 + odds))
        return Uncertain(family="lognormal" if low > 0 else "normal", low=low, high=high).at(scores)

    def change(self, question: Inputs) -> Change:
        """Name what is tried."""
        values = sorted({*(self.between or ()), *self.tried})
        settings = tuple((quantity(value, self.unit), {self.field: value}) for value in values)
        return Change(self.name, quantity(getattr(question, self.field), self.unit), self.source, settings)


@dataclass(frozen=True)
class Detail:
    """What a case says beyond its verdict: one sentence with computed numbers, tables and plots."""

    answer: str
    tables: tuple[Table, ...]
    plots: tuple[Plot, ...]


@dataclass(frozen=True)
class Inquiry(Generic[Question]):
    """A question whose metric is sampled; ``sample`` takes the question and the number of a batch."""

    name: str
    title: str
    systems: tuple[int, ...]
    asked: Asked
    question: Question
    metric: tuple[str, str]
    rule: Rule
    sample: Callable[[Question, int], Sample]
    inputs: tuple[Input, ...]
    detail: Callable[[Question, Estimate, Word], Detail]
    assumed: tuple[str, ...]
    flip: tuple[dict[str, Any], Word]
    changes: tuple[Change, ...] = ()

    def estimate(self, question: Question) -> Estimate:
        """Sample the metric until its error is below the margin of the verdict."""
        return raised(lambda batch: self.sample(question, batch), self.rule, most=MOST_PATHS)

    def measure(self, question: Question) -> tuple[float, Word]:
        """Give the metric and the verdict."""
        found = self.estimate(question)
        return found.value, self.rule.word(found)

    def point(self, question: Question) -> tuple[float, Word]:
        """Give both from few paths, on the same futures for every question, as if they were exact."""
        sampled = [self.sample(question, 0)]
        if not isinstance(sampled[0], float | int):
            sampled += [self.sample(question, batch) for batch in range(1, _POINT_BATCHES)]
        value = estimated(sampled).value
        return value, self.rule.at(value)

    def drawn(self, question: Question) -> Iterator[Question]:
        """Draw the uncertain inputs together, independent of each other, by Latin hypercube."""
        uncertain = [one for one in self.inputs if one.between is not None]
        generator = np.random.default_rng(question.seed)
        strata = np.array([generator.permutation(question.draws) for _ in uncertain])
        shares = (strata + generator.random(strata.shape)) / question.draws
        normal = NormalDist()
        scores = np.vectorize(normal.inv_cdf)(shares) if uncertain else shares
        values = [one.at(row) for one, row in zip(uncertain, scores, strict=True)]
        for place in range(question.draws if uncertain else 0):
            yield _with(
                question, {one.field: float(row[place]) for one, row in zip(uncertain, values, strict=True)}
            )

    def answer(self, question: Question | None = None) -> CaseRecord:
        """Answer the case."""
        question = question or self.question
        found = self.estimate(question)
        word = self.rule.word(found)
        drawn = [self.point(each) for each in self.drawn(question)]
        low, high = percentiles([value for value, _ in drawn])
        detail = self.detail(question, found, word)
        return CaseRecord(
            name=self.name,
            title=self.title,
            asked=self.asked,
            answer=detail.answer,
            metric=Metric(
                *self.metric, found.value, low, high, (found.low, found.high) if found.paths else None, found.paths
            ),
            judgment=judged(word, self.rule.words, [each for _, each in drawn], self._what()),
            thresholds=tuple(self._threshold(one, question, word) for one in self.inputs if one.searched),
            tables=detail.tables,
            plots=detail.plots,
            sways=Measured(self.point).sways(question, self._changes(question)),
            assumed=self.assumed,
            calibration="",
            systems=self.systems,
        )  # fmt: skip

    def _what(self) -> str:
        names = [one.name for one in self.inputs if one.between is not None]
        return f"{', '.join(names)}: each from its 90 % interval, independent of the others" if names else ""

    def _changes(self, question: Question) -> list[Change]:
        return [one.change(question) for one in self.inputs if one.between or one.tried] + list(self.changes)

    def _threshold(self, one: Input, question: Question, word: Word) -> Threshold:
        """Find where the verdict flips, by bisection and a last straight line."""
        assert one.searched is not None  # noqa: S101 - the caller has checked it
        edge = self.rule.fails if word == "fails" else self.rule.holds
        value = crossing(lambda at: self.point(_with(question, {one.field: at}))[0] - edge, *one.searched)
        low, high = (quantity(end, one.unit) for end in one.searched)
        meaning = f"below: {one.below}" if value is not None else f"nothing between {low} and {high} flips it"
        return Threshold(one.name, one.unit, value, meaning)


def _with(question: Question, values: dict[str, Any]) -> Question:
    return replace(question, **values)


def crossing(over: Callable[[float], float], low: float, high: float) -> float | None:
    """Find where a monotone function passes zero; None where it has one sign at both ends.

    Examples
    --------
    >>> round(crossing(lambda x: x * x - 2.0, 0.0, 8.0), 3)
    1.414
    """
    first, last = over(low), over(high)
    if (first < 0) == (last < 0):
        return None
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        value = over(middle)
        if (value < 0) == (first < 0):
            low, first = middle, value
        else:
            high, last = middle, value
    if not (np.isfinite(first) and np.isfinite(last)):
        return (low + high) / 2
    return low + (high - low) * first / (first - last)
