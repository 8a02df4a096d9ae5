"""Real options and leverage in words, tables and rows; answer first."""

from __future__ import annotations

import textwrap
from dataclasses import asdict, dataclass
from typing import Any

from exaplan.domain.options import LeverageAnswer, LumpOption, OptionsAnswer
from exaplan.report.perf_tables import grid_text
from exaplan.report.wording import NOT_KNOWN, percent, plural, usd

SCHEMA_VERSION = 1
NOTE_WIDTH = 100
ROUNDING = 1e-6
"""Share of the plan's value below which a difference of two plans is the solver's rounding."""


@dataclass(frozen=True)
class Grid:
    """One table as people read it."""

    key: str
    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: tuple[str, ...]  # heads of columns that hold words
    note: str = ""


def headline(answer: OptionsAnswer) -> str:
    """Say what to start, with whom and by when, in one or two sentences."""
    if not answer.starts:
        others = lump_sentences(answer)
        if others and any(option.begins for option in answer.options):
            return f"Start no silicon of one's own: {' '.join(others)}"
        return "Start nothing: no lump is worth what it costs in any future of the tree."
    first = answer.starts[0]
    now = first.quarter == answer.first_quarter and first.probability > 1 - 1e-9
    whole = next((o for o in answer.options if o.lump == first.program), answer.options[0])
    when = (
        "now"
        if now
        else f"from {first.quarter}, in {percent(sum(s.probability for s in answer.starts if s.program == first.program), 0)} of futures"
    )
    text = f"Start {first.program} with foundry {first.foundry} {when}: worth {usd(whole.worth_usd)} over never starting it"
    if whole.latest is not None:
        text += f"; after {whole.latest} it is too late"
    return text + "."


def lump_sentences(answer: OptionsAnswer) -> tuple[str, ...]:
    """Say of each lump that is not own silicon whether to start it, when, and what it is worth."""
    silicon = {way.choice for way in answer.chip_costs}
    found = []
    for option in answer.options:
        if any(way == option.lump or way.startswith(f"{option.lump}-") for way in silicon):
            continue
        if not option.begins:
            found.append(f"{option.lump}: never, in no future of the tree.")
            continue
        chance = sum(begin.probability for begin in option.begins)
        first = option.begins[0]
        when = (
            "now"
            if first.quarter == answer.first_quarter and first.probability > 1 - 1e-9
            else f"wait, then from {first.quarter} in {percent(chance, 0)} of futures"
        )
        late = f"; after {option.latest} it is too late" if option.latest else ""
        found.append(f"{option.lump}: {when}; worth {usd(option.worth_usd)} over never{late}.")
    return tuple(found)


def foundry_sentence(answer: OptionsAnswer) -> str:
    """Compare the ways of the program that is started, or of the first one."""
    programs = [
        option
        for option in answer.options
        if any(w.choice.startswith(f"{option.lump}-") for w in answer.chip_costs)
    ]
    if not programs:
        return ""
    program = programs[0].lump
    ways = sorted((o for o in answer.options if o.lump.startswith(f"{program}-")), key=lambda o: -o.best_usd)
    if len(ways) < 2:
        return ""
    best, second = ways[0], ways[1]
    return f"{best.lump} is worth {usd(best.best_usd - second.best_usd)} more than {second.lump}."


def grids(answer: OptionsAnswer) -> tuple[Grid, ...]:
    """All tables: go, wait and never; by quarter; chip costs; starts; leverage."""
    found = [_values(answer), _by_quarter(answer), _costs(answer), _starts(answer)]
    if answer.leverage is not None:
        found += [_bargains(answer.leverage), _prices(answer.leverage)]
    return tuple(grid for grid in found if grid.rows)


def _values(answer: OptionsAnswer) -> Grid:
    def begins(option: LumpOption) -> str:
        return (
            ", ".join(
                b.quarter if b.probability > 1 - 1e-9 else f"{b.quarter} ({percent(b.probability, 0)})"
                for b in option.begins
            )
            or "never"
        )

    def over(value: float | None, option: LumpOption) -> str:
        return NOT_KNOWN if value is None else _worth(value - option.never_usd, answer, signed=True)

    return Grid(
        key="values",
        title="Go, wait, never",
        heads=("lump", "go now", "wait", "best", "others adapt", "within", "right to wait", "too late after", "best plan"),
        rows=tuple(
            (o.lump, over(o.go_usd, o), over(o.wait_usd, o), _worth(o.worth_usd, answer, signed=True), _adapted(o, answer), usd(o.gap * abs(o.never_usd)), _worth(o.waiting_usd, answer),
             o.latest or "never worth it", begins(o))
            for o in answer.options
        ),
        words=("lump", "too late after", "best plan"),
        note="Value of the plan over one that never starts it. Others adapt: best over never with the "
        "other lumps planned anew. Within: what the search left open. Wait: not before the second quarter. Right to wait: best less "
        "the better of go and never, what a now-or-never decision would lose.",
    )  # fmt: skip


def _adapted(option: LumpOption, answer: OptionsAnswer) -> str:
    if option.adapted_usd is None:
        return NOT_KNOWN
    return _worth(option.best_usd - option.adapted_usd, answer, signed=True)


