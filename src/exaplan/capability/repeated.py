"""Data that run out: a law of loss when tokens are seen again and again (Muennighoff et al., arXiv 2305.16264).

D' = U + U R_D (1 - exp(-(D/U - 1)/R_D))      R_D = 15.39: about four epochs are nearly as good as fresh tokens
N' = M + M R_N (1 - exp(-(N/M - 1)/R_N))      R_N = 5.31, M the compute-optimal size for U tokens (dense laws)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.capability.forms import Array, DenseLaw, Number, ScalingLaw

EPOCHS_SCALE = 15.387756
"""R_D: repetitions whose worth has fallen to 1/e."""
PARAMETERS_SCALE = 5.309743
"""R_N, the same for parameters beyond those that the unique tokens call for."""


def worth(amount: Number, unique: Number, scale: float) -> Array:
    """Count an amount, of which only a part is unique, in unique ones: itself up to the unique part.

    Examples
    --------
    >>> float(worth(1e12, 2e12, EPOCHS_SCALE)) / 1e12, round(float(worth(4e12, 1e12, EPOCHS_SCALE)) / 1e12, 2)
    (1.0, 3.73)
    """
    amount = np.asarray(amount, dtype=float)
    again = np.maximum(amount / unique - 1, 0.0)
    return np.where(amount <= unique, amount, unique * (1 - scale * np.expm1(-again / scale)))


def amount_worth(needed: Number, unique: Number, scale: float) -> Array:
    """Undo ``worth``: the amount that is worth so many unique ones; infinite beyond what repetition can give.

    Examples
    --------
    >>> round(float(amount_worth(3.73e12, 1e12, EPOCHS_SCALE)) / 1e12, 1)
    4.0
    """
    needed = np.asarray(needed, dtype=float)
    rest = 1 - (needed / unique - 1) / scale
    with np.errstate(invalid="ignore", divide="ignore"):
        again = np.where(rest > 0, -scale * np.log(np.where(rest > 0, rest, 1.0)), np.inf)
    return np.where(needed <= unique, needed, unique * (1 + again))


@dataclass(frozen=True)
class RepeatedLaw(ScalingLaw):
    """Another law with a limit on unique tokens; the penalty on excess parameters is that of dense laws."""

    inner: ScalingLaw
    unique: float  # tokens

    def floor(self, active: Number, total: Number, granularity: Number = 1.0) -> Array:
        """Floor of the inner law at the parameters that the unique tokens can fill."""
        if not isinstance(self.inner, DenseLaw):
            return self.inner.floor(active, total, granularity)
        filled = worth(active, called_for(self.inner, self.unique), PARAMETERS_SCALE)
        return self.inner.floor(filled, filled, granularity)

    def loss(self, active: Number, total: Number, tokens: Number, granularity: Number = 1.0) -> Array:
        """Loss after ``tokens``, of which at most ``unique`` differ."""
        return super().loss(active, total, worth(tokens, self.unique, EPOCHS_SCALE), granularity)

    def tokens_for(self, loss: Number, active: Number, total: Number, granularity: Number = 1.0) -> Array:
        """Tokens, repeated ones counted, that reach a loss; infinite where repetition cannot."""
        needed = super().tokens_for(loss, active, total, granularity)
        return amount_worth(needed, self.unique, EPOCHS_SCALE)


def repeated(law: ScalingLaw, unique: float) -> RepeatedLaw:
    """Wrap a law for a stock of unique tokens."""
    return RepeatedLaw(
        name=f"{law.name}, {unique / 1e12:g} T unique tokens",
        source=f"{law.source}; arXiv 2305.16264",
        fit_range=law.fit_range,
        data=law.data,
        data_exponent=law.data_exponent,
        inner=law,
        unique=unique,
    )


def called_for(law: DenseLaw, tokens: float) -> Array:
    """Parameters for which so many tokens are compute-optimal: alpha A / N^alpha = beta B / D^beta."""
    size, data = np.asarray(law.size_exponent), np.asarray(law.data_exponent)
    return np.asarray((size * law.size * tokens**data / (data * law.data)) ** (1 / size))
