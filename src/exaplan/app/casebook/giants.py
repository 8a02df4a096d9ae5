"""What the cases of giant models share: their shape, their chips at a domain, and the time to train them."""

from __future__ import annotations

from exaplan.app.scaling.job import RECOVERY, fitted_exponent
from exaplan.domain.technology import Chip, Model
from exaplan.io.calibration import load_calibration
from exaplan.io.catalogue import load_chips, load_models
from exaplan.perf.calibration.coefficients import calibrated_knobs
from exaplan.perf.giant import scaled
from exaplan.perf.goodput import failure_rate_of, goodput_share
from exaplan.perf.knobs import Knobs, chip_class
from exaplan.perf.machine import Machine, Precision, machine_of

__all__ = ["DAY_S", "RECOVERY", "fitted_exponent", "giant", "machine_at", "training_days"]

DAY_S = 86400.0


def giant(base: str, total: float, exponent: float | None) -> Model:
    """Build a model of ``total`` parameters in the proportions of a published one; the fitted exponent where None."""
    return scaled(load_models()[base], total, exponent=fitted_exponent() if exponent is None else exponent)


def machine_at(name: str, domain: int, precision: Precision, knobs: Knobs | None = None) -> Machine:
    """Chip of the catalogue with another scale-up domain, at fitted or given coefficients."""
    chip: Chip = load_chips()[name]
    own = calibrated_knobs(chip, load_calibration()) if knobs is None else knobs
    return machine_of(chip.model_copy(update={"scale_up_domain": domain}), precision, own)


def training_days(name: str, tokens: float, chips: float, tokens_per_s_per_chip: float) -> float:
    """Days to train on so many tokens, failures and restarts counted."""
    rate = failure_rate_of(chip_class(load_chips()[name]))
    kept = float(goodput_share(chips, mtbf_chip_s=rate.mtbf_chip_s, recovery=RECOVERY))
    return tokens / (chips * tokens_per_s_per_chip * kept) / DAY_S
