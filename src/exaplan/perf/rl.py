"""Reinforcement learning after pretraining: rollouts, scoring, learner, weight sync, and how chips are shared out.

One iteration draws ``prompts x group`` sequences from the policy, scores them, learns from them and hands the new weights
to the samplers. Work is stated in chip-seconds per iteration, so that any split of chips follows by division. Times in
seconds, lengths in tokens, all arguments broadcast.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from exaplan.perf.shapes import Array, Flag, Number

# Nodes of the integral over the standard normal variable of the longest sequence. It is smooth and falls off at both ends,
# so the trapezoidal rule converges exponentially; the upper end carries log standard deviations up to 7.
_STEP = 0.04
_NODES = np.arange(-8.0, 16.0 + _STEP / 2, _STEP)
_LOG_BELOW = np.log1p([-0.5 * math.erfc(node / math.sqrt(2)) for node in _NODES])
_LOG_DENSITY = -np.square(_NODES) / 2 - 0.5 * math.log(2 * math.pi)

FORWARD_FLOP, INPUT_GRADIENT_FLOP, WEIGHT_GRADIENT_FLOP = 2.0, 2.0, 2.0
"""FLOP per token and parameter of a product: once forward, once for each of the two gradients."""


def training_flop_per_token(trained: Number, frozen: Number = 0.0, *, recompute: Number = 0.0) -> Array:
    """Training FLOP of products per token, attention left out: 6 per trained and 4 per frozen parameter.

    Frozen weights need no weight gradient but pass the input gradient on, as under LoRA: with small adapters 4N instead
    of 6N. Published LoRA rows show 0.66 to 0.68 of 6N, attention included (NVIDIA NeMo AutoModel performance summary,
    2025-10: FLOP/s over tokens/s). Full SFT is ``trained`` = N.

    Parameters
    ----------
    trained, frozen : array or float
        Active parameters that are updated (adapters, or all), and those that are not.
    recompute : array or float
        Share of the forward pass that is done again in the backward pass; 1 for full recomputation.

    Returns
    -------
    array
        FLOP per token.

    Examples
    --------
    >>> float(training_flop_per_token(70e9)) / 70e9, float(training_flop_per_token(0.0, 70e9)) / 70e9
    (6.0, 4.0)
    """
    trained, frozen = np.asarray(trained, dtype=float), np.asarray(frozen, dtype=float)
    passes = FORWARD_FLOP * (1 + np.asarray(recompute, dtype=float)) + INPUT_GRADIENT_FLOP
    return np.asarray((trained + frozen) * passes + trained * WEIGHT_GRADIENT_FLOP)


def lognormal_log_sd(mean_tokens: Number, sd_tokens: Number) -> Array:
    """Log standard deviation of a lognormal length with this mean and standard deviation: sqrt(ln(1 + (sd/mean)^2))."""
    spread = np.asarray(sd_tokens, dtype=float) / mean_tokens
    return np.asarray(np.sqrt(np.log1p(np.square(spread))))


def longest_over_mean(log_sd: Number, batch: Number, *, cap_over_mean: Number = np.inf) -> Array:
    """Compare the expected longest of ``batch`` lognormal lengths with their mean, both cut at a cap.

    E[max] = integral of min(x(z), cap) n Phi(z)^(n-1) phi(z) dz, by quadrature, not by sampling; 600 nodes per row.

    Parameters
    ----------
    log_sd : array or float
        Log standard deviation of the length, at most 7 (see ``lognormal_log_sd``).
    batch : array or float
        Sequences that wait for each other.
    cap_over_mean : array or float
        Longest length allowed over the mean before the cut.

    Returns
    -------
    array
        Ratio, at least 1.

    Examples
    --------
    >>> round(float(longest_over_mean(0.8, 1)), 6), round(float(longest_over_mean(0.0, 512)), 6)
    (1.0, 1.0)
    """
    spread, count, cap = (
        np.asarray(value, dtype=float)[..., None] for value in (log_sd, batch, cap_over_mean)
    )
    length = np.minimum(spread * _NODES - np.square(spread) / 2, np.log(cap))
    one = np.exp(length + _LOG_DENSITY).sum(axis=-1)
    longest = (count * np.exp(length + _LOG_DENSITY + (count - 1) * _LOG_BELOW)).sum(axis=-1)
    return np.asarray(longest / one)


def long_tail_share(mean_tokens: Number, sd_tokens: Number, batch: Number, *, cap_tokens: Number) -> Array:
    """Share of slot time that generates in a batch which waits for its longest sequence: E[length] / E[longest].

    Lognormal lengths; mean and standard deviation are those before the cut at ``cap_tokens``. A slot that is done stays
    empty, at the same time per token: an engine whose steps get faster as the batch empties does better.

    Parameters
    ----------
    mean_tokens, sd_tokens : array or float
        Of the response length.
    batch : array or float
        Sequences started together.
    cap_tokens : array or float
        Most tokens allowed; infinite for none.

    Returns
    -------
    array
        Share, 0..1; 1 for equal lengths.
    """
    mean = np.asarray(mean_tokens, dtype=float)
    spread = lognormal_log_sd(mean, sd_tokens)
    return np.asarray(1 / longest_over_mean(spread, batch, cap_over_mean=cap_tokens / mean))


def long_tail_share_of(lengths: Array, batch: Number) -> Array:
    """Take the same share from measured lengths, drawn with replacement: exact over the sample's order statistics.

    E[max of n] = sum of x_(i) ((i/N)^n - ((i-1)/N)^n).

    Parameters
    ----------
    lengths : array
        Observed response lengths, tokens. Axis: sequence.
    batch : array or float
        Sequences that wait for each other.

    Returns
    -------
    array
        Share, 0..1, in the shape of ``batch``.

    Examples
    --------
    >>> float(long_tail_share_of(np.array([100.0, 300.0]), 2))
    0.8
    """
    ordered = np.sort(np.asarray(lengths, dtype=float))
    below = np.arange(ordered.size + 1) / ordered.size
    weights = np.diff(below ** np.asarray(batch, dtype=float)[..., None], axis=-1)
    return np.asarray(ordered.mean() / (weights * ordered).sum(axis=-1))


def synchronous_slot_share(log_sd: Number, sequences: Number, slots: Number) -> Array:
    """Share of slot time that generates when slots refill from a queue and the batch ends with its last sequence.

    With w = sequences/slots rounds the end lies midway, in mean lengths, between max(E[longest of all], w - 1 + E[longest
    of a slotful]) and w - 1 + E[longest of all], which is one less than the bound of list scheduling (Graham 1969, doi
    10.1137/0117039). Our interpolation: within 9 % of simulated queues for log standard deviations of 0.4 to 1.2, 16 to
    128 slots and 1 to 8 rounds, mostly low. The share goes to 1 as rounds multiply.

    Parameters
    ----------
    log_sd : array or float
        Log standard deviation of the length.
    sequences, slots : array or float
        Sequences of an iteration, and sequences that the samplers hold at once.

    Returns
    -------
    array
        Share of the slots in use, 0..1; slots beyond the sequences count as idle.
    """
    total, held = np.asarray(sequences, dtype=float), np.asarray(slots, dtype=float)
    filled = np.minimum(total, held)
    rounds = total / filled
    longest = longest_over_mean(log_sd, total)
    early = np.maximum(longest, rounds - 1 + longest_over_mean(log_sd, filled))
    end = (early + rounds - 1 + longest) / 2
    return np.asarray(total / held / end)


@dataclass(frozen=True)
class IterationWork:
    """Chip-seconds of one iteration by side, and the seconds to hand weights over; numbers or arrays over cases."""

    rollout_chip_s: Number
    learner_chip_s: Number
    """Scoring (reference and reward models) and learning."""
    sync_s: Number
    """New weights to the samplers."""


@dataclass(frozen=True)
class Iteration:
    """What is drawn and learned in one iteration; numbers or arrays over cases."""

    prompts: Number
    group: Number
    mean_tokens: Number
    epochs: Number = 1.0

    @property
    def tokens(self) -> Array:
        """Tokens generated: prompts x group x mean length."""
        return np.asarray(np.asarray(self.prompts, dtype=float) * self.group * self.mean_tokens)


def scoring_flop(iteration: Iteration, scored_parameters: Number) -> Array:
    """Forward FLOP of reference and reward models: 2 N per token; sum N over the models that read every sequence."""
    return np.asarray(FORWARD_FLOP * np.asarray(scored_parameters, dtype=float) * iteration.tokens)


def learner_flop(iteration: Iteration, flop_per_token: Number) -> Array:
    """FLOP of the updates: training FLOP per token x tokens x epochs (6 N, or 4 N with frozen weights)."""
    return np.asarray(np.asarray(flop_per_token, dtype=float) * iteration.tokens * iteration.epochs)


def weight_sync_s(
    parameters: Number, bytes_per_parameter: Number, *, bytes_per_s: Number, latency_s: Number
) -> Array:
    """Time to hand the policy's weights to the samplers: N w / beta + alpha; a pipelined broadcast reads them once."""
    size = np.asarray(parameters, dtype=float) * bytes_per_parameter
    return np.asarray(size / bytes_per_s + latency_s)


