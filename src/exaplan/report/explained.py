"""Alternatives, sensitivity and one offer as sheets: the words and the tables."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

from exaplan.domain.explained import Alternative, Alternatives, Sensitivity, Stood
from exaplan.report import explained_charts as charts
from exaplan.report.sheet import Picture, Section, Sheet
from exaplan.report.wording import percent, plural, quantity, usd


def source_of(stood: Stood) -> str:
    """Say which lab, which horizon and which tree."""
    tree = plural(stood.futures, "future")
    if stood.futures < stood.futures_of_plan:
        tree += f" (a thinner tree; the plan's own has {stood.futures_of_plan}: --full uses it)"
    return f"{stood.lab_file} · {plural(stood.quarters, 'quarter')} from {stood.first_quarter} · {tree}"


def listed(names: Iterable[str]) -> str:
    """Join names as a sentence does."""
    given = list(names)
    return given[0] if len(given) == 1 else f"{', '.join(given[:-1])} and {given[-1]}" if given else "nothing"


ROUNDING = 1e-8
"""Share of the objective below which a gain is written as nothing."""


def gain(value: float, objective: float, *, signed: bool = True) -> str:
    """Write a difference of objectives; the solver's rounding is nothing."""
    return usd(value, signed=signed) if abs(value) > ROUNDING * abs(objective) else "$0"


def alternatives_sheet(record: Alternatives) -> Sheet:
    """Say what the plan must have and what it is free to leave, then every quantity with its range."""
    stood = record.stood
    pictures = charts.alternatives_chart(record)
    given_up = abs(stood.objective_usd) * record.slack
    return Sheet(
        kicker="Near-optimal alternatives",
        lab=stood.lab,
        source=source_of(stood),
        say=alternatives_sentence(record),
        facts=(
            (
                "Given up",
                f"at most {percent(record.slack)} of the objective: {usd(given_up)} of {usd(stood.objective_usd)}",
            ),
            ("Read as", "each range on its own: two quantities need not reach their ends in the same plan"),
        ),
        sections=tuple(_kinds(record)),
        pictures=(
            Picture(
                "alternatives",
                "How far each decision can move",
                "Bars: least to most among the plans within the slack; dots: the plan. Each quantity over its own most.",
                pictures,
            ),
        )
        if pictures is not None
        else (),
        remarks=record.remarks,
        command=f"exaplan alternatives {shlex.quote(stood.lab_file)} --slack {100 * record.slack:g}%",
        timings=tuple(record.timings.items()),
    )


def alternatives_sentence(record: Alternatives) -> str:
    """Say in one sentence which orders every near-optimal plan has, and which it can do without."""
    orders = [row for row in record.rows if row.kind == "ordered in all"]
    now = [row for row in record.rows if row.kind == "signed now"]
    if not orders:
        return "Nothing can be signed in this lab: there is nothing to choose between."
    parts = []
    for rows, what in ((orders, "over the whole plan"), (now, f"in {record.stood.first_quarter}")):
        must = [row.name for row in rows if row.standing == "must have"]
        free = [row.name for row in rows if row.standing == "free"]
        if rows:
            text = f"{what} {listed(must)} {'are' if len(must) > 1 else 'is'} must-have"
            parts.append(text + (f" and {listed(free)} can be left out" if free else ""))
    return f"Giving up {percent(record.slack)} of value, " + "; ".join(parts) + "."


WORDS = {"must have": "must have", "free": "can be none", "never": "never"}


def _kinds(record: Alternatives) -> Iterable[Section]:
    for kind in dict.fromkeys(row.kind for row in record.rows):
        rows = tuple(_cells(row) for row in record.rows if row.kind == kind)
        yield Section(KINDS.get(kind, kind), ("", "plan ", "least ", "most ", ""), rows)


KINDS = {
    "ordered in all": "Ordered over the whole plan: expected chips",
    "signed now": "Signed in the first quarter: chips",
    "chip family": "By chip, all its offers: expected chips",
    "supplier": "By supplier, all its offers: expected chips",
    "rented": "Rented by the hour: expected chip-hours",
    "development": "Development: expected FLOP",
    "raised": "Raised: expected dollars",
    "left": "Contracts left before their end, expected share",
}


