"""Alignment pipelines as a file states them: human feedback, AI feedback from a constitution, verifiable rewards.

Counts and lengths may be uncertain (``100 to 400``); the same field of two pipelines is drawn together, so that pipelines
are compared on the same lengths.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from exaplan.domain.base import Record, quantity, text
from exaplan.domain.uncertain import Uncertain


def _count(description: str, default: float | None = None) -> Uncertain:
    given = ... if default is None else Uncertain.point(default)
    found: Uncertain = quantity("ratio", description, literal="uncertain", default=given, gt=0)
    return found


def _tokens(description: str) -> Uncertain:
    found: Uncertain = quantity("token", description, literal="uncertain", gt=0)
    return found


class Tuned(Record):
    """What every pipeline has: lengths, the supervised stage before, and reinforcement learning."""

    id: str = text("name of the pipeline")
    prompt_tokens: Uncertain = _tokens("tokens of a prompt")
    response_tokens: Uncertain = _tokens("tokens of an answer")
    demonstrations: float = quantity(
        "ratio", "answers written by people for the supervised stage", default=0.0, ge=0
    )
    demonstration_price_usd: float = quantity(
        "USD", "price of one such answer", key="demonstration_price", default=0.0, ge=0
    )
    demonstration_epochs: float = quantity("ratio", "passes over them", default=1.0, gt=0)
    rl_prompts: Uncertain = _count("prompts of reinforcement learning, repeats counted")
    group: float = quantity("ratio", "answers drawn for each prompt", default=1.0, ge=1)
    algorithm: Literal["ppo", "grpo"] = text("ppo has a critic, grpo has none", default="ppo")
    critic: float = quantity("ratio", "parameters of the critic over the policy's", default=1.0, ge=0)
    reference: bool = text("whether a reference model reads every answer (KL penalty)", default=True)
    updates: float = quantity("ratio", "passes over each batch of answers", default=1.0, gt=0)
    pretraining_mix: float = quantity(
        "ratio",
        "pretraining tokens mixed in for each token of reinforcement learning (PPO-ptx)",
        default=0.0,
        ge=0,
    )


class Preferring(Tuned):
    """A pipeline whose reward is a preference model."""

    comparisons: float = quantity("ratio", "comparisons labelled by people", ge=0)
    label_price: Uncertain = quantity("USD", "price of one comparison by a person", literal="uncertain", gt=0)
    preference_model: float = quantity(
        "ratio", "parameters of the preference model over the policy's", default=1.0, gt=0
    )
    preference_epochs: float = quantity("ratio", "passes over the comparisons", default=1.0, gt=0)


class HumanFeedback(Preferring):
    """Reinforcement learning from human feedback (arXiv 2203.02155, arXiv 2204.05862)."""

    kind: Literal["rlhf"] = "rlhf"


class Constitutional(Preferring):
    """Constitutional AI: critiques and revisions, a supervised stage on them, then labels by a judge (arXiv 2212.08073)."""

    kind: Literal["constitutional"] = "constitutional"
    critiqued: float = quantity("ratio", "prompts whose answers are critiqued and revised", ge=0)
    helper_prompts: float = quantity(
        "ratio",
        "prompts of reinforcement learning of the helpful model that writes what is revised; 0 for none",
        default=0.0,
        ge=0,
    )
    revisions: float = quantity("ratio", "critiques with a revision, for each prompt", default=4.0, ge=0)
    critique_tokens: Uncertain = _tokens("tokens of a critique")
    principle_tokens: Uncertain = _tokens(
        "tokens of principle and examples that critic and judge read each time"
    )
    revision_epochs: float = quantity(
        "ratio", "passes over revised answers in the supervised stage", default=1.0, gt=0
    )
    ai_comparisons: float = quantity("ratio", "comparisons labelled by the judge", gt=0)
    judge: float = quantity("ratio", "parameters of the judge over the policy's", default=1.0, gt=0)
    judge_tokens: Uncertain = _tokens(
        "tokens that the judge writes for a label: 1 where its probabilities are read"
    )
    judge_samples: float = quantity("ratio", "readings of each comparison by the judge", default=1.0, ge=1)


class Verifiable(Tuned):
    """Reinforcement learning against checkers: tests, proofs, answers (arXiv 2402.03300, arXiv 2501.12948)."""

    kind: Literal["verifiable"] = "verifiable"
    checker_s: float = quantity("s", "processor time to check an answer", key="checker", default=1.0, ge=0)
    checker_usd_per_h: float = quantity(
        "USD/h", "price of a processor for an hour", key="checker_price", default=0.05, ge=0
    )
    checkable_price_usd: float = quantity(
        "USD", "price of one checkable problem", key="problem_price", default=0.0, ge=0
    )
    problems: float = quantity("ratio", "distinct problems, each bought once", default=0.0, ge=0)


Pipeline = Annotated[HumanFeedback | Constitutional | Verifiable, Field(discriminator="kind")]


class AlignmentStudy(Record):
    """A policy, the chips it is trained on, and the pipelines to compare."""

    model: str | None = text(
        "policy as a model of the catalogue; attention is then counted exactly", default=None
    )
    parameters: float | None = quantity(
        "ratio", "active parameters of the policy, without a model", default=None, gt=0
    )
    pretraining_tokens: float = quantity("token", "tokens that the policy was trained on", gt=0)
    chip: str = text("chip of the catalogue")
    price_usd_per_chip_h: float | None = quantity(
        "USD/chip/h",
        "rent of a chip; the latest of the catalogue where absent",
        key="price",
        default=None,
        gt=0,
    )
    train_mfu: float = quantity("share", "share of the BF16 peak in training", gt=0, le=1)
    read_mfu: float = quantity("share", "share of the BF16 peak in passes that only read", gt=0, le=1)
    generate_mfu: float = quantity("share", "share of the BF16 peak in generation", gt=0, le=1)
    overhead: Uncertain = _count(
        "FLOP done over FLOP that count: failed and filtered samples, evaluation, restarts", 1.0
    )
    served_tokens: float = quantity("token", "tokens served over the model's life", default=0.0, ge=0)
    guard: float = quantity(
        "ratio", "parameters of monitors that read what is served, over the policy's", default=0.0, ge=0
    )
    guard_passes: float = quantity("ratio", "times that each served token is read", default=1.0, ge=0)
    pipelines: tuple[Pipeline, ...] = text("pipelines to compare")

    @model_validator(mode="after")
    def _one_policy(self) -> AlignmentStudy:
        if (self.model is None) == (self.parameters is None):
            raise ValueError("give either model (of the catalogue) or parameters")
        if not self.pipelines:
            raise ValueError("no pipelines")
        return self
