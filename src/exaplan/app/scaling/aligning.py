"""Alignment pipelines compared: FLOP by phase -> chip-hours -> dollars; what AI feedback costs against people."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from exaplan.capability.alignment import (
    CHECKERS,
    COMPARISONS,
    DEMONSTRATIONS,
    PF_DAY,
    PROBLEMS,
    Phase,
    Policy,
    Sampled,
    human_labels,
    oversight_share,
    phases_of,
)
from exaplan.capability.drawn import quantile
from exaplan.capability.forms import Array
from exaplan.domain.alignment import (
    AlignmentStudy,
    Constitutional,
    HumanFeedback,
    Preferring,
    Tuned,
    Verifiable,
)
from exaplan.domain.casebook import Plot, Table, Value
from exaplan.domain.finding import Finding
from exaplan.domain.technology import Chip, Model
from exaplan.domain.uncertain import Uncertain
from exaplan.economy.compute_bill import chip_hours, crossover_label_price, rent_usd
from exaplan.perf.counts import attention_flop_per_context_token, parameters


@dataclass(frozen=True)
class Rent:
    """Price of a chip-hour and where it comes from."""

    usd_per_chip_h: float
    source: str


@dataclass(frozen=True)
class Costed:
    """One pipeline over draws: phases, and totals of shape [draw]."""

    id: str
    phases: tuple[Phase, ...]
    hours: tuple[Array, ...]  # of chips, by phase
    paid_usd: tuple[Array, ...]  # to people and for checkers, by phase
    flop: Array
    chip_usd: Array
    people_usd: Array  # labels, demonstrations, problems, checkers
    labels: float

    @property
    def usd(self) -> Array:
        """Chips and people together."""
        return np.asarray(self.chip_usd + self.people_usd)

    def paid_for(self, name: str) -> Array:
        """Dollars to people in the phases of a name."""
        paid = zip(self.phases, self.paid_usd, strict=True)
        return np.asarray(sum((usd for phase, usd in paid if phase.name == name), np.zeros(1)))


def sampler(seed: int, draws: int) -> Sampled:
    """Draws of a field, the same for every pipeline that has it; one median draw where ``draws`` is 0."""

    def sample(name: str, value: Uncertain) -> Array:
        if draws == 0:
            return value.at(np.zeros(1))
        generator = np.random.default_rng([seed, zlib.crc32(name.encode())])
        return value.at(generator.standard_normal(draws))

    return sample


def policy_of(study: AlignmentStudy, model: Model | None) -> Policy:
    """Policy of a study: exact counts of a catalogue model, or the parameters as typed."""
    if model is None:
        return Policy(float(study.parameters or 0.0))
    attention = model.layers * float(attention_flop_per_context_token(model, absorbed=False))
    return Policy(float(parameters(model).active), attention)


def cost(
    study: AlignmentStudy, policy: Policy, chip: Chip, usd_per_chip_h: float, sample: Sampled
) -> tuple[Costed, ...]:
    """Every pipeline with its chip-hours and dollars."""
    peak = chip.bf16_flop_per_s or (chip.fp8_flop_per_s or 0.0) / 2
    shares = {"generate": study.generate_mfu, "read": study.read_mfu, "train": study.train_mfu}
    overhead = sample("overhead", study.overhead)
    found = []
    for one in study.pipelines:
        phases = phases_of(one, policy, sample, overhead)
        hours = tuple(chip_hours(phase.flop, peak * shares.get(phase.work, 1.0)) for phase in phases)
        nothing = np.zeros_like(overhead)
        prices = _prices(one, sample)
        paid = tuple(np.asarray(phase.units * prices.get(phase.name, 0.0)) for phase in phases)
        found.append(
            Costed(
                id=one.id,
                phases=phases,
                hours=hours,
                paid_usd=paid,
                flop=sum((phase.flop for phase in phases), nothing),
                chip_usd=rent_usd(sum(hours, nothing), usd_per_chip_h),
                people_usd=sum(paid, nothing),
                labels=human_labels(one),
            )
        )
    return tuple(found)


def _prices(one: Tuned, sample: Sampled) -> dict[str, Array | float]:
    """USD per answer, comparison, problem or processor-hour."""
    found: dict[str, Array | float] = {DEMONSTRATIONS: one.demonstration_price_usd}
    if isinstance(one, Preferring):
        found[COMPARISONS] = sample("label_price", one.label_price)
    if isinstance(one, Verifiable):
        found |= {PROBLEMS: one.checkable_price_usd, CHECKERS: one.checker_usd_per_h}
    return found


def align_finding(
    study: AlignmentStudy, model: Model | None, chip: Chip, price: Rent, *, draws: int = 2000, seed: int = 1
) -> Finding:
    """Compare the pipelines of a study, central values and intervals."""
    policy = policy_of(study, model)
    central = cost(study, policy, chip, price.usd_per_chip_h, sampler(seed, 0))
    drawn = cost(study, policy, chip, price.usd_per_chip_h, sampler(seed, draws))
    pretraining = 3 * float(policy.forward(study.pretraining_tokens, 1.0))
    against, values = _against(study, central, drawn, pretraining)
    tables = [_totals(central, drawn, pretraining)]
    tables += [against] if against else []
    tables += [_oversight(study, policy, central, chip, price), *(_by_phase(one) for one in central)]
    plot = Plot(
        "Compute by pipeline and kind of work", "", "PF-days",
        tuple((work, one.id, float(sum(float(p.flop.reshape(-1)[0]) for p in one.phases if p.work == work)) / PF_DAY)
              for work in ("generate", "read", "train") for one in central),
    )  # fmt: skip
    notes = (
        f"Policy of {policy.parameters / 1e9:.3g} B active parameters"
        + (", attention counted exactly" if policy.attention else ", attention left out")
        + f"; pretraining {pretraining:.2e} FLOP. Overhead multiplies every FLOP; lengths are drawn alike for all pipelines.",
        (
            f"{chip.id} at {study.train_mfu:.0%} (train), {study.read_mfu:.0%} (read), {study.generate_mfu:.0%} (generate) of its BF16 peak; "
            f"{price.usd_per_chip_h:g} USD per chip-hour: {price.source}."
        ),
        f"Intervals: 5 to 95 % over {draws} draws of what the file gives as `a to b`.",
    )
    document: dict[str, Any] = {
        "pipelines": {
            one.id: _values(one, spread, pretraining) for one, spread in zip(central, drawn, strict=True)
        },
        "against_human_feedback": values,
        "pretraining_flop": pretraining,
        "oversight_share_of_serving": float(oversight_share(study.guard, study.guard_passes)),
    }
    return Finding(_sentence(central, drawn, pretraining, values), tuple(tables), (plot,), notes, document)


def _one(value: Array) -> float:
    return float(np.asarray(value).reshape(-1)[0])


def _totals(central: tuple[Costed, ...], drawn: tuple[Costed, ...], pretraining: float) -> Table:
    rows: list[tuple[Value, ...]] = []
    for one, spread in zip(central, drawn, strict=True):
        share = spread.flop / pretraining
        rows.append(
            (
                one.id, _one(one.flop), 100 * _one(one.flop) / pretraining, 100 * quantile(share, 0.05), 100 * quantile(share, 0.95),
                _one(sum(one.hours, np.zeros(1))) / 1e3, _one(one.chip_usd) / 1e6, _one(one.people_usd) / 1e6,
                _one(one.usd) / 1e6, quantile(spread.usd, 0.05) / 1e6, quantile(spread.usd, 0.95) / 1e6,
            )
        )  # fmt: skip
    columns = (
        "pipeline", "FLOP", "% of pretraining", "5 %", "95 %", "k chip-hours", "M USD chips", "M USD people", "M USD", "5 % ", "95 % ",
    )  # fmt: skip
    return Table("Pipelines", columns, tuple(rows))


def _against(
    study: AlignmentStudy, central: tuple[Costed, ...], drawn: tuple[Costed, ...], pretraining: float
) -> tuple[Table | None, dict[str, Any]]:
    """Every other pipeline against the first with human feedback."""
    places = [place for place, one in enumerate(study.pipelines) if isinstance(one, HumanFeedback)]
    if not places:
        return None, {}
    base = places[0]
    rows: list[tuple[Value, ...]] = []
    values: dict[str, Any] = {}
    for place, one in enumerate(study.pipelines):
        if place == base:
            continue
        ratio = drawn[place].flop / drawn[base].flop
        middle = _one(central[place].flop) / _one(central[base].flop)
        price: Value = None
        ends: tuple[Value, Value] = (None, None)
        if isinstance(one, Constitutional | HumanFeedback):
            prices = [_crossover(side[base], side[place]) for side in (central, drawn)]
            price = _one(prices[0])
            ends = (quantile(prices[1], 0.05), quantile(prices[1], 0.95))
        cheaper = float(np.mean(drawn[place].usd < drawn[base].usd))
        more = float(np.mean(ratio > 1))
        rows.append(
            (one.id, middle, quantile(ratio, 0.05), quantile(ratio, 0.95), more, price, *ends, cheaper)
        )
        extra = (drawn[place].flop - drawn[base].flop) / pretraining
        values[one.id] = {
            "flop_ratio": {"central": middle, "p5": quantile(ratio, 0.05), "p95": quantile(ratio, 0.95)},
            "p_more_compute": more,
            "extra_share_of_pretraining": {
                "p5": quantile(extra, 0.05),
                "p50": quantile(extra, 0.5),
                "p95": quantile(extra, 0.95),
            },
            "crossover_label_usd": {"central": price, "p5": ends[0], "p95": ends[1]},
            "p_cheaper": cheaper,
            "kind": one.kind,
            "base": central[base].id,
        }
    columns = (
        "pipeline", "times the FLOP", "5 %", "95 %", "P(more FLOP)", "cheaper above USD a label", "5 % ", "95 % ", "P(cheaper)",
    )  # fmt: skip
    note = "A negative price: less compute as well, cheaper at any price of a label. Its labels differ: quality is not compared here."
    return Table(f"Against {central[base].id}", columns, tuple(rows), note), values


def _crossover(base: Costed, other: Costed) -> Array:
    """Label price at which both cost the same, all but comparisons by people counted with compute."""
    fixed = [one.usd - one.paid_for(COMPARISONS) for one in (base, other)]
    return crossover_label_price(fixed[0], base.labels, fixed[1], other.labels)


def _oversight(
    study: AlignmentStudy, policy: Policy, central: tuple[Costed, ...], chip: Chip, price: Rent
) -> Table:
    """Oversight as a share of training and of serving."""
    pretraining = 3 * float(policy.forward(study.pretraining_tokens, 1.0))
    peak = chip.bf16_flop_per_s or (chip.fp8_flop_per_s or 0.0) / 2
    serving = 2 * policy.parameters * study.served_tokens
    guard = serving * study.guard * study.guard_passes
    usd = rent_usd(chip_hours(guard, peak * study.read_mfu), price.usd_per_chip_h)
    rows: list[tuple[Value, ...]] = [
        (
            f"{one.id}, share of training",
            _one(one.flop) / (_one(one.flop) + pretraining),
            _one(one.flop),
            _one(one.usd) / 1e6,
        )
        for one in central
    ]
    rows.append(
        (
            "monitors, share of serving",
            float(oversight_share(study.guard, study.guard_passes)),
            guard,
            float(usd) / 1e6,
        )
    )
    return Table(
        "Oversight",
        ("", "share of FLOP", "FLOP", "M USD"),
        tuple(rows),
        "Monitors read every served token as stated.",
    )


def _by_phase(one: Costed) -> Table:
    rows: list[tuple[Value, ...]] = [
        (phase.name, phase.work, _one(phase.tokens) / 1e9 or None, _one(phase.flop) or None, _one(phase.flop) / PF_DAY or None,
         _one(hours) / 1e3 or None, _one(paid) / 1e6 or None)
        for phase, hours, paid in zip(one.phases, one.hours, one.paid_usd, strict=True)
    ]  # fmt: skip
    return Table(
        f"{one.id} by phase",
        ("phase", "work", "B tokens", "FLOP", "PF-days", "k chip-hours", "M USD to people"),
        tuple(rows),
    )


def _sentence(
    central: tuple[Costed, ...], drawn: tuple[Costed, ...], pretraining: float, values: dict[str, Any]
) -> str:
    for name, one in values.items():
        if one["kind"] != "constitutional":
            continue
        ratio, extra = one["flop_ratio"], one["extra_share_of_pretraining"]
        word = "more" if ratio["central"] > 1 else "less"
        price = one["crossover_label_usd"]
        flip = (
            "cheaper at any price of a label"
            if (price["central"] or 0.0) <= 0
            else f"cheaper where a human label costs more than {price['central']:.2g} USD"
        )
        return (
            f"AI feedback ({name}) takes {ratio['central']:.2g} times the compute of {one['base']} "
            f"(90 % interval {ratio['p5']:.2g} to {ratio['p95']:.2g}): {word}, not {'less' if word == 'more' else 'more'}. "
            f"The difference is {100 * extra['p50']:.2g} % of pretraining (at most {100 * extra['p95']:.2g} % at 95 %). It is {flip}; "
            f"P(cheaper) = {one['p_cheaper']:.0%}."
        )
    first, spread = central[0], drawn[0]
    share = spread.flop / pretraining
    return (
        f"{first.id}: {_one(first.flop):.2g} FLOP, {100 * _one(first.flop) / pretraining:.2g} % of pretraining "
        f"(90 % interval {100 * quantile(share, 0.05):.2g} to {100 * quantile(share, 0.95):.2g} %), {_one(first.usd) / 1e6:,.1f} M USD."
    )


def _values(one: Costed, spread: Costed, pretraining: float) -> dict[str, Any]:
    return {
        "flop": _one(one.flop),
        "share_of_pretraining": _one(one.flop) / pretraining,
        "chip_hours": _one(sum(one.hours, np.zeros(1))),
        "usd_chips": _one(one.chip_usd),
        "usd_people": _one(one.people_usd),
        "usd": {"central": _one(one.usd), "p5": quantile(spread.usd, 0.05), "p95": quantile(spread.usd, 0.95)},
        "human_labels": one.labels,
        "phases": [
            {"phase": phase.name, "work": phase.work, "tokens": _one(phase.tokens), "flop": _one(phase.flop),
             "chip_hours": _one(hours), "usd": _one(paid)}
            for phase, hours, paid in zip(one.phases, one.hours, one.paid_usd, strict=True)
        ],
    }  # fmt: skip