def iteration_work(
    iteration: Iteration,
    *,
    decode_tokens_per_s_per_chip: Number,
    slot_share: Number,
    flop: Number,
    flop_per_s_per_chip: Number,
    sync_s: Number,
) -> IterationWork:
    """Chip-seconds of one iteration from rates.

    Parameters
    ----------
    iteration : Iteration
        What is drawn and learned.
    decode_tokens_per_s_per_chip : array or float
        Output tokens with every slot filled, prefill included.
    slot_share : array or float
        Slot time that generates: ``long_tail_share`` or ``synchronous_slot_share``; 1 where sequences never wait for each
        other (asynchronous, partial rollouts).
    flop : array or float
        ``scoring_flop`` plus ``learner_flop``.
    flop_per_s_per_chip : array or float
        Delivered by a learner chip (peak x MFU).
    sync_s : array or float
        ``weight_sync_s``.

    Returns
    -------
    IterationWork
        Chip-seconds and seconds.
    """
    rate = np.asarray(decode_tokens_per_s_per_chip, dtype=float) * slot_share
    learning = np.asarray(flop, dtype=float) / flop_per_s_per_chip
    return IterationWork(np.asarray(iteration.tokens / rate), np.asarray(learning), sync_s)


@dataclass(frozen=True)
class Pace:
    """How fast a loop turns and how well its chips are used; arrays over cases."""

    iteration_s: Array
    rollout_chips: Array
    learner_chips: Array
    rollout_busy_share: Array
    learner_busy_share: Array

    @property
    def iterations_per_s(self) -> Array:
        """Iterations per second."""
        return np.asarray(1 / self.iteration_s)

    def tokens_per_s_per_chip(self, iteration: Iteration, chips: Number) -> Array:
        """Tokens drawn and learned per second and chip of the whole loop."""
        return np.asarray(iteration.tokens / self.iteration_s / chips)


