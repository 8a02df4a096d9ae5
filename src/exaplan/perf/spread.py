"""Prior spread of the uncalibrated model's error, as a log standard deviation.

Assumed, after published targets for closed forms on configurations they were not fitted to: median error of 15 % on A100
and H100 dense training and 25 % on Blackwell and TPU. Mixtures of experts are set wider, where this version lands: median
errors of 0.3 to 0.5 in training and 0.1 to 0.2 in serving on published rows. Serving adds 20 %: engines drift by that much
between versions. A chip that does not ship yet has no measurement at all.
"""

from __future__ import annotations

import math

from exaplan.domain.technology import Chip, Model
from exaplan.perf.knobs import ChipClass, chip_class

_DENSE: dict[ChipClass, float] = {"ampere": 0.15, "hopper": 0.15, "blackwell": 0.25, "tpu": 0.25}
_UNMEASURED = 0.35
_SPARSE_TRAINING = 0.45
_SPARSE_SERVING = 0.30
_SERVING = 0.20
_ANNOUNCED = 0.30


def prior_log_sd(chip: Chip, model: Model, *, serving: bool) -> float:
    """Log standard deviation of delivered over modelled rate before any calibration.

    Independent causes add in squares: class of chip and sparsity (the wider of the two), serving, not shipping yet.

    Examples
    --------
    >>> h100 = Chip(id="h", designer="NVIDIA", launch="2022-09", bf16_flop_per_s=1e15, hbm_bytes=8e10,
    ...             hbm_bandwidth_bytes_per_s=3e12)
    >>> dense = Model(id="m", layers=1, hidden=8, heads=1, kv_heads=1, head_dim=8, ffn=8, vocab=8)
    >>> prior_log_sd(h100, dense, serving=False), round(prior_log_sd(h100, dense, serving=True), 3)
    (0.15, 0.25)
    """
    base = _DENSE.get(chip_class(chip), _UNMEASURED)
    if model.experts:
        base = max(base, _SPARSE_SERVING if serving else _SPARSE_TRAINING)
    parts = [base, _SERVING if serving else 0.0, _ANNOUNCED if chip.announced else 0.0]
    return math.hypot(*parts)
