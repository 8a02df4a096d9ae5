"""Pipeline schedules: idle time and activations kept, in units of a stage's work on one microbatch.

With F and B the forward and whole backward time of a stage, W the part of B that is for weights (F : B : W about
1 : 2 : 1), p stages and v chunks per stage, the idle time of a step is

    1F1B              (p - 1)(F + B)            Narayanan et al., arXiv 2104.04473, section 2.2
    interleaved       (p - 1)(F + B)/v          the same
    zero bubble H1    (p - 1)(F + B - 2W)       Qi et al., arXiv 2401.10241; DeepSeek-V3, arXiv 2412.19437, table 2
    DualPipe          (p/2 - 1)(F&B + B - 3W)   the same table, with F&B = F + B

and a stage keeps the activations of p (1F1B, zero bubble), p + (p - 1)/v (interleaved) or p + 1 (DualPipe)
microbatches; DualPipe also keeps two copies of the weights.
"""

from __future__ import annotations

import numpy as np

from exaplan.perf.shapes import Array, Number

ONE_F_ONE_B, ZERO_BUBBLE, DUAL_PIPE = 0.0, 1.0, 2.0
SCHEDULES = {ONE_F_ONE_B: "1f1b", ZERO_BUBBLE: "zero-bubble", DUAL_PIPE: "dualpipe"}


def bubble_share(schedule: Array, stages: Array, chunks: Array, microbatches: Number = np.inf) -> Array:
    """Idle time of a step over a stage's whole work on one microbatch (F + B).

    Parameters
    ----------
    schedule : array
        ``ONE_F_ONE_B`` (interleaved where ``chunks`` exceed 1), ``ZERO_BUBBLE`` or ``DUAL_PIPE``.
    stages, chunks : array
        Pipeline stages, and model chunks per stage.
    microbatches : array or float
        Where there are fewer than stages, a microbatch's own way through all of them is what takes the time: p stages
        there and back, however finely they are cut.

    Returns
    -------
    array
        Stage-microbatches of idle time.

    Examples
    --------
    >>> bubble_share(np.array([0.0, 0.0, 1.0, 2.0]), np.full(4, 16.0), np.array([1.0, 4.0, 1.0, 1.0])).round(3).tolist()
    [15.0, 3.75, 5.0, 4.667]
    """
    missing = np.maximum(stages - microbatches, 0.0)
    forward_backward = (stages - 1) / chunks + missing * (1 - 1 / chunks)
    zero_bubble = np.maximum(stages - 1, 2 * missing) / 3
    dual = np.maximum(stages / 2 - 1, 0.0) * 2 / 3
    return np.asarray(
        np.where(
            schedule == DUAL_PIPE, dual, np.where(schedule == ZERO_BUBBLE, zero_bubble, forward_backward)
        )
    )


def in_flight(schedule: Array, stages: Array, chunks: Array, microbatches: Array) -> Array:
    """Microbatches whose activations the first stage keeps, in units of the stage's whole activations."""
    interleaved = np.where(chunks > 1, 1 + (stages - 1) / (stages * chunks), 1.0)
    held = np.minimum(microbatches, stages) * interleaved
    return np.asarray(np.where(schedule == DUAL_PIPE, np.minimum(microbatches, stages + 1), held))


def weight_copies(schedule: Array) -> Number:
    """Count the copies of a stage's weights on a chip: DualPipe runs the pipeline from both ends."""
    return np.where(schedule == DUAL_PIPE, 2.0, 1.0)
