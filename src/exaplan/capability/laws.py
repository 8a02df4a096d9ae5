"""Published scaling laws by name. Their forms are in ``forms``, what follows from them in ``optimum``.

Left out although tabulated elsewhere: the joint law of Ludziejewski et al. (arXiv 2502.05172), whose signs of exponents
could not be verified at the source.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exaplan.capability.forms import Array, DenseLaw, GranularLaw, Number, ScalingLaw, SparseLaw

__all__ = [
    "ABNAR",
    "ALLOCATIONS",
    "BESIROGLU",
    "DEEPSEEK",
    "HOFFMANN",
    "KRAJEWSKI",
    "KRAJEWSKI_DENSE",
    "LAWS",
    "LLAMA3",
    "MUENNIGHOFF",
    "SARDANA",
    "Allocation",
    "DenseLaw",
    "GranularLaw",
    "ScalingLaw",
    "SparseLaw",
]

HOFFMANN = DenseLaw(
    name="Hoffmann 2022, approach 3",
    source="arXiv 2203.15556, unrounded exponents of its TeX source",
    fit_range="70M to 16B parameters, 5B to 500B tokens",
    constant=1.6934,
    size=406.4,
    size_exponent=0.3392,
    data=410.7,
    data_exponent=0.2849,
)
"""Chinchilla as first published; kept for comparison, its fit is superseded by the next."""

BESIROGLU = DenseLaw(
    name="Besiroglu 2024",
    source="arXiv 2404.10102, table 1",
    fit_range="240 runs of Hoffmann et al.",
    constant=1.8172,
    size=482.01,
    size_exponent=0.3478,
    data=2085.43,
    data_exponent=0.3658,
    standard_errors=(0.03, 124.58, 0.015, 1293.23, 0.025),
    correlation=(
        (1.0, 0.8268, 0.8343, 0.7395, 0.7459),
        (0.8268, 1.0, 0.9991, 0.3321, 0.3320),
        (0.8343, 0.9991, 1.0, 0.3311, 0.3311),
        (0.7395, 0.3321, 0.3311, 1.0, 0.9993),
        (0.7459, 0.3320, 0.3311, 0.9993, 1.0),
    ),
)
"""The same runs fitted again, with standard errors. Default for dense models.

The table prints 0.02 for the errors of both exponents. Here they are 0.015 and 0.025, the ends of what rounds to it that
put the ridges where the runs are (A/N^alpha is known best at a parameter count of about 2e7 to 1e9, B/D^beta at 1e10 tokens);
0.02 for both would blur the loss of runs that were made. The correlation is not published: it is that of the Fisher
information of such a fit on isoFLOP curves like those of Hoffmann et al. (``fitting.fit_correlation``).
"""

SARDANA = DenseLaw(
    name="Sardana 2024, all runs",
    source="arXiv 2401.00448, refit on all runs",
    fit_range="150M to 6B parameters, 10 to 10,000 tokens per parameter",
    constant=1.45,
    size=33.66,
    size_exponent=0.18,
    data=138.9,
    data_exponent=0.24,
)
"""Fitted with runs far past the compute-optimal number of tokens: for models that are trained long to be served cheaply."""

MUENNIGHOFF = DenseLaw(
    name="Muennighoff 2023, C4",
    source="arXiv 2305.16264, exponents tied",
    fit_range="54 runs, 7M to 9B parameters",
    constant=1.87,
    size=521.0,
    size_exponent=0.3527,
    data=1488.0,
    data_exponent=0.3527,
)
"""The single-epoch law under the repetition law of ``repeated``."""

KRAJEWSKI_DENSE = DenseLaw(
    name="Krajewski 2024, dense",
    source="arXiv 2402.07871, table 2",
    fit_range="129M to 3.7B parameters",
    constant=0.47,
    size=16.3,
    size_exponent=0.126,
    data=26.7,
    data_exponent=0.127,
)
"""Dense counterpart of the next, on the same data."""

KRAJEWSKI = GranularLaw(
    name="Krajewski 2024, 64 experts",
    source="arXiv 2402.07871, table 2",
    fit_range="129M to 3.7B parameters, 64 experts, granularity 1 to 16",
    constant=0.47,
    size=18.1,
    size_exponent=0.115,
    data=30.8,
    data_exponent=0.147,
    grain=2.1,
    grain_exponent=0.58,
)
"""Granularity of experts at one expansion."""

ABNAR = SparseLaw(
    name="Abnar 2025, sparsity; Krajewski 2024, granularity",
    source="arXiv 2501.12370, table of the fitted law; arXiv 2402.07871, table 2",
    fit_range="sparsity 0 to 0.95, granularity 1 to 16; parameters far below those of current models",
    constant=0.94,
    size=16612.50,
    size_exponent=0.5962,
    data=5455.67,
    data_exponent=0.3954,
    sparse=0.4598,
    sparse_exponent=0.1666,
    mixed=17.26,
    mixed_sparse_exponent=0.1603,
    mixed_size_exponent=0.1595,
    fine=KRAJEWSKI,
    reference_granularity=12.0,
)
"""Dense and sparse models of any sparsity in one law. Default for comparisons at equal loss.

The reference granularity is that of Ling-mini-beta (arXiv 2507.17702), which neither paper saw: read there, the law puts
its dense equal at 7.4B parameters, published 6.1B. Read at 1 it would say 19B.
"""

LAWS: dict[str, DenseLaw | GranularLaw | SparseLaw] = {
    "hoffmann": HOFFMANN,
    "besiroglu": BESIROGLU,
    "sardana": SARDANA,
    "muennighoff": MUENNIGHOFF,
    "krajewski-dense": KRAJEWSKI_DENSE,
    "krajewski": KRAJEWSKI,
    "abnar": ABNAR,
}
"""Built-in laws by the name that a user types."""


@dataclass(frozen=True)
class Allocation:
    """Compute-optimal tokens as a power of the budget, D = k C^a, published without a law of loss."""

    name: str
    source: str
    fit_range: str
    coefficient: float
    exponent: float

    def tokens(self, flop: Number) -> Array:
        """Training tokens for a budget in FLOP; parameters are ``flop / (6 tokens)``."""
        return np.asarray(self.coefficient * np.asarray(flop, dtype=float) ** self.exponent)


LLAMA3 = Allocation(
    name="Llama 3 isoFLOP",
    source="arXiv 2407.21783, section 3.2.1",
    fit_range="6e18 to 1e22 FLOP",
    coefficient=0.299,
    exponent=0.537,
)
"""Printed as 0.29 C^0.53, which at 3.8e25 FLOP is 10 T tokens; the paper says 16.55 T, which these digits return (16.3 T)."""

DEEPSEEK = Allocation(
    name="DeepSeek LLM 2024",
    source="arXiv 2401.02954, section 3.2",
    fit_range="1e17 to 3e20 FLOP",
    coefficient=5.8316,
    exponent=0.4757,
)
"""Its compute is non-embedding FLOP per token, attention included, times tokens; read here as 6 N D."""

ALLOCATIONS: dict[str, Allocation] = {"llama3": LLAMA3, "deepseek": DEEPSEEK}
"""Laws of allocation alone, by the name that a user types."""
