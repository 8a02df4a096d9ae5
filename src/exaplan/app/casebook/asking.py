"""What every case does with its question: change one input, count words over draws, rank what matters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import numpy as np

from exaplan.domain.calibration import Calibration
from exaplan.domain.casebook import WORDS, Judgment, Sway, Word

Question = TypeVar("Question")


@dataclass(frozen=True)
class Change:
    """One input of a question moved to other values, each with its name on the page."""

    input: str
    assumed: str
    source: str
    settings: tuple[tuple[str, dict[str, Any]], ...]


@dataclass(frozen=True)
class Measured(Generic[Question]):
    """The cheap half of a case: the metric and the word, without tables or draws."""

    ask: Callable[[Question], tuple[float, Word]]

    def sways(self, question: Question, changes: Sequence[Change]) -> tuple[Sway, ...]:
        """Ask again with each change, strongest first.

        A change is the stronger, the more of its settings alter the verdict, then the farther it moves the metric.
        """
        base, word = self.ask(question)
        found = []
        for change in changes:
            asked = [self.ask(replace(question, **values)) for _, values in change.settings]  # type: ignore[type-var]
            found.append(
                Sway(
                    input=change.input,
                    assumed=change.assumed,
                    source=change.source,
                    settings=tuple(name for name, _ in change.settings),
                    values=tuple(value for value, _ in asked),
                    words=tuple(each for _, each in asked),
                )
            )
        return tuple(sorted(found, key=lambda sway: _strength(sway, base, word), reverse=True))


def _strength(sway: Sway, base: float, word: Word) -> tuple[int, float]:
    moved = [abs(value - base) if np.isfinite(value) else np.inf for value in sway.values]
    return sum(each != word for each in sway.words), max(moved, default=0.0)


def judged(word: Word, rule: str, drawn: Sequence[Word], what: str) -> Judgment:
    """Lay a verdict beside the words of its draws."""
    total = len(drawn)
    chances = tuple((each, sum(other == each for other in drawn) / total) for each in WORDS) if total else ()
    return Judgment(word, rule, chances, total, what)


def by_share(share: float, *, all_of: float = 1.0, none_of: float = 0.0) -> Word:
    """Word for a claim about many points: holds at all of them, fails at none, depends between."""
    if share >= all_of:
        return "holds"
    return "fails" if share <= none_of else "depends"


def percentiles(values: Sequence[float]) -> tuple[float | None, float | None]:
    """5th and 95th percentile; None where there is no draw, or infinite values reach them."""
    if not values:
        return None, None
    low, high = np.percentile(np.asarray(values, dtype=float), [5.0, 95.0], method="nearest")
    return (float(low) if np.isfinite(low) else None), (float(high) if np.isfinite(high) else None)


def fit_of(calibration: Calibration) -> str:
    """Name the fit of the coefficients."""
    return f"fit of {calibration.date}: {calibration.data}"


def spoken(word: Word) -> str:
    """Put a verdict into a sentence.

    Examples
    --------
    >>> spoken("depends"), spoken("holds")
    ('depends on its inputs', 'holds')
    """
    return "depends on its inputs" if word == "depends" else word
