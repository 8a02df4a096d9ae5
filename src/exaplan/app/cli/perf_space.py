"""The design space behind ``exaplan perf codesign``: what each layer may choose, and what is assumed about it."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from exaplan.app.cli.perf_names import names_of
from exaplan.capability.laws import LAWS, DenseLaw, GranularLaw, ScalingLaw, SparseLaw
from exaplan.domain.calibration import Calibration
from exaplan.domain.errors import InputError, Problem
from exaplan.domain.technology import Model
from exaplan.io.calibration import load_calibration
from exaplan.io.catalogue import load_chips
from exaplan.perf.codesign.cells import FUSED_VALUES, FUSION_TOKENS, UNFUSED_VALUES, Kernels, Layout, Workload
from exaplan.perf.codesign.drawing import Uncertainty
from exaplan.perf.codesign.inherited import KnobsOf, Relatives, fitted_spread, inherited_knobs
from exaplan.perf.codesign.shapes import Reference, family
from exaplan.perf.codesign.silicon import TECHNOLOGY, Budget, Silicon, candidates, filled, over_budget
from exaplan.perf.codesign.space import Space, Weighing
from exaplan.perf.counts import is_mla
from exaplan.perf.serving import ServeRequest
from exaplan.perf.training import TrainRequest

KNOB_LOG_SD = {
    "flop_share": 0.08,
    "flop_share_fp8": 0.12,
    "memory_share": 0.08,
    "expert_share": 0.15,
    "attention_decode_share": 0.20,
    "link_share": 0.15,
    "network_share": 0.20,
    "expert_exposed": 0.30,
    "training_share": 0.10,
    "elementwise_values": 0.15,
}
"""Assumed, about the spread between chips of one class; chips of one kind of matrix unit err together.