def _by_quarter(answer: OptionsAnswer) -> Grid:
    quarters = sorted({row.quarter for option in answer.options for row in option.by_quarter})
    worth = [{row.quarter: row.above_never_usd for row in o.by_quarter} for o in answer.options]
    return Grid(
        key="by_quarter",
        title="What waiting costs: value over never, if not started before the quarter",
        heads=("not before", *(option.lump for option in answer.options)),
        rows=tuple(
            (quarter, *(_worth(by[quarter], answer) if quarter in by else "" for by in worth))
            for quarter in quarters
        ),
        words=("not before",),
    )


def _worth(value: float, answer: OptionsAnswer, *, signed: bool = False) -> str:
    """Write a difference of two plans; what is within the solver's rounding is nothing."""
    return usd(value if abs(value) > ROUNDING * abs(answer.objective_usd) else 0.0, signed=signed)


def _costs(answer: OptionsAnswer) -> Grid:
    return Grid(
        key="chip_costs",
        title="What a chip costs",
        heads=("choice", "node", "model", "dies", "yield", "good die", "package", "price", "on floor"),
        rows=tuple(
            (c.choice, c.node, c.yield_model, str(c.dies_per_wafer), percent(c.die_yield), usd(c.good_die_usd),
             usd(c.packaged_usd), usd(c.price_usd), usd(c.installed_usd))
            for c in answer.chip_costs
        ),
        words=("choice", "node", "model"),
        note="Dies: whole ones on a wafer; model: of the yield. Package: dies, memory and assembly. Price: after the final test and "
        "the partner's margin. On floor: with server, network and hall.",
    )  # fmt: skip


def _starts(answer: OptionsAnswer) -> Grid:
    return Grid(
        key="starts",
        title="What the plan starts",
        heads=("program", "foundry", "quarter", "in futures", "engineering", "chips", "paid for chips"),
        rows=tuple(
            (s.program, s.foundry, s.quarter, percent(s.probability, 0), usd(s.nre_usd), f"{s.chips:,.0f}", usd(s.paid_usd))
            for s in answer.starts
        ),
        words=("program", "foundry", "quarter"),
        note="Expected over the tree, undiscounted, orders within the horizon.",
    )  # fmt: skip


def _bargains(leverage: LeverageAnswer) -> Grid:
    def times(value: float | None) -> str:
        return NOT_KNOWN if value is None else f"{value:.2f}"

    return Grid(
        key="bargains",
        title="Bargained price over list",
        heads=("lab's power", "without second source", "with it", "implied discount"),
        rows=tuple(
            (percent(b.power, 0), times(b.without), times(b.with_), percent(b.discount))
            for b in leverage.bargains
        ),
        words=(),
        note=f"Nash bargaining over {', '.join(leverage.incumbent)} at a margin of {percent(leverage.margin, 0)} (assumed). "
        + break_even_sentence(leverage),
    )


def break_even_sentence(leverage: LeverageAnswer) -> str:
    """Say which price cut would make up for not having the second source."""
    if leverage.break_even is None:
        return "No price cut down to the lowest price tried makes up for not having the second source."
    return f"A price cut of {percent(leverage.break_even)} makes up for not having the second source (break-even discount)."


def _prices(leverage: LeverageAnswer) -> Grid:
    return Grid(
        key="prices",
        title="Plans by the incumbent's price",
        heads=("price over list", "value without", "value with", "paid without", "paid with"),
        rows=(
            *(
                (f"{p.factor:.2f}", usd(p.without_usd), usd(p.with_usd), usd(p.paid_without_usd), usd(p.paid_with_usd))
                for p in leverage.points
            ),
            ("no deal", usd(leverage.walk_without_usd), usd(leverage.walk_with_usd), "", ""),
        ),
        words=("price over list",),
        note="Paid: present value of what the incumbent's offers oblige to pay.",
    )  # fmt: skip


def options_text(answer: OptionsAnswer, *, width: int | None = None) -> str:
    """Write the whole answer for a terminal."""
    parts = [
        " · ".join((answer.lab, answer.lab_file, plural(answer.leaves, "future"), f"gap {answer.gap:.1g}")),
        headline(answer),
        *([sentence] if (sentence := foundry_sentence(answer)) else []),
        *(lump_sentences(answer) if answer.starts else ()),
        *([break_even_sentence(answer.leverage)] if answer.leverage else []),
        "",
    ]
    for grid in grids(answer):
        parts += [
            grid_text(grid.heads, grid.rows, title=grid.title, left=grid.words, width=width),
            *_wrapped(f" {grid.note}" if grid.note else ""),
            "",
        ]
    parts += [line for remark in answer.remarks for line in _wrapped(f"- {remark}")]
    parts.append("Seconds: " + ", ".join(f"{name} {seconds:.1f}" for name, seconds in answer.timings.items()))
    return "\n".join(parts)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, NOTE_WIDTH, subsequent_indent="  ")


def options_document(answer: OptionsAnswer) -> dict[str, Any]:
    """Build the object of ``--json``: dollars, shares of 0..1, seconds."""
    whole = asdict(answer)
    for option, row in zip(answer.options, whole["options"], strict=True):
        row |= {"worth_usd": option.worth_usd, "waiting_usd": option.waiting_usd}
    if answer.leverage is not None:
        for bargain, row in zip(answer.leverage.bargains, whole["leverage"]["bargains"], strict=True):
            row["with"] = row.pop("with_")
            row["discount"] = bargain.discount
    return {"schema_version": SCHEMA_VERSION, **whole}
