"""Forms of scaling laws: loss from parameters, tokens, sparsity, granularity, and back to tokens at equal loss.

Each law adds a term in tokens to terms in parameters, L = floor(N_active, N_total, G) + B / D^beta, so the tokens that
reach a loss have a closed form. Coefficients may be numbers or arrays of draws (axis 0 with trailing ones), which then
broadcast against parameters. Loss is in nats per token of each law's own data and tokenizer: losses of two laws must
not be compared; shapes at equal loss under one law may.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields, replace
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Number: TypeAlias = Array | float

_LOG_TOKENS_MAX = 600.0  # keeps the exponential finite; far beyond any data there is
_GRANULARITY_FIT = (1.0, 16.0)  # Krajewski et al.; held beyond: larger values were not trained there


@dataclass(frozen=True)
class ScalingLaw(ABC):
    """Loss of a language model as a sum of a floor in parameters and a power of training tokens."""

    name: str
    source: str
    fit_range: str
    data: Number  # B
    data_exponent: Number  # beta

    @abstractmethod
    def floor(self, active: Number, total: Number, granularity: Number = 1.0) -> Array:
        """Loss with endless tokens, for active and total parameters and the granularity of experts."""

    def loss(self, active: Number, total: Number, tokens: Number, granularity: Number = 1.0) -> Array:
        """Loss after ``tokens``; arguments broadcast.

        Parameters
        ----------
        active, total : array or float
            Parameters that a token uses, and all of them; equal for a dense model.
        tokens : array or float
            Training tokens, each seen once.
        granularity : array or float
            One standard feed-forward block over one expert, in parameters.

        Returns
        -------
        array
            Nats per token.
        """
        size = np.asarray(tokens, dtype=float)
        return np.asarray(self.floor(active, total, granularity) + self.data / size**self.data_exponent)

    def tokens_for(self, loss: Number, active: Number, total: Number, granularity: Number = 1.0) -> Array:
        """Tokens that bring a shape to a loss: D = (B / (L - floor))^(1/beta); infinite where the floor is above.

        Parameters
        ----------
        loss : array or float
            Target, nats per token of this law.
        active, total, granularity : array or float
            Shape, as in ``loss``.

        Returns
        -------
        array
            Tokens; ``inf`` for a shape that never gets there.
        """
        room = np.asarray(loss - self.floor(active, total, granularity))
        log_needed = np.log(self.data / np.where(room > 0, room, 1.0)) / self.data_exponent
        return np.where(room > 0, np.exp(np.minimum(log_needed, _LOG_TOKENS_MAX)), np.inf)

    def dense_equivalent(self, loss: Number, tokens: Number) -> Array:
        """Parameters of the dense model that reaches ``loss`` on ``tokens``, by bisection on arrays.

        Returns
        -------
        array
            Parameters, between 1 and 1e18; ``inf`` where no dense model of this law gets there on so few tokens.
        """
        target = np.asarray(loss, dtype=float)
        shape = np.broadcast_shapes(target.shape, np.shape(tokens), np.shape(self.data))
        low, high = np.zeros(shape), np.full(shape, np.log(1e18))
        reachable = self.loss(np.exp(high), np.exp(high), tokens) <= target
        for _ in range(60):
            middle = (low + high) / 2
            above = self.loss(np.exp(middle), np.exp(middle), tokens) > target
            low, high = np.where(above, middle, low), np.where(above, high, middle)
        return np.where(reachable, np.exp(high), np.inf)

    def pick(self, draw: int) -> Self:
        """One draw of a law with drawn coefficients, as a law of plain numbers."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        plain: dict[str, Any] = {
            name: float(value.reshape(-1)[draw])
            for name, value in values.items()
            if isinstance(value, np.ndarray)
        }
        return replace(self, **plain)


@dataclass(frozen=True)
class DenseLaw(ScalingLaw):
    """L = E + A / N^alpha + B / D^beta; blind to sparsity: N counts active parameters only."""

    constant: Number  # E
    size: Number  # A
    size_exponent: Number  # alpha
    standard_errors: tuple[float, float, float, float, float] | None = None  # of E, A, alpha, B, beta
    correlation: tuple[tuple[float, ...], ...] | None = None  # of E, ln A, alpha, ln B, beta

    def floor(self, active: Number, total: Number, granularity: Number = 1.0) -> Array:
        """E + A / N^alpha of the active parameters; what a token does not use counts for nothing."""
        return np.asarray(
            self.constant + self.size / _of_shape(active, total, granularity) ** self.size_exponent
        )

    def drawn(self, generator: np.random.Generator, draws: int) -> DenseLaw:
        """Coefficients drawn along the ridge of the fit, arrays of shape [draw, 1].

        E, ln A, alpha, ln B and beta are jointly normal with the law's standard errors and correlation.

        Raises
        ------
        ValueError
            For a law whose publication gives no standard errors.
        """
        if self.standard_errors is None or self.correlation is None:
            raise ValueError(f"{self.name} was published without standard errors")
        constant_se, size_se, size_exponent_se, data_se, data_exponent_se = self.standard_errors
        logs = [np.sqrt(np.log1p((se / at) ** 2)) for se, at in ((size_se, self.size), (data_se, self.data))]
        spread = np.array([constant_se, logs[0], size_exponent_se, logs[1], data_exponent_se], dtype=float)
        root = np.linalg.cholesky(np.array(self.correlation))
        step = (generator.standard_normal((draws, 5)) @ root.T * spread)[:, :, None]
        return replace(
            self,
            constant=self.constant + step[:, 0],
            size=self.size * np.exp(step[:, 1]),
            size_exponent=self.size_exponent + step[:, 2],
            data=self.data * np.exp(step[:, 3]),
            data_exponent=self.data_exponent + step[:, 4],
        )


