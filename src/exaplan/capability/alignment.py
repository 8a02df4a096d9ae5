"""Alignment pipelines as compute: tokens and FLOP of each phase, and what is asked of people; arrays over draws.

A token read or written by a model of N active parameters costs 2 N FLOP, a token trained on 6 N, plus attention over the
context where the model is known exactly: a n^2 / 2 forward for a sequence of n tokens, three times that in training. Each
phase is stated as sequences of context (read) and text (written or trained on).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from exaplan.capability.forms import Array, Number
from exaplan.domain.alignment import Constitutional, HumanFeedback, Preferring, Tuned, Verifiable
from exaplan.domain.uncertain import Uncertain

Work = Literal["generate", "read", "train", "people", "check"]
Sampled = Callable[[str, Uncertain], Array]
"""Draws of a field by its name, so that pipelines share them."""
PF_DAY = 1e15 * 86400.0
DEMONSTRATIONS, COMPARISONS, PROBLEMS, CHECKERS = (
    "demonstrations",
    "comparisons by people",
    "problems",
    "checkers",
)
"""Phases in which nothing is computed on chips."""


@dataclass(frozen=True)
class Policy:
    """The model that is aligned: active parameters, and FLOP of attention for one token and one context token."""

    parameters: float
    attention: float = 0.0

    def forward(self, sequences: Number, length: Number, *, size: float = 1.0) -> Array:
        """FLOP to read or write sequences, by a model of ``size`` times the policy's parameters.

        Examples
        --------
        >>> float(Policy(1e9).forward(10, 100)) == 2e9 * 1000
        True
        """
        length = np.asarray(length, dtype=float)
        each = 2 * self.parameters * length + self.attention * length**2 / 2
        return np.asarray(size * np.asarray(sequences) * each)

    def training(self, sequences: Number, length: Number, *, size: float = 1.0) -> Array:
        """FLOP to train on sequences: three forward passes, 6 N per token."""
        return 3 * self.forward(sequences, length, size=size)


@dataclass(frozen=True)
class Phase:
    """One phase of a pipeline; arrays over draws."""

    name: str
    work: Work
    tokens: Array
    flop: Array
    units: Array  # answers, comparisons or problems by people, processor-hours of checkers; priced elsewhere


def phases_of(pipeline: Tuned, policy: Policy, sample: Sampled, overhead: Number = 1.0) -> tuple[Phase, ...]:
    """Phases of a pipeline in order; ``overhead`` multiplies every FLOP.

    Raises
    ------
    TypeError
        For a pipeline of no known kind.
    """
    ledger = _Ledger(policy, np.asarray(overhead, dtype=float))
    lengths = (
        sample("prompt_tokens", pipeline.prompt_tokens),
        sample("response_tokens", pipeline.response_tokens),
    )
    if pipeline.demonstrations:
        ledger.people(DEMONSTRATIONS, pipeline.demonstrations)
        times = pipeline.demonstrations * pipeline.demonstration_epochs
        ledger.train("supervised stage", times, lengths[0] + lengths[1])
    if isinstance(pipeline, Constitutional):
        if pipeline.helper_prompts:
            _helper(ledger, pipeline, lengths)
        _revisions(ledger, pipeline, lengths, sample)
    if isinstance(pipeline, Preferring):
        _preferences(ledger, pipeline, lengths, sample)
    elif not isinstance(pipeline, Verifiable):
        raise TypeError(f"{pipeline.id} is of no known kind")
    _learning(ledger, pipeline, lengths, sample("rl_prompts", pipeline.rl_prompts) * pipeline.group)
    return tuple(ledger.phases)


class _Ledger:
    """Phases so far."""

    def __init__(self, policy: Policy, overhead: Array) -> None:
        self.policy, self.overhead = policy, overhead
        self.phases: list[Phase] = []

    def add(
        self, name: str, work: Work, *, tokens: Number = 0.0, flop: Number = 0.0, units: Number = 0.0
    ) -> None:
        values = (
            np.atleast_1d(np.asarray(value, dtype=float)) for value in (tokens, self.overhead * flop, units)
        )
        self.phases.append(Phase(name, work, *values))

    def people(self, name: str, units: Number) -> None:
        self.add(name, "people", units=units)

    def generate(self, name: str, sequences: Number, length: Number, *, size: float = 1.0) -> None:
        self._model(name, "generate", sequences, length, size=size)

    def read(self, name: str, sequences: Number, length: Number, *, size: float = 1.0) -> None:
        self._model(name, "read", sequences, length, size=size)

    def train(self, name: str, sequences: Number, length: Number, *, size: float = 1.0) -> None:
        self._model(name, "train", sequences, length, size=size)

    def _model(self, name: str, work: Work, sequences: Number, length: Number, *, size: float) -> None:
        one = self.policy.training if work == "train" else self.policy.forward
        tokens = np.asarray(sequences) * np.asarray(length)
        self.add(name, work, tokens=tokens, flop=one(sequences, length, size=size))


def _revisions(ledger: _Ledger, one: Constitutional, lengths: tuple[Array, Array], sample: Sampled) -> None:
    """First answers, critiques, revisions, and the supervised stage on first and revised answers."""
    prompt, answer = lengths
    critique = sample("critique_tokens", one.critique_tokens)
    rule = sample("principle_tokens", one.principle_tokens)
    turns = one.critiqued * one.revisions
    ledger.generate("answers to revise", one.critiqued, prompt + answer)
    ledger.generate("critiques", turns, rule + prompt + answer + critique)
    ledger.generate("revisions", turns, rule + prompt + answer + critique + answer)
    ledger.train("supervised stage on revisions", turns * one.revision_epochs, prompt + answer)


def _preferences(ledger: _Ledger, one: Preferring, lengths: tuple[Array, Array], sample: Sampled) -> None:
    """Pairs, labels by people and by a judge, and the preference model."""
    prompt, answer = lengths
    by_judge = one.ai_comparisons if isinstance(one, Constitutional) else 0.0
    pairs = one.comparisons + by_judge
    ledger.generate("pairs to compare", 2 * pairs, prompt + answer)
    ledger.people(COMPARISONS, one.comparisons)
    if isinstance(one, Constitutional):
        rule, written = (sample(name, getattr(one, name)) for name in ("principle_tokens", "judge_tokens"))
        readings = by_judge * one.judge_samples
        ledger.read("labels by the judge: reading", readings, rule + prompt + 2 * answer, size=one.judge)
        ledger.generate("labels by the judge: writing", readings, written, size=one.judge)
    ledger.train(
        "preference model", 2 * pairs * one.preference_epochs, prompt + answer, size=one.preference_model
    )


def _helper(ledger: _Ledger, one: Constitutional, lengths: tuple[Array, Array]) -> None:
    """Train the helpful model on the comparisons by people: preference model and reinforcement learning of its own."""
    times = 2 * one.comparisons * one.preference_epochs
    ledger.train("helpful model: preference model", times, lengths[0] + lengths[1], size=one.preference_model)
    _learning(ledger, one, lengths, np.asarray(one.helper_prompts * one.group), prefix="helpful model: ")


def _learning(
    ledger: _Ledger, one: Tuned, lengths: tuple[Array, Array], episodes: Array, *, prefix: str = ""
) -> None:
    """Rollouts, everybody who reads them, and the update."""
    length = lengths[0] + lengths[1]
    ledger.generate(f"{prefix}rollouts", episodes, length)
    if one.reference:
        ledger.read(f"{prefix}reference model", episodes, length)
    if isinstance(one, Preferring):
        ledger.read(f"{prefix}reward by the preference model", episodes, length, size=one.preference_model)
    if isinstance(one, Verifiable):
        ledger.add(CHECKERS, "check", units=episodes * one.checker_s / 3600)
        ledger.people(PROBLEMS, one.problems)
    if one.algorithm == "ppo" and one.critic:
        ledger.read(f"{prefix}critic: values", episodes, length, size=one.critic)
        ledger.train(f"{prefix}critic: updates", episodes * one.updates, length, size=one.critic)
    ledger.train(f"{prefix}policy updates", episodes * one.updates, length)
    if one.pretraining_mix:
        ledger.train(f"{prefix}pretraining mixed in", episodes * one.pretraining_mix, length)


def oversight_share(guard: Number, passes: Number) -> Array:
    """Share of serving FLOP that goes to monitors: g p / (1 + g p) for monitors of g times the policy's parameters.

    Examples
    --------
    >>> round(float(oversight_share(0.1, 1.0)), 4)
    0.0909
    """
    extra = np.asarray(guard, dtype=float) * np.asarray(passes, dtype=float)
    return np.asarray(extra / (1 + extra))


def human_labels(pipeline: HumanFeedback | Constitutional | Verifiable) -> float:
    """Comparisons by people in a pipeline."""
    return pipeline.comparisons if isinstance(pipeline, Preferring) else 0.0
