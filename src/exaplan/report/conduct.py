"""What a plan decided beside signatures, in words: lines for the terminal, tables for the page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from exaplan.domain.conduct import NEVER, Conduct, Lump
from exaplan.report.wording import count, percent, plural, usd

MOST_STARTS = 4
MOST_LINES = 3
USES = {"serve": "serving", "train": "development", "safety": "safety", "internal": "internal use"}


@dataclass(frozen=True)
class Grid:
    """One table of the page: ``table`` names its data, ``words`` how many columns are flush left."""

    table: str
    title: str
    definition: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int


def started_sentence(lump: Lump) -> str:
    """Say of one lump what, when, how likely and for how much."""
    if lump.quarter == NEVER:
        return f"{lump.kind} {lump.name}: never"
    chance = "" if lump.probability > 1 - 1e-6 else f" in {percent(lump.probability, 0)} of futures"
    money = f", {usd(lump.cash_usd, signed=True)}" if abs(lump.cash_usd) >= 1 else ""
    return f"{lump.kind} {lump.name}: {lump.quarter}{chance}{money}"


def conduct_block(conduct: Conduct) -> list[tuple[str, str]]:
    """Lay all of it out as labelled lines, few of each."""
    begun = [lump for lump in conduct.started if lump.quarter != NEVER]
    never = [f"{lump.kind} {lump.name}" for lump in conduct.started if lump.quarter == NEVER]
    starts = [f"{started_sentence(lump)} ({lump.text})" for lump in begun[:MOST_STARTS]]
    if len(begun) > MOST_STARTS:
        starts.append(f"… and {len(begun) - MOST_STARTS} more in the report page")
    if never:
        starts.append(f"never: {', '.join(never)}")
    return [
        *_labelled("Started", starts),
        *_labelled("Served by", _mix(conduct.routing, "model", "share")),
        *_labelled("Priced at", _mix(conduct.price_points, "price_factor", "share")),
        *_labelled("Own use", _own_use(conduct)),
        *_labelled("Trust", _trust(conduct)),
    ]


def _labelled(label: str, texts: Iterable[str]) -> list[tuple[str, str]]:
    shown = list(texts)[: MOST_STARTS + 2]
    return [(label if not number else "", text) for number, text in enumerate(shown)]


def _mix(rows: Sequence[Any], choice: str, share: str) -> list[str]:
    """Say for each workload the shares in the first and in the last quarter."""
    told = []
    for workload in dict.fromkeys(row.workload for row in rows):
        own = [row for row in rows if row.workload == workload]
        ends = list(dict.fromkeys((own[0].quarter, own[-1].quarter)))
        parts = []
        for quarter in ends:
            here = [row for row in own if row.quarter == quarter and getattr(row, share) > 0.0005]
            shares = ", ".join(
                f"{_choice(getattr(row, choice))} {percent(getattr(row, share), 0)}" for row in here
            )
            parts.append(f"{quarter} {shares or 'nothing'}")
        told.append(f"{workload}: {'; '.join(parts)}")
    return told[:MOST_LINES]


def _choice(value: object) -> str:
    return f"{value:g} × price" if isinstance(value, float) else str(value)


def _own_use(conduct: Conduct) -> list[str]:
    told = []
    for workload in dict.fromkeys(row.workload for row in conduct.internal_use):
        own = [row for row in conduct.internal_use if row.workload == workload]
        saved, last = sum(row.saving_usd for row in own), own[-1]
        told.append(
            f"{workload}: saves {usd(saved)} in {plural(len(own), 'quarter')}; serving output "
            f"{percent(last.efficiency_share)} up in {last.quarter}"
        )
    return told[:MOST_LINES]


def _trust(conduct: Conduct) -> list[str]:
    told = []
    for workload in dict.fromkeys(row.workload for row in conduct.trust):
        own = [row for row in conduct.trust if row.workload == workload]
        premium, leaving = sum(row.premium_usd for row in own), sum(row.leaving_tokens for row in own)
        told.append(f"{workload}: premium {usd(premium)}, {count(leaving)} tokens of customers leave")
    return told[:MOST_LINES]


def started_grid(conduct: Conduct) -> Grid | None:
    """Lay out what is started, one row for each quarter in which it may be."""
    if not conduct.started:
        return None
    rows = tuple(
        (
            lump.kind,
            lump.name,
            lump.quarter,
            lump.text,
            "" if lump.quarter == NEVER else percent(lump.probability, 0),
            usd(lump.cash_usd, signed=True) if abs(lump.cash_usd) >= 1 else "",
        )
        for lump in conduct.started
    )
    return Grid(
        "started",
        "What is started",
        "Each is started once or never. Where it may be started in several quarters it has a row for each, with the share of "
        "futures. Money is what it brings or takes by its own terms where it is started, undiscounted.",
        ("What", "Name", "Start", "", "Futures", "Money"),
        rows,
        4,
    )


def mix_grids(conduct: Conduct) -> list[Grid]:
    """Lay out who serves at what price, in which hours, own use, trust and what one more chip earns."""
    made = (
        _routing(conduct), _prices(conduct), _internal(conduct), _trusted(conduct), _blocks(conduct), _margins(conduct),
    )  # fmt: skip
    return [grid for grid in made if grid is not None]


def _by_quarter(
    rows: Sequence[Any], names: Callable[[Any], tuple[str, ...]], cell: Callable[[Any], str]
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Turn long rows round: one line for each name, one column for each quarter."""
    quarters = list(dict.fromkeys(row.quarter for row in rows))
    lines: dict[tuple[str, ...], dict[str, str]] = {}
    for row in rows:
        lines.setdefault(names(row), {})[row.quarter] = cell(row)
    table = [(*name, *(cells.get(quarter, "") for quarter in quarters)) for name, cells in sorted(lines.items(), key=lambda item: item[0][0])]  # fmt: skip
    return tuple(quarters), tuple(table)


