"""Whether feedback from an AI takes less compute than feedback from people, and what the difference is worth in labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from exaplan.app.casebook.asking import Change, spoken
from exaplan.app.casebook.estimate import Estimate, Rule
from exaplan.app.casebook.inquiry import Detail, Input, Inputs, Inquiry
from exaplan.app.scaling.aligning import Costed, cost, policy_of, sampler
from exaplan.capability.alignment import COMPARISONS, Policy
from exaplan.domain.alignment import AlignmentStudy
from exaplan.domain.casebook import Asked, Plot, Table, Value, Word
from exaplan.domain.uncertain import Uncertain
from exaplan.economy.compute_bill import crossover_label_price
from exaplan.io.alignfile import read_study
from exaplan.io.catalogue import load_chips, load_models

_PEOPLE, _AI = 0, 1
_SIZES = (8e9, 3e10, 1e11, 3e11, 1e12)
_LONG_ANSWERS = 4000.0


@dataclass(frozen=True)
class Question(Inputs):
    """Sizes of both pipelines; what stands elsewhere is the shipped file of pipelines."""

    human_rl: float = 1.0
    revisions: float = 4.0
    helper_prompts: float = 474300.0
    critiqued: float = 182831.0
    prompt_tokens: float = 316.0
    response_tokens: float = 245.0
    critique_tokens: float = 100.0
    principle_tokens: float = 1225.0
    judge: float = 1.0
    judge_tokens: float = 17.0
    label_price: float = 4.5
    parameters: float = 0.0  # of the policy; 0: the model of the file, attention counted
    rent: float = 2.65
    algorithm: str = "ppo"
    draws: int = 200


@lru_cache(maxsize=1)
def _file() -> AlignmentStudy:
    return read_study()


def study_of(question: Question) -> AlignmentStudy:
    """Put the question into the shipped file, and keep only people and constitution."""
    lengths = {
        name: Uncertain.point(getattr(question, name)) for name in ("prompt_tokens", "response_tokens")
    }
    both: dict[str, Any] = {
        **lengths,
        "label_price": Uncertain.point(question.label_price),
        "algorithm": question.algorithm,
    }
    people, ai = _file().pipelines[:2]
    people = people.model_copy(
        update={**both, "rl_prompts": Uncertain.point(question.human_rl * people.rl_prompts.median)}
    )
    names = ("critique_tokens", "principle_tokens", "judge_tokens")
    own: dict[str, Any] = {name: Uncertain.point(getattr(question, name)) for name in names}
    own |= {name: getattr(question, name) for name in ("revisions", "helper_prompts", "critiqued", "judge")}
    return _file().model_copy(
        update={
            "pipelines": (people, ai.model_copy(update=both | own)),
            "overhead": Uncertain.point(_file().overhead.median),
        }
    )


@lru_cache(maxsize=512)
def costed(question: Question) -> tuple[Costed, ...]:
    """FLOP, chip-hours and dollars of both pipelines."""
    study = study_of(question)
    policy = (
        Policy(question.parameters)
        if question.parameters
        else policy_of(study, load_models()[study.model or ""])
    )
    return cost(study, policy, load_chips()[study.chip], question.rent, sampler(question.seed, 0))


def advantage(question: Question, _batch: int) -> float:
    """Compute of human feedback over that of Constitutional AI; nothing is random in it."""
    people, ai = costed(question)
    return float(people.flop[0] / ai.flop[0])


def label_price_even(question: Question) -> float:
    """Price of a human comparison from which Constitutional AI is cheaper, USD."""
    sides = costed(question)
    fixed = [float((one.usd - one.paid_for(COMPARISONS))[0]) for one in sides]
    return float(crossover_label_price(fixed[_PEOPLE], sides[_PEOPLE].labels, fixed[_AI], sides[_AI].labels))


def _pretraining(question: Question) -> float:
    study = study_of(question)
    active = question.parameters or policy_of(study, load_models()[study.model or ""]).parameters
    return 6 * active * study.pretraining_tokens


def _detail(question: Question, found: Estimate, word: Word) -> Detail:
    people, ai = costed(question)
    extra = float(ai.flop[0] - people.flop[0])
    usd, saved = float(ai.chip_usd[0] - people.chip_usd[0]), float(people.people_usd[0] - ai.people_usd[0])
    sentence = (
        f"The claim {spoken(word)}. On the same pairs, prompts and lengths, Constitutional AI takes {1 / found.value:.2g} times the "
        f"compute of human feedback; the difference, {extra:.1e} FLOP, is {extra / _pretraining(question):.3%} of pretraining, "
        f"{usd:,.0f} USD of chips, against {saved / 1e6:.1f} M USD of labels that are not bought: it is cheaper as soon as a "
        f"comparison by a person costs more than {label_price_even(question):.2g} USD."
    )
    return Detail(
        sentence,
        (_sides(question), _phases(question), _sizes(question)),
        (_plot(question), _prices(question)),
    )


def _sides(question: Question) -> Table:
    rows: list[tuple[Value, ...]] = [
        (
            one.id, float(one.flop[0]), f"{float(one.flop[0]) / _pretraining(question):.3%}",
            float(sum(hours[0] for hours in one.hours)), float(one.chip_usd[0]), one.labels, float(one.people_usd[0]),
        )
        for one in costed(question)
    ]  # fmt: skip
    return Table(
        "Both pipelines",
        (
            "pipeline",
            "FLOP",
            "of pretraining",
            "chip-hours",
            "USD for chips",
            "comparisons by people",
            "USD to people",
        ),
        tuple(rows),
        f"H100 at {question.rent:g} USD an hour, {question.label_price:g} USD a comparison; people also write the demonstrations of both.",
    )


def _phases(question: Question) -> Table:
    """Where the extra compute of Constitutional AI goes."""
    people, ai = costed(question)
    done = {phase.name: float(phase.flop[0]) for phase in people.phases}
    whole = float(people.flop[0])
    rows: list[tuple[Value, ...]] = [
        (phase.name, phase.work, f"{float(phase.flop[0]) / whole:.1%}", f"{done.get(phase.name, 0.0) / whole:.1%}")
        for phase in ai.phases
        if float(phase.flop[0]) > 0
    ]  # fmt: skip
    return Table(
        "Where the compute goes, in parts of all that human feedback takes",
        ("phase", "work", "Constitutional AI", "human feedback"),
        tuple(rows),
    )


def _sizes(question: Question) -> Table:
    rows: list[tuple[Value, ...]] = []
    for size in _SIZES:
        asked = replace(question, parameters=size)
        people, ai = costed(asked)
        rows.append(
            (
                f"{size / 1e9:,.0f} B", float(ai.chip_usd[0] - people.chip_usd[0]), label_price_even(asked),
                label_price_even(replace(asked, response_tokens=_LONG_ANSWERS)),
            )
        )  # fmt: skip
    return Table(
        "Price of a comparison by a person from which Constitutional AI is cheaper",
        ("active parameters", "more for chips, USD", "USD a comparison", f"with answers of {_LONG_ANSWERS:,.0f} tokens"),
        tuple(rows),
        "Attention is left out here. Quality of the labels is not compared.",
    )  # fmt: skip


def _plot(question: Question) -> Plot:
    points = [
        (
            name,
            human_rl,
            advantage(
                replace(
                    question,
                    revisions=revisions,
                    helper_prompts=question.helper_prompts * helped,
                    human_rl=human_rl,
                ),
                0,
            ),
        )
        for name, helped, revisions in (
            ("one revision, helpful model at hand", 0, 1.0),
            ("four revisions, helpful model at hand", 0, 4.0),
            ("four revisions, helpful model first", 1, 4.0),
        )
        for human_rl in (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0)
    ]
    return Plot(
        "Compute of human feedback over that of Constitutional AI", "RL prompts of human feedback over those of Constitutional AI",
        "ratio of compute", tuple(points), level=1.0, level_name="equal compute",
    )  # fmt: skip


def _prices(question: Question) -> Plot:
    points = [
        (
            f"answers of {length:,.0f} tokens",
            size / 1e9,
            label_price_even(replace(question, parameters=size, response_tokens=length)),
        )
        for length in (question.response_tokens, 1000.0, _LONG_ANSWERS)
        for size in _SIZES
    ]
    return Plot(
        "Label price from which Constitutional AI is cheaper", "active parameters, B", "USD a comparison",
        tuple(points), log_x=True, log_y=True, level=question.label_price, level_name="label price of the case",
    )  # fmt: skip


CASE = Inquiry(
    name="constitutional-or-human",
    title="Does Constitutional AI need less compute than human feedback?",
    systems=(16,),
    asked=Asked(
        question="Does feedback from an AI under a constitution need less compute than feedback from people, or an immense overhead?",
        claim="On the same comparisons, Constitutional AI needs less compute than reinforcement learning from human feedback.",
        date="2022-12",
        where="debate since the paper on Constitutional AI (arXiv 2212.08073): fewer human labels, read by some as less compute, "
        "by others as an immense overhead; paraphrased",
    ),
    question=Question(),
    metric=("compute of human feedback over that of Constitutional AI", "ratio"),
    rule=Rule(1.0, 1.0, "holds: Constitutional AI takes no more compute; fails: it takes more"),
    sample=advantage,
    inputs=(
        Input("human_rl", "RL prompts of human feedback over those of Constitutional AI", "ratio", "assumed: as many; revised answers may make RL shorter", between=(0.6, 2.0), searched=(0.3, 6.0), below="critique, revision and the helpful model cost more than shorter RL saves"),
        Input("revisions", "critiques with a revision, for each prompt", "ratio", "arXiv 2212.08073: four", between=(1.0, 4.0), searched=(0.0, 8.0), below="few revisions"),
        Input("helper_prompts", "RL prompts of the helpful model that comes first", "ratio", "assumed: as many as those on helpfulness, arXiv 2212.08073", tried=(0.0,), searched=(0.0, 1e6), below="a helpful model is at hand"),
        Input("critiqued", "prompts whose answers are revised", "ratio", "arXiv 2212.08073: red-team prompts", between=(5e4, 3e5)),
        Input("response_tokens", "tokens of an answer", "token", "assumed: 100 to 600", between=(100.0, 600.0), tried=(4000.0,)),
        Input("prompt_tokens", "tokens of a prompt", "token", "assumed: 100 to 1,000", between=(100.0, 1000.0)),
        Input("principle_tokens", "tokens of principle and examples", "token", "assumed: 500 to 3,000", between=(500.0, 3000.0)),
        Input("critique_tokens", "tokens of a critique", "token", "assumed: 50 to 200", between=(50.0, 200.0)),
        Input("judge", "parameters of the judge over the policy's", "ratio", "assumed: as large", between=(0.3, 3.0)),
        Input("judge_tokens", "tokens that the judge writes for a label", "token", "assumed: a probability to a chain of thought", between=(1.0, 300.0)),
    ),
    detail=_detail,
    assumed=(
        ("Counts of both pipelines are those of arXiv 2212.08073: 182,831 comparisons on harmlessness go from people to the judge, "
        "135,296 on helpfulness stay with people, and both learn on 965,442 prompts"),
        ("A token read or written costs 2 FLOP a parameter, one trained on 6, and attention where the model is known; preference "
        "model and critic are as large as the policy"),
        "Labels are taken as equally good: the case compares compute and money, not the models that come out",
    ),
    flip=({"helper_prompts": 0.0, "revisions": 1.0, "human_rl": 2.0}, "holds"),
    changes=(Change("learner", "PPO with a critic", "arXiv 2212.08073; PPO assumed for people too", (("GRPO, no critic", {"algorithm": "grpo"}),)),),
)  # fmt: skip
