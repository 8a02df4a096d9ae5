"""One reinforcement-learning loop on one kind of chip: rollouts and learner searched, then joined both ways."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from exaplan.domain.calibration import Calibration
from exaplan.domain.derivation import Derivation, Operand
from exaplan.domain.technology import Chip, Model
from exaplan.perf.counts import parameters
from exaplan.perf.estimate import Survey, pareto_survey, survey
from exaplan.perf.machine import WEIGHT_BYTES, Precision
from exaplan.perf.opened import Estimate
from exaplan.perf.rl import (
    Iteration,
    IterationWork,
    Pace,
    colocated,
    disaggregated,
    iteration_work,
    learner_flop,
    lognormal_log_sd,
    rate_matched_rollout_chips,
    scoring_flop,
    synchronous_slot_share,
    weight_sync_s,
)
from exaplan.perf.serving import ServeRequest
from exaplan.perf.training import TrainRequest

SYNC_LATENCY_S = 1.0
"""Fixed time to hand weights over: collecting shards and loading them. Assumed."""


@dataclass(frozen=True)
class LoopRequest:
    """What one iteration draws and learns, and on how many chips."""

    prompts: float
    group: float
    input_tokens: float
    mean_tokens: float
    sd_tokens: float
    chips: float
    scored: float = 1.0
    """Models of the policy's size that read every answer: reference, reward."""
    trainable_share: float = 1.0
    switch_s: float = 0.0
    """Swap of engines on colocated chips, both ways."""
    waits: bool = True
    """Whether an iteration ends with its longest answer."""
    tpot_s: float = np.inf


@dataclass(frozen=True)
class LoopSurvey:
    """Both sides of a loop, the best of each, and how fast it turns; ``split`` is None where the chips do not suffice for two sides."""

    rollout: Survey
    learner: Survey
    reason: str
    work: IterationWork | None = None
    slot_share: float = 1.0
    together: Pace | None = None
    split: Pace | None = None
    derivations: tuple[Derivation, ...] = ()


def rl_survey(
    model: Model,
    chip: Chip,
    request: LoopRequest,
    *,
    precision: Precision | None = None,
    calibration: Calibration | None = None,
    engine: str = "",
) -> LoopSurvey:
    """Search rollouts and learner on one kind of chip, and join them on the same chips and on two sides.

    Answers of one group share their prompt: all but one find it in the prefix cache. The learner is searched on all
    chips; on a part of them it is taken to be as fast per chip. Lengths are lognormal.

    Parameters
    ----------
    model, chip : Model, Chip
        Policy and chip.
    request : LoopRequest
        Iteration and chips.
    precision : {"bf16", "fp8", "fp4"}, optional
        Of rollouts; the learner is BF16.
    calibration, engine : Calibration, str
        As in ``survey``.

    Returns
    -------
    LoopSurvey
        With the reason where one side does not fit.
    """
    answers = request.prompts * request.group
    whole = request.input_tokens + request.mean_tokens
    drawn = ServeRequest(
        request.input_tokens, request.mean_tokens, request.tpot_s, prefix_share=1 - 1 / request.group
    )
    learned = TrainRequest(
        whole, max(answers * whole, whole), request.chips, trainable_share=request.trainable_share
    )
    rollout = pareto_survey(
        model,
        chip,
        drawn,
        precision=precision,
        chips_max=request.chips,
        calibration=calibration,
        engine=engine,
    )
    learner = survey(model, chip, learned, calibration=calibration, engine=engine, top=1)
    if not rollout.estimates or not learner.estimates:
        side, reason = ("rollouts", rollout.reason) if rollout.reason else ("learner", learner.reason)
        return LoopSurvey(rollout, learner, f"{side}: {reason}")
    # Of all on the frontier the one that writes fastest once slots without an answer are counted
    best = max(rollout.estimates, key=lambda row: _written_rate(row, request) * _slot_share(request, row))
    return _joined(model, request, replace(rollout, estimates=(best,)), learner)


def _joined(model: Model, request: LoopRequest, rollout: Survey, learner: Survey) -> LoopSurvey:
    draws, learns = rollout.estimates[0], learner.estimates[0]
    written = Iteration(request.prompts, request.group, request.mean_tokens)
    read = Iteration(request.prompts, request.group, request.input_tokens + request.mean_tokens)
    counts = parameters(model)
    share = _slot_share(request, draws)
    flop = scoring_flop(read, request.scored * float(counts.active)) + learner_flop(
        read, learns.model_flop_per_token
    )
    # Weights cross the network in the rollouts' precision, as wide as one replica receives them
    sync = weight_sync_s(
        float(counts.total),
        WEIGHT_BYTES[draws.precision],
        bytes_per_s=float(rollout.machine.network_bytes_per_s) * draws.chips_per_replica,
        latency_s=SYNC_LATENCY_S,
    )
    work = iteration_work(
        written,
        decode_tokens_per_s_per_chip=_written_rate(draws, request),
        slot_share=share,
        flop=flop,
        flop_per_s_per_chip=learns.model_flop_per_token * learns.tokens_per_s_per_chip,
        sync_s=sync,
    )
    together = colocated(work, request.chips, switch_s=request.switch_s)
    quantum = float(draws.chips_per_replica)
    split = None
    if request.chips >= 2 * quantum:
        sampling = rate_matched_rollout_chips(work, request.chips, quantum=quantum)
        split = disaggregated(work, sampling, request.chips - sampling)
    opened = _opened(work, request, (rollout, together, split))
    return LoopSurvey(rollout, learner, "", work, share, together, split, opened)


def _written_rate(row: Estimate, request: LoopRequest) -> float:
    return row.tokens_per_s_per_chip * request.mean_tokens / (request.input_tokens + request.mean_tokens)


def _slot_share(request: LoopRequest, row: Estimate) -> float:
    """Slots in use while answers wait for the longest; replicas are as many as the chips hold."""
    if not request.waits:
        return 1.0
    slots = row.batch * max(request.chips // row.chips_per_replica, 1.0)
    log_sd = lognormal_log_sd(request.mean_tokens, request.sd_tokens)
    return float(synchronous_slot_share(log_sd, request.prompts * request.group, slots))


def _opened(
    work: IterationWork, request: LoopRequest, sides: tuple[Survey, Pace, Pace | None]
) -> tuple[Derivation, ...]:
    found, together, split = sides
    rollout, learner = float(work.rollout_chip_s), float(work.learner_chip_s)
    costs = (
        Operand("rollout", rollout, "chip s", "answers over decode rate and slots in use"),
        Operand("learner", learner, "chip s", "scoring and updates over delivered FLOP/s"),
        Operand("sync", float(work.sync_s), "s", "weights to the samplers"),
    )
    same = (
        *costs,
        Operand("chips", request.chips, "chip", "as asked"),
        Operand("switch", request.switch_s, "s", "typed"),
    )
    one = Derivation(
        "colocated iteration", float(together.iteration_s), "s", "(rollout + learner) / chips + sync + switch", same,
        found.source,
    )  # fmt: skip
    if split is None:
        return (one,)
    apart = (
        *costs,
        Operand("samplers", float(split.rollout_chips), "chip", "rate matched"),
        Operand("learners", float(split.learner_chips), "chip", "the rest"),
    )
    two = Derivation(
        "disaggregated iteration", float(split.iteration_s), "s",
        "max(rollout / samplers, learner / learners) + sync", apart, found.source,
    )  # fmt: skip
    return one, two