Used where no calibration is: with one, its covariance says how sure the coefficients are.
"""
EXPONENT_LOG_SD = 0.05
"""Assumed: the sparse law was published without standard errors."""
SRAM_BYTES = 60e6
REPLICA_CHIPS = 64.0
_RELATIVES = ("H100-SXM", "TPU-v6e-Trillium")


@dataclasses.dataclass(frozen=True)
class Question:
    """One co-design question, ready to be searched."""

    space: Space
    workload: Workload
    law: ScalingLaw
    laws: tuple[ScalingLaw, ...]
    reference: Reference
    weighing: Weighing
    knobs: KnobsOf
    calibration: Calibration | None
    uncertainty: Uncertainty | None
    budget: Budget

    def assumptions(self) -> list[str]:
        """List what the answer stands on and nobody measured."""
        tech, base = TECHNOLOGY, self.space.silicon[0]
        lines = [
            "Assumed, not measured:",
            (
                f"  silicon at {base.node}, {base.memory}: {tech.stack_mm2:g} mm2 a memory stack, "
                f"{tech.link_mm2_per_byte_per_s * 1e11:g} mm2 per 100 GB/s of links, fabric {tech.fabric_share:.0%} of the "
                f"die, leakage {tech.leakage_w_per_mm2:g} W/mm2, {tech.link_pj_per_bit:g} pJ/bit of links, "
                f"{SRAM_BYTES / 1e6:g} MB of SRAM;"
            ),
            (
                f"  every chip fills {self.budget.die_mm2:g} mm2 and {self.budget.power_w:g} W at the same cost, a memory "
                f"stack {self.weighing.stack:g} of it;"
            ),
            (
                f"  elementwise work moves {UNFUSED_VALUES:g} values a token and unit of width, {FUSED_VALUES:g} where fused "
                f"and {FUSION_TOKENS:g} tokens fit into SRAM;"
            ),
            "  tensor cores inherit from Hopper, systolic arrays from the TPU, software grown up;",
            f"  coefficients: {_fit(self.calibration)};",
            f"  loss: {self.law.name} ({self.law.source}), fitted on {self.law.fit_range}: extrapolated here;",
        ]
        if self.uncertainty is not None:
            spread = self.uncertainty.source
            if self.uncertainty.fitted is None:
                spread += " " + ", ".join(f"{name} {sd:g}" for name, sd in KNOB_LOG_SD.items())
            lines.append(f"  intervals: {spread}; exponents of the law {EXPONENT_LOG_SD:g}.")
        return lines


def _fit(calibration: Calibration | None) -> str:
    if calibration is None:
        return "starting ones from published fits, not fitted here"
    return f"fitted {calibration.date} on {calibration.data}"


def question_of(model: Model, asked: dict[str, Any]) -> Question:
    """Build a question from typed options.

    Raises
    ------
    InputError
        Where a shape does not exist or no chip fits the budget.
    """
    budget = Budget(asked["area"], asked["power"])
    shapes = _shapes(model, asked)
    space = Space(shapes, _kernels(model), _silicon(asked, budget), _layouts(model))
    serve = ServeRequest(asked["input_tokens"], asked["output_tokens"], tpot_s=asked["tpot_s"])
    job = TrainRequest(4096.0, asked["batch"], asked["job_chips"])
    law = LAWS[asked["law"]]
    laws = _drawn(law, asked["draws"], asked["seed"])
    calibration = None if asked["uncalibrated"] else load_calibration()
    relatives = Relatives(*(load_chips()[name] for name in _RELATIVES))
    return Question(
        space=space,
        workload=Workload(serve, job, asked["served"], REPLICA_CHIPS),
        law=law,
        laws=laws,
        reference=Reference(model, asked["trained"]),
        weighing=Weighing(chip=1.0, stack=asked["stack_weight"]),
        knobs=inherited_knobs(relatives, calibration),
        calibration=calibration,
        uncertainty=_uncertainty(relatives, calibration, laws, asked["seed"], sparse=model.experts > 0),
        budget=budget,
    )


def _uncertainty(
    relatives: Relatives,
    calibration: Calibration | None,
    laws: tuple[ScalingLaw, ...],
    seed: int,
    *,
    sparse: bool,
) -> Uncertainty | None:
    """Spread that the fit leaves, or the assumed one without a fit; none where no law is drawn."""
    if not laws:
        return None
    if calibration is None:
        return Uncertainty(laws, seed, knob_log_sd=KNOB_LOG_SD)
    generator = np.random.default_rng([seed, 1])  # apart from the stream that drew the laws
    spread = fitted_spread(relatives, calibration, generator, len(laws), sparse=sparse)
    return Uncertainty(laws, seed, fitted=spread)


def whole_numbers(option: str, text: str | None) -> tuple[int, ...] | None:
    """Read whole numbers with commas."""
    if text is None:
        return None
    try:
        found = tuple(int(name) for name in names_of(text))
    except ValueError:
        found = ()
    if not found or min(found) < 1:
        raise InputError(Problem(f"{option} {text!r}: whole positive numbers with commas are needed"))
    return found


def links_of(text: str) -> tuple[float, ...]:
    """Read bandwidths with their units and commas."""
    from exaplan.io.units import QuantityError, convert

    try:
        return tuple(convert(part, "B/s") for part in names_of(text))
    except QuantityError as error:
        raise InputError(Problem(f"--links: {error.reason}", suggestion=error.suggestion)) from error


def _shapes(model: Model, asked: dict[str, Any]) -> tuple[Model, ...]:
    sparse = model.experts > 0
    if not sparse and (asked["widths"] or asked["experts"]):
        raise InputError(
            Problem(f"{model.id} is dense: it has no experts to reshape", suggestion="--depths 60,100")
        )
    widths = asked["widths"] or ((model.expert_ffn // 2, model.expert_ffn * 2) if sparse else ())
    counts = asked["experts"] or ((model.experts // 2, model.experts * 2) if sparse else ())
    around = () if sparse else (round(0.75 * model.layers), round(1.25 * model.layers))
    depths = asked["depths"] or around
    try:
        return family(
            model,
            expert_widths=[width for width in widths if width != model.expert_ffn],
            expert_counts=[count for count in counts if count != model.experts],
            depths=[depth for depth in depths if depth != model.layers],
        )
    except ValueError as error:
        raise InputError(
            Problem(str(error), suggestion="choose other --widths, --experts or --depths")
        ) from error


def _kernels(model: Model) -> tuple[Kernels, ...]:
    """Precision and fusion; with latent attention also whether it is absorbed, as its publishers do, or expanded."""
    found = (
        Kernels("bf16", "bf16", "bf16", fused=False),
        Kernels("bf16, fused", "bf16", "bf16", fused=True),
        Kernels("fp8 to serve, fused", "fp8", "bf16", fused=True),
        Kernels("fp8, fused", "fp8", "fp8", fused=True),
    )
    if not is_mla(model):
        return found
    return found + tuple(dataclasses.replace(one, id=f"{one.id}, expanded", absorbed=False) for one in found)


def _layouts(model: Model) -> tuple[Layout, ...]:
    searched = Layout("searched")
    if not model.experts:
        return Layout("tp 8", tp=8.0), searched
    return (
        Layout("tp 8, experts split", tp=8.0, spread=False),
        Layout("experts spread", spread=True),
        searched,
    )


def _silicon(asked: dict[str, Any], budget: Budget) -> tuple[Silicon, ...]:
    """Chips of every combination, the first of every list being the baseline's choice; tensor cores come first."""
    tiles, stacks, links, domains = asked["tiles"], asked["stacks"], asked["links"], asked["domains"]
    start = Silicon("start", tiles[0], 1, SRAM_BYTES, "hbm3e", stacks[0], links[0])
    if over_budget(filled(start, budget), budget):
        raise InputError(
            Problem(
                f"the first chip does not fit: {'; '.join(over_budget(filled(start, budget), budget))}",
                suggestion="a larger --area or --power, fewer --stacks or slower --links",
            )
        )
    found: list[Silicon] = []
    for domain in domains:
        base = dataclasses.replace(start, domain=domain)
        chips = candidates(
            base, budget, tiles=tiles, stacks=stacks, sram_bytes=(SRAM_BYTES,), links_bytes_per_s=links
        )
        found += [dataclasses.replace(chip, id=_name(chip), torus_axes=_axes(chip)) for chip in chips]
    return tuple(found)


def _name(chip: Silicon) -> str:
    unit = "tensor cores" if not chip.systolic else f"{chip.tile} x {chip.tile} arrays"
    return f"{unit}, {chip.stacks} stacks, {chip.link_bytes_per_s / 1e9:g} GB/s, domain {chip.domain}"


def _axes(chip: Silicon) -> int:
    """Systolic chips join in a torus beyond one tray, tensor cores behind switches, as built today."""
    return 3 if chip.systolic and chip.domain > 8 else 0


def _drawn(law: ScalingLaw, draws: int, seed: int) -> tuple[ScalingLaw, ...]:
    """Laws with drawn coefficients; one that was published without any spread is taken as it stands."""
    generator = np.random.default_rng(seed)
    if draws == 0:
        return ()
    if isinstance(law, SparseLaw):
        sparse = law.drawn(generator, draws, exponent_log_sd=EXPONENT_LOG_SD)
        return tuple(sparse.pick(i) for i in range(draws))
    if isinstance(law, DenseLaw) and law.standard_errors is not None:
        dense = law.drawn(generator, draws)
        return tuple(dense.pick(i) for i in range(draws))
    if isinstance(law, GranularLaw | DenseLaw):
        return (law,) * draws
    raise TypeError(f"no draws of {law.name}")