def colocated(work: IterationWork, chips: Number, *, switch_s: Number) -> Pace:
    """All chips roll out, then all learn: (rollout + learner)/chips + sync + switch.

    ``switch_s`` is the time per iteration to swap engines and their memory, both ways. Busy shares are of the iteration.
    """
    chips = np.asarray(chips, dtype=float)
    rollout, learner = work.rollout_chip_s / chips, work.learner_chip_s / chips
    whole = np.asarray(rollout + learner + work.sync_s + switch_s)
    return Pace(whole, chips, chips, np.asarray(rollout / whole), np.asarray(learner / whole))


def disaggregated(
    work: IterationWork, rollout_chips: Number, learner_chips: Number, *, overlapped: Flag = True
) -> Pace:
    """Two fixed sides. Overlapped, they work on neighboring iterations: the slower side plus the weight sync.

    Otherwise (strictly on policy) each waits for the other. Overlap costs one iteration of staleness at least.
    """
    samplers, learners = np.asarray(rollout_chips, dtype=float), np.asarray(learner_chips, dtype=float)
    rollout, learner = work.rollout_chip_s / samplers, work.learner_chip_s / learners
    turn = np.where(overlapped, np.maximum(rollout, learner), rollout + learner)
    whole = np.asarray(turn + work.sync_s)
    return Pace(whole, samplers, learners, np.asarray(rollout / whole), np.asarray(learner / whole))


def rate_matched_rollout_chips(work: IterationWork, chips: Number, *, quantum: Number = 1.0) -> Array:
    """Chips for rollouts so that neither side waits: chips x rollout/(rollout + learner), in whole quanta.

    Of the two neighbors of the exact split the one with the shorter iteration; each side keeps at least one quantum.

    Parameters
    ----------
    work : IterationWork
        Chip-seconds by side.
    chips : array or float
        Chips to split, a multiple of the quantum with at least two quanta.
    quantum : array or float
        Chips that move together (a node, a replica).

    Returns
    -------
    array
        Chips for rollouts; the rest learns.
    """
    rollout = np.asarray(work.rollout_chip_s, dtype=float)
    learner = np.asarray(work.learner_chip_s, dtype=float)
    units = np.floor(np.asarray(chips, dtype=float) / quantum)
    exact = units * rollout / (rollout + learner)
    low = np.clip(np.floor(exact), 1, units - 1)
    high = np.clip(low + 1, 1, units - 1)
    slow_low = np.maximum(rollout / low, learner / (units - low))
    slow_high = np.maximum(rollout / high, learner / (units - high))
    return np.asarray(np.where(slow_high < slow_low, high, low) * quantum)


def rate_matching_row(work: IterationWork) -> tuple[Array, Array]:
    """Coefficients (a, b) of the linear relation a n_rollout = b n_learner = iterations/s, for an allocator.

    a = 1/rollout, b = 1/learner, iterations/s per chip of a side. With several kinds of chips each side is a sum over
    kinds; as two inequalities, iterations/s <= each side, it stays linear and feasible. Weight sync is left out.
    """
    return 1 / np.asarray(work.rollout_chip_s, dtype=float), 1 / np.asarray(work.learner_chip_s, dtype=float)


def staleness_iterations(sequence_s: Number, iteration_s: Number) -> Array:
    """Weight versions between the start of a sequence and its use when sampling never stops: ceil(time / iteration).

    ``sequence_s`` is the generation time of the sequence asked about, for example the longest (cap x TPOT). Asynchronous
    training held final quality up to a limit on this number and ran up to 2.77 times as fast (arXiv 2505.24298).
    """
    return np.asarray(np.ceil(np.asarray(sequence_s, dtype=float) / iteration_s))
