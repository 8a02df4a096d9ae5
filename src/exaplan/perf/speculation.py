"""Speculative decoding and multi-token prediction: tokens per step, tokens to verify, best draft length.

A cheap draft proposes q tokens, the model checks all of them in one step and keeps those up to the first rejection, plus
one of its own; the distribution of the output does not change (Leviathan, Kalman and Matias, arXiv 2211.17192). Whether
it pays depends on what the step costs at m = b (q + 1) tokens, which is for the caller to say: free while memory-bound,
nearly proportional where compute-bound. All arguments broadcast.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.perf.shapes import Array, Number


def tokens_per_step(acceptance_share: Number, draft_tokens: Number) -> Array:
    """Tokens that one step yields on average: (1 - p^(q+1)) / (1 - p), and q + 1 where all are accepted.

    Leviathan et al., arXiv 2211.17192, equation 1; every draft token is taken as accepted with the same probability,
    independently.

    Parameters
    ----------
    acceptance_share : array or float
        p, probability that the model accepts one draft token after it accepted those before, 0..1.
    draft_tokens : array or float
        q, draft tokens per step; 0 is plain decoding.

    Returns
    -------
    array
        Tokens per step, 1 to q + 1.

    Examples
    --------
    >>> float(tokens_per_step(0.5, 1)), float(tokens_per_step(1.0, 3)), float(tokens_per_step(0.9, 0))
    (1.5, 4.0, 1.0)
    """
    accepted, drafted = np.asarray(acceptance_share, dtype=float), np.asarray(draft_tokens, dtype=float)
    with np.errstate(divide="ignore"):
        log_share = np.log(accepted)
    rejected = np.where(accepted < 1, 1 - accepted, 1.0)
    some = -np.expm1((drafted + 1) * log_share) / rejected  # expm1 keeps digits where p is close to 1
    return np.asarray(np.where(accepted < 1, some, drafted + 1))


def tokens_per_step_by_position(acceptance_share: Array) -> Array:
    """Tokens per step where acceptance falls along the draft: 1 + p1 + p1 p2 + ...

    Heads trained for the next token accept less at later positions; engines report one rate per position.

    Parameters
    ----------
    acceptance_share : array
        Probability that position i is accepted given that those before it were. Last axis: position in the draft.

    Returns
    -------
    array
        Tokens per step; the last axis is gone.
    """
    kept = np.cumprod(np.asarray(acceptance_share, dtype=float), axis=-1)
    return np.asarray(1 + kept.sum(axis=-1))


def verified_tokens(batch: Number, draft_tokens: Number) -> Array:
    """Tokens in the verifying step: m = b (q + 1); the rows of its products and of its key-value cache writes."""
    return np.asarray(np.asarray(batch, dtype=float) * (np.asarray(draft_tokens, dtype=float) + 1))


def speculative_tpot_s(
    acceptance_share: Number, draft_tokens: Number, *, verify_s: Number, draft_s: Number
) -> Array:
    """Time per output token of one sequence: (t_verify(m) + q t_draft) / tokens per step.

    Parameters
    ----------
    acceptance_share, draft_tokens : array or float
        As in ``tokens_per_step``.
    verify_s : array or float
        Step of the model at ``verified_tokens`` tokens.
    draft_s : array or float
        One draft token for the whole batch: a small model's step, or one prediction layer.

    Returns
    -------
    array
        Seconds per token.
    """
    spent = verify_s + np.asarray(draft_tokens, dtype=float) * draft_s
    return np.asarray(spent / tokens_per_step(acceptance_share, draft_tokens))


def speedup(
    acceptance_share: Number, draft_tokens: Number, *, draft_cost: Number, verify_cost: Number = 1.0
) -> Array:
    """Tokens per second over plain decoding: tokens per step / (verify_cost + q draft_cost).

    With ``verify_cost`` 1 it is theorem 3.8 of arXiv 2211.17192, which holds while decoding is memory-bound: the right
    case for its one sequence per chip, and optimistic for full batches.

    Parameters
    ----------
    acceptance_share, draft_tokens : array or float
        As in ``tokens_per_step``.
    draft_cost : array or float
        Time of one draft token over that of a plain step.
    verify_cost : array or float
        Time of the verifying step over that of a plain step.

    Returns
    -------
    array
        Ratio; below 1 where speculation loses.
    """
    cost = verify_cost + np.asarray(draft_tokens, dtype=float) * draft_cost
    return np.asarray(tokens_per_step(acceptance_share, draft_tokens) / cost)


def operations_ratio(acceptance_share: Number, draft_tokens: Number, *, draft_flop_ratio: Number) -> Array:
    """FLOP per output token over plain decoding: (q c + q + 1) / tokens per step (arXiv 2211.17192, theorem 3.11).

    What speculation costs where compute binds. ``draft_flop_ratio`` is FLOP of one draft token over one model token.
    """
    drafted = np.asarray(draft_tokens, dtype=float)
    spent = drafted * draft_flop_ratio + drafted + 1
    return np.asarray(spent / tokens_per_step(acceptance_share, drafted))


@dataclass(frozen=True)
class BestDraft:
    """Best draft length per case, with the time per token it reaches."""

    draft_tokens: Array
    tpot_s: Array
    gain: Array
    """Tokens per second over the shortest draft of the grid."""


def best_draft(
    acceptance_share: Number, draft_tokens: Array, *, verify_s: Array, draft_s: Number
) -> BestDraft:
    """Choose the draft length with the least time per token on a grid; the shortest of equals.

    Parameters
    ----------
    acceptance_share : array or float
        One per case; the axis of draft lengths is added here.
    draft_tokens : array
        Grid of q, ascending, usually from 0. Axis: draft length.
    verify_s : array
        Step time at m = b (q + 1) tokens. Axes: cases..., draft length.
    draft_s : array or float
        One draft token, per case.

    Returns
    -------
    BestDraft
        Arrays over cases.
    """
    accepted = np.asarray(acceptance_share, dtype=float)[..., None]
    drafting = np.asarray(draft_s, dtype=float)[..., None]
    grid = np.asarray(draft_tokens, dtype=float)
    tpot = speculative_tpot_s(accepted, grid, verify_s=np.asarray(verify_s, dtype=float), draft_s=drafting)
    best = np.argmin(tpot, axis=-1)
    least = np.take_along_axis(tpot, best[..., None], axis=-1)[..., 0]
    return BestDraft(grid[best], least, np.asarray(tpot[..., 0] / least))