@dataclass(frozen=True)
class GranularLaw(ScalingLaw):
    """L = c + (g / G^gamma + a) / N^alpha + B / D^beta with 64 experts (Krajewski et al., arXiv 2402.07871).

    N counts all parameters. The expansion is part of the fit: the law holds near N_total = 64 N_active.
    """

    constant: Number  # c
    size: Number  # a
    size_exponent: Number  # alpha
    grain: Number  # g
    grain_exponent: Number  # gamma

    def floor(self, active: Number, total: Number, granularity: Number = 1.0) -> Array:
        """C + (g / G^gamma + a) / N_total^alpha."""
        numerator = self.grain / _within_fit(granularity) ** self.grain_exponent + self.size
        return np.asarray(self.constant + numerator / _of_shape(total, active) ** self.size_exponent)

    def size_multiplier(self, granularity: Number) -> Array:
        """Parameters with G = 1 that a parameter with finer experts is worth: (size term ratio)^(-1/alpha)."""
        coarse = self.grain + self.size
        fine = self.grain / _within_fit(granularity) ** self.grain_exponent + self.size
        return np.asarray((fine / coarse) ** (-1 / np.asarray(self.size_exponent)))


def _of_shape(read: Number, *others: Number) -> Array:
    """Spread what a law reads over the shape of what it is asked for: every law answers in one shape."""
    shape = np.broadcast_shapes(np.shape(read), *(np.shape(other) for other in others))
    return np.broadcast_to(np.asarray(read, dtype=float), shape)


def _within_fit(granularity: Number) -> Array:
    return np.asarray(np.clip(np.asarray(granularity, dtype=float), *_GRANULARITY_FIT))


@dataclass(frozen=True)
class SparseLaw(ScalingLaw):
    """L = e + a/N^alpha + B/D^beta + c (1-S)^lambda + d (1-S)^-delta N^-gamma (Abnar et al., arXiv 2501.12370).

    N counts all parameters and S is the inactive share, taken as 1 - N_active / N_total. ``fine`` lets the granularity of
    experts act through the size multiplier of another fit, relative to ``reference_granularity``, where this law is read
    as it stands; a joint fit of both is not published with its coefficients.
    """

    constant: Number  # e
    size: Number  # a
    size_exponent: Number  # alpha
    sparse: Number  # c
    sparse_exponent: Number  # lambda, as a power of 1 - S
    mixed: Number  # d
    mixed_sparse_exponent: Number  # delta
    mixed_size_exponent: Number  # gamma
    fine: GranularLaw | None = None
    reference_granularity: float = 1.0
    sparsity_max: float = 0.95
    """Held beyond: parameters that would make the model sparser than the fit saw count for nothing."""

    def floor(self, active: Number, total: Number, granularity: Number = 1.0) -> Array:
        """Every term but that of tokens."""
        total = np.minimum(total, np.asarray(active, dtype=float) / (1 - self.sparsity_max))
        used = np.asarray(active, dtype=float) / total
        if self.fine is not None:
            # Granularity is a matter of experts: a dense model has one, of the standard size
            finer = self.fine.size_multiplier(granularity)
            reference = self.fine.size_multiplier(self.reference_granularity)
            total = total * np.where(used < 1.0, finer / reference, 1.0)
        mixed = self.mixed / (used**self.mixed_sparse_exponent * total**self.mixed_size_exponent)
        alone = self.sparse * used**self.sparse_exponent
        return np.asarray(self.constant + self.size / total**self.size_exponent + alone + mixed)

    def drawn(
        self, generator: np.random.Generator, draws: int, *, exponent_log_sd: float, pivot: float = 1e10
    ) -> SparseLaw:
        """Exponents drawn log-normally, coefficients moved so that loss at the pivot stays; arrays [draw, 1].

        The publication gives R^2 (0.99 on the fit, 0.68 at a held-out sparsity of 0.98) and no covariance, so the spread
        is an assumption of whoever passes it. Sparsity's exponents move together with their own spread, those of tokens
        and parameters each with theirs.

        Parameters
        ----------
        generator : numpy Generator
            Source of the draws.
        draws : int
            How many.
        exponent_log_sd : float
            Log standard deviation of each exponent.
        pivot : float
            Parameters and tokens at which dense loss is known best; the middle of the fit's range.
        """

        def factor() -> Array:
            return np.asarray(np.exp(exponent_log_sd * generator.standard_normal((draws, 1))))

        def turned(coefficient: Number, exponent: Number, times: Array) -> tuple[Array, Array]:
            power = np.asarray(exponent * times)
            return np.asarray(coefficient * pivot ** (power - exponent)), power

        data = turned(self.data, self.data_exponent, factor())
        mixed = turned(self.mixed, self.mixed_size_exponent, factor())
        sparsity = factor()
        return replace(
            self,
            data=data[0],
            data_exponent=data[1],
            mixed=mixed[0],
            mixed_size_exponent=mixed[1],
            sparse_exponent=np.asarray(self.sparse_exponent * sparsity),
            mixed_sparse_exponent=np.asarray(self.mixed_sparse_exponent * sparsity),
        )
