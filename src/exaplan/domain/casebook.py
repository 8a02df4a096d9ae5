"""A case of the casebook: a question that somebody asked, and what the engines answer, with how sure they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Word = Literal["holds", "fails", "depends"]
WORDS: tuple[Word, ...] = ("holds", "fails", "depends")
Value: TypeAlias = float | str | None
SYSTEMS: tuple[str, ...] = (
    "procurement under ruin risk",
    "allocation of one envelope",
    "a floor for development",
    "rent, reserve, buy or build",
    "deals",
    "compute as an investment",
    "compute-constrained revenue",
    "scaling laws",
    "the loop of capability and demand",
    "a mixed fleet",
    "custom silicon as a real option",
    "co-design of model and silicon",
    "sparse against dense",
    "large-scale training",
    "pipelines of reinforcement learning",
    "alignment compute",
    "model family and service levels",
    "power and sites",
    "capital",
    "the race",
    "rules",
    "reality: quotas, bills, actuals",
)
"""What the casebook covers, in order; system 1 stands first."""


@dataclass(frozen=True)
class Asked:
    """Who asked, in our words.

    Attributes
    ----------
    question, claim : str
        The question, and the statement that the verdict is about.
    date : str
        When it was asked, ``YYYY-MM`` or ``YYYY-MM-DD``.
    where : str
        Where it was asked.
    """

    question: str
    claim: str
    date: str
    where: str


@dataclass(frozen=True)
class Metric:
    """The number that the verdict is read from.

    Attributes
    ----------
    name, unit : str
        What is counted; ``share`` is printed as a percentage.
    value : float
        With coefficients as fitted.
    low, high : float or None
        5th and 95th percentile over draws.
    error : tuple of float or None
        95 % Monte-Carlo interval of the value; None where no futures were simulated.
    paths : int
        Simulated futures behind the value.
    """

    name: str
    unit: str
    value: float
    low: float | None = None
    high: float | None = None
    error: tuple[float, float] | None = None
    paths: int = 0


@dataclass(frozen=True)
class Judgment:
    """The verdict and how it fares over parameter uncertainty.

    Attributes
    ----------
    word : str
        ``holds``, ``fails`` or ``depends``, with coefficients as fitted.
    rule : str
        When it holds, fails, depends.
    chances : tuple of (word, share)
        Share of draws with each word; empty where nothing is uncertain.
    draws : int
        How many.
    drawn : str
        What was drawn.
    """

    word: Word
    rule: str
    chances: tuple[tuple[Word, float], ...]
    draws: int
    drawn: str

    def chance(self, word: Word) -> float:
        """Share of draws with a word."""
        return dict(self.chances).get(word, 0.0)


@dataclass(frozen=True)
class Threshold:
    """Where the verdict flips.

    Attributes
    ----------
    input, unit : str
        What is moved.
    value : float or None
        Where it flips; None where nothing searched flips it.
    meaning : str
        What lies on either side.
    low, high : float or None
        5th and 95th percentile over draws.
    """

    input: str
    unit: str
    value: float | None
    meaning: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Sway:
    """How one input moves the metric, the others held.

    Attributes
    ----------
    input, assumed, source : str
        Name of the input, what the case assumes, and on what ground.
    settings : tuple of str
        The other values tried.
    values : tuple of float
        Metric at each; not finite where nothing is feasible.
    words : tuple of str
        Verdict at each.
    """

    input: str
    assumed: str
    source: str
    settings: tuple[str, ...]
    values: tuple[float, ...]
    words: tuple[Word, ...]


@dataclass(frozen=True)
class Table:
    """A table of a case.

    Attributes
    ----------
    title, note : str
        Heading, and what to know when reading.
    columns : tuple of str
        With their units.
    rows : tuple of tuple
        Numbers, words, or None where there is no value.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Plot:
    """A plot of a case.

    Attributes
    ----------
    title : str
        What it shows.
    x, y : str
        Titles of the axes with their units.
    points : tuple of (series, x, y)
        One line or set of bars per series; text on the x axis makes bars.
    log_x, log_y : bool
        Logarithmic axes.
    level : float or None
        A horizontal rule: the limit that the verdict is about.
    level_name : str
        What the rule is.
    marks : tuple of (series, x, y)
        Single points beside the lines: what was measured.
    """

    title: str
    x: str
    y: str
    points: tuple[tuple[str, float | str, float], ...]
    log_x: bool = False
    log_y: bool = False
    level: float | None = None
    level_name: str = ""
    marks: tuple[tuple[str, float | str, float], ...] = ()


@dataclass(frozen=True)
class CaseRecord:
    """A case, answered.

    Attributes
    ----------
    name, title : str
        As the command takes it, and as the page is headed.
    asked : Asked
        The question and its claim.
    answer : str
        One sentence with computed numbers.
    metric : Metric
        What the verdict is read from.
    judgment : Judgment
        The verdict.
    thresholds : tuple of Threshold
        Where it flips.
    tables, plots : tuple
        What the answer rests on.
    sways : tuple of Sway
        Sensitivity, the strongest first.
    assumed : tuple of str
        What holds throughout and no sway moves.
    calibration : str
        Which fit of the coefficients was used.
    systems : tuple of int
        Which of ``SYSTEMS`` it speaks of, counted from 1.
    """

    name: str
    title: str
    asked: Asked
    answer: str
    metric: Metric
    judgment: Judgment
    thresholds: tuple[Threshold, ...]
    tables: tuple[Table, ...]
    plots: tuple[Plot, ...]
    sways: tuple[Sway, ...]
    assumed: tuple[str, ...]
    calibration: str
    systems: tuple[int, ...] = ()