def _cells(row: Alternative) -> tuple[str, ...]:
    numbers = (_counted(value, row.unit) for value in (row.plan, row.least, row.most))
    return (row.name, *numbers, WORDS[row.standing])


def _counted(value: float, unit: str) -> str:
    if unit == "chip":
        return f"{round(value):,}"
    return quantity(value, "USD" if unit == "USD" else "share" if unit == "share" else "").strip()


def sensitivity_sheet(record: Sensitivity) -> Sheet:
    """Name the inputs that move the value most, one at a time and all together."""
    stood = record.stood
    drawn = (
        (
            "tornado",
            "One input at a time",
            "The plan's objective with one input at its low (orange) and high (blue) end, solved again; gray line: as planned.",
            charts.tornado_chart(record.swings, stood.objective_usd),
        ),
        (
            "morris",
            "All inputs together",
            (
                "Elementary effects (Morris 1991; mu* of Campolongo et al. 2007) over each input's range. Right: matters. High: how "
                "much it matters depends on the other inputs. Dashed: sigma equals mu*. Gray bars: 90 % interval of mu*."
            ),
            charts.morris_chart(record),
        ),
    )
    return Sheet(
        kicker="Sensitivity",
        lab=stood.lab,
        source=source_of(stood),
        say=sensitivity_sentence(record),
        facts=(),
        sections=tuple(_sensitivity_sections(record)),
        pictures=tuple(
            Picture(key, title, words, chart) for key, title, words, chart in drawn if chart is not None
        ),
        remarks=record.remarks,
        command=f"exaplan sensitivity {shlex.quote(stood.lab_file)} --trajectories {record.trajectories} --seed {record.seed}",
        timings=tuple(record.timings.items()),
    )


def sensitivity_sentence(record: Sensitivity) -> str:
    """Name the three inputs of most effect, and those that act through others."""
    if not record.swings:
        return "No input of this lab can be moved."
    first = [swing.name for swing in record.swings[:3]]
    text = f"The value turns on {listed(first)}"
    tangled = [
        effect.name
        for effect in record.effects[:5]
        if effect.sigma_usd > 0.5 * effect.mu_star_usd and effect.mu_star_usd > 0
    ]
    return text + (
        f"; how much {listed(tangled[:3])} matter depends on the other inputs." if tangled else "."
    )


def _sensitivity_sections(record: Sensitivity) -> Iterable[Section]:
    base = record.stood.objective_usd
    rows = tuple(
        (
            swing.name,
            _short(swing.low),
            gain(swing.at_low_usd - base, base),
            _short(swing.high),
            gain(swing.at_high_usd - base, base),
            _place(swing.source),
        )
        for swing in record.swings
    )
    yield Section(
        f"One input at a time, against {usd(base)}",
        ("input", "at", "value ", "at", "value ", "line "),
        rows,
    )
    if record.effects:
        effects = tuple(
            (
                effect.name,
                gain(effect.mu_star_usd, base, signed=False),
                f"{gain(effect.mu_star_low_usd, base, signed=False)} to {gain(effect.mu_star_high_usd, base, signed=False)}",
                gain(effect.mu_usd, base),
                gain(effect.sigma_usd, base, signed=False),
            )
            for effect in record.effects
        )
        yield Section(
            "All inputs together (Morris): effect of an input over its range",
            ("input", "mu* ", "90 % interval ", "mean ", "sigma "),
            effects,
            f"{record.trajectories} trajectories, {record.solves} solves on a tree of {record.screened_futures} futures, seed {record.seed}.",
        )


def _short(text: str) -> str:
    return text if len(text) <= 14 else f"{text[:13]}…"


def _place(source: str) -> str:
    """Write an origin shortly: the line of the lab file, or the first words of where it comes from."""
    line = re.match(r"[^:]+:(\d+)", source)
    if line:
        return line[1]
    return "model" if source.startswith("spread") else source.split(" ", maxsplit=1)[0]