def _routing(conduct: Conduct) -> Grid | None:
    if not conduct.routing:
        return None
    quarters, rows = _by_quarter(
        conduct.routing, lambda row: (row.workload, row.model), lambda row: percent(row.share, 0)
    )
    return Grid(
        "routing", "Who serves", "Share of each segment's tokens by model, mean over the tree.",
        ("Segment", "Model", *quarters), rows, 2,
    )  # fmt: skip


def _prices(conduct: Conduct) -> Grid | None:
    if not conduct.price_points:
        return None
    quarters, rows = _by_quarter(
        conduct.price_points,
        lambda row: (row.workload, f"{row.price_factor:g} × stated price"),
        lambda row: percent(row.share, 0),
    )
    return Grid(
        "price_points", "Prices offered",
        "Share of the quarter, or of the customers, at each price point, mean over the tree.",
        ("Workload", "Price", *quarters), rows, 2,
    )  # fmt: skip


def _internal(conduct: Conduct) -> Grid | None:
    if not conduct.internal_use:
        return None
    lines: list[tuple[str, ...]] = []
    quarters: tuple[str, ...] = ()
    for what, cell in (
        ("tokens", lambda row: count(row.tokens)),
        ("saving", lambda row: usd(row.saving_usd)),
        ("serving output gained", lambda row: percent(row.efficiency_share)),
    ):
        quarters, rows = _by_quarter(conduct.internal_use, lambda row, what=what: (row.workload, what), cell)  # type: ignore[misc]
        lines += rows
    return Grid(
        "internal_use", "Own use",
        "What the lab's own use of its models takes and brings: a saving at once, more serving output from the same chips "
        "from the next quarter on. Means over the tree.",
        ("Workload", "", *quarters), tuple(sorted(lines, key=lambda line: line[0])), 2,
    )  # fmt: skip


def _trusted(conduct: Conduct) -> Grid | None:
    if not conduct.trust:
        return None
    lines: list[tuple[str, ...]] = []
    quarters: tuple[str, ...] = ()
    for what, cell in (
        ("premium on revenue", lambda row: percent(row.premium_share)),
        ("tokens of customers who leave", lambda row: count(row.leaving_tokens)),
    ):
        quarters, rows = _by_quarter(conduct.trust, lambda row, what=what: (row.workload, what), cell)  # type: ignore[misc]
        lines += rows
    return Grid(
        "trust", "Trust", "Premium that safety work earns, and customers who leave for want of it. Means over the tree.",
        ("Workload", "", *quarters), tuple(sorted(lines, key=lambda line: line[0])), 2,
    )  # fmt: skip


def _blocks(conduct: Conduct) -> Grid | None:
    if not conduct.blocks:
        return None
    shares = {row.block: row.hours_share for row in conduct.blocks}
    lines: list[tuple[str, ...]] = []
    quarters: tuple[str, ...] = ()
    for what in ("serving", "development", "preemptible", "ready"):
        if not any(getattr(row, f"{what}_chips") for row in conduct.blocks):
            continue
        quarters, rows = _by_quarter(
            conduct.blocks,
            lambda row, what=what: (f"{row.block} ({percent(shares[row.block], 0)} of hours)", what),  # type: ignore[misc]
            lambda row, what=what: count(round(getattr(row, f"{what}_chips"))),  # type: ignore[misc]
        )
        lines += rows
    order = [f"{block} ({percent(share, 0)} of hours)" for block, share in shares.items()]
    return Grid(
        "blocks", "Chips at work by load block",
        "Chips in each part of a quarter's hours. Preemptible chips are among those of development; ready ones are held for "
        "serving, idle or on preemptible work. Means over the tree.",
        ("Hours", "Chips", *quarters), tuple(sorted(lines, key=lambda line: order.index(line[0]))), 2,
    )  # fmt: skip


def _margins(conduct: Conduct) -> Grid | None:
    if not conduct.margins:
        return None
    rows = tuple(
        (
            f"{row.chip} at {row.pool}",
            USES[row.use],
            count(round(row.chips)),
            usd(row.own_usd),
            usd(row.limits_usd, signed=True) if abs(row.limits_usd) >= 0.01 else "",
            usd(row.earns_usd),
        )
        for row in conduct.margins
    )
    return Grid(
        "margins", "What one more chip earns",
        "Dollars of value for one more chip in each use in the first quarter, everything that follows included. Where a "
        "chip earns the same by itself in all its uses, they agree and the split is right at the margin; where a use earns less, "
        "a limit (a floor, oversight, power) keeps chips there and its price makes up the difference.",
        ("Chip", "Use", "Chips at work", "By itself", "By limits", "Together"), rows, 2,
    )  # fmt: skip
