"""Charts of chips, work and service; each returns None where the answer has nothing to draw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exaplan.domain.answer import Answer, Service
from exaplan.report.drawing import (
    COUNTS,
    POWERS,
    data,
    hover,
    panel_title,
    quarter_axis,
    sparse_axis,
    width_for,
)
from exaplan.report.theme import (
    ACCENT,
    INK,
    PAPER,
    QUIET,
    WARNING,
    WORKLOAD_HUES,
    source_colors,
    workload_colors,
)
from exaplan.report.wording import count, later_decisions, now_decisions, percent

if TYPE_CHECKING:
    import altair as alt

    from exaplan.report.drawing import Chart

MOST_PANELS = 9
KIND_ORDER = {"train": 0, "safety": 1, "serve": 3}


def quarters_of(rows: tuple[Any, ...]) -> list[str]:
    """List the quarters of a table in calendar order."""
    return sorted({row.quarter for row in rows})


def chips_needed(answer: Answer) -> dict[str, float]:
    """Estimate the chips that would have served all demand, per quarter.

    Chips at work plus, for each serving workload, its unserved tokens at the tokens per chip that its
    chips reached in that quarter. A workload with unserved demand and no chip at work has no such rate:
    the quarter is left out.
    """
    work: dict[tuple[str, str], float] = {}
    needed: dict[str, float] = {}
    for row in answer.allocation:
        work[row.quarter, row.workload] = work.get((row.quarter, row.workload), 0.0) + row.chips
        needed[row.quarter] = needed.get(row.quarter, 0.0) + row.chips
    for item in answer.service:
        if item.quarter not in needed or item.unserved_tokens <= 0:
            continue
        chips = work.get((item.quarter, item.workload), 0.0)
        if item.served_tokens <= 0 or chips <= 0:
            del needed[item.quarter]
            continue
        needed[item.quarter] += item.unserved_tokens * chips / item.served_tokens
    return needed


def numbered_signatures(answer: Answer) -> list[tuple[int, str]]:
    """Give each signature the number that the answer box shows, with the date each must be signed by."""
    return [
        (number, item.sign_by)
        for number, item in enumerate([*now_decisions(answer), *later_decisions(answer)], start=1)
    ]


def _legend(colors: dict[str, str], title: str) -> alt.Color:
    import altair as alt

    return alt.Color(
        f"{title}:N", scale=alt.Scale(domain=list(colors), range=list(colors.values())), legend=alt.Legend()
    )


def capacity_chart(answer: Answer) -> Chart | None:
    """Draw chips live by source, the chips that all demand would need, and the dates to sign by."""
    import altair as alt

    if not any(row.chips > 0 for row in answer.capacity):
        return None
    quarters = quarters_of(answer.capacity)
    colors = source_colors(answer)
    order = {name: number for number, name in enumerate(colors)}
    rows = [
        {
            "quarter": row.quarter,
            "source": row.source,
            "chips": row.chips,
            "order": order[row.source],
            "text": f"{row.source} · {row.quarter}|{count(round(row.chips))} {row.chip} chips, {row.kind}|"
            f"90 % of futures: {count(round(row.chips_p05))} to {count(round(row.chips_p95))}|"
            f"at work: {count(round(row.used))}",
        }
        for row in answer.capacity
        if row.chips > 0
    ]
    y = alt.Y("chips:Q", axis=alt.Axis(format="~s", labelExpr=COUNTS, title=None))
    bars = (
        alt.Chart(data(rows))
        .mark_bar()
        .encode(
            x=quarter_axis(quarters),
            y=y,
            color=_legend(colors, "source"),
            order="order:Q",
            description="text:N",
        )
    )
    layers = [bars, *_need(answer, quarters), *_flags(answer, quarters)]
    return alt.layer(*layers).properties(width=width_for(quarters), height=300)


def _need(answer: Answer, quarters: list[str]) -> list[alt.Chart]:
    import altair as alt

    rows = [
        {
            "quarter": quarter,
            "chips": chips,
            "text": f"All demand · {quarter}|would need {count(round(chips))} chips",
        }
        for quarter, chips in sorted(chips_needed(answer).items())
        if quarter in quarters
    ]
    if not rows or not answer.service:
        return []
    base = alt.Chart(data(rows)).encode(x=quarter_axis(quarters), y="chips:Q", description="text:N")
    return [
        base.mark_line(color=INK, strokeDash=[5, 3], strokeWidth=1.5),
        base.mark_point(color=INK, filled=True, size=22, opacity=1),
    ]


def _flags(answer: Answer, quarters: list[str]) -> list[alt.Chart]:
    import altair as alt

    marks: dict[str, list[int]] = {}
    for number, quarter in numbered_signatures(answer):
        if quarter in quarters:
            marks.setdefault(quarter, []).append(number)
    if not marks:
        return []
    rows = [
        {
            "quarter": quarter,
            "label": "·".join(map(str, numbers)) if len(numbers) <= 3 else f"{numbers[0]}…{numbers[-1]}",
            "text": f"Sign by {quarter}|number {', '.join(map(str, numbers))} in the answer",
        }
        for quarter, numbers in marks.items()
    ]
    base = alt.Chart(data(rows)).encode(x=quarter_axis(quarters), description="text:N")
    return [
        base.mark_rule(color=WARNING, strokeWidth=1, strokeDash=[2, 2]),
        base.mark_point(color=WARNING, filled=True, shape="triangle-down", size=60, opacity=1).encode(
            y=alt.value(-4)
        ),
        base.mark_text(color=WARNING, baseline="bottom", dy=-12, fontWeight="bold").encode(
            y=alt.value(0), text="label:N"
        ),
    ]


def allocation_chart(answer: Answer) -> Chart | None:
    """Draw each use's share of the chips at work, development at the bottom under the floor's own line."""
    import altair as alt

    totals: dict[str, float] = {}
    cells: dict[tuple[str, str, str], float] = {}
    for row in answer.allocation:
        totals[row.quarter] = totals.get(row.quarter, 0.0) + row.chips
        key = (row.quarter, row.workload, row.kind)
        cells[key] = cells.get(key, 0.0) + row.chips
    if not any(total > 0 for total in totals.values()):
        return None
    quarters = quarters_of(answer.allocation)
    colors = workload_colors(answer)
    position = {name: number for number, name in enumerate(colors)}
    order = {workload: 100 * KIND_ORDER.get(kind, 2) + position[workload] for _, workload, kind in cells}
    rows = [
        {
            "quarter": quarter,
            "workload": workload,
            "share": chips / totals[quarter],
            "order": order[workload],
            "text": f"{workload} · {quarter}|{percent(chips / totals[quarter])} of chips at work|"
            f"{count(round(chips))} chips",
        }
        for (quarter, workload, _), chips in cells.items()
        if totals[quarter] > 0
    ]
    shown = sorted(order, key=lambda name: -order[name])
    bars = (
        alt.Chart(data(rows))
        .mark_bar()
        .encode(
            x=quarter_axis(quarters),
            y=alt.Y(
                "share:Q",
                axis=alt.Axis(format=".0%", title=None),
                scale=alt.Scale(domain=[0, 1]),
            ),
            color=_legend({name: colors[name] for name in shown}, "workload"),
            order="order:Q",
            description="text:N",
        )
    )
    return alt.layer(bars, *_floor(answer, quarters)).properties(width=width_for(quarters), height=260)


def _floor(answer: Answer, quarters: list[str]) -> list[alt.Chart]:
    import altair as alt

    rows = [
        {
            "quarter": row.quarter,
            "share": row.floor_share,
            "text": f"Development as the floor counts it · {row.quarter}|{percent(row.floor_share)}",
        }
        for row in answer.development
        if row.quarter in quarters
    ]
    if not rows:
        return []
    base = alt.Chart(data(rows)).encode(x=quarter_axis(quarters), y="share:Q", description="text:N")
    return [
        base.mark_tick(
            color=color, thickness=thickness, width=alt.RelativeBandSize(0.92), orient="horizontal"
        )
        for color, thickness in ((PAPER, 5.5), (INK, 2.5))
    ]


def _token_scale(rows: list[Service]) -> tuple[float, str]:
    """Choose the number word in which the tokens of one panel are counted."""
    most = max(row.demand_tokens for row in rows)
    return (1e12, "trillion") if most >= 1e12 else (1e9, "billion") if most >= 1e9 else (1e6, "million")


def _panel_rows(rows: list[Service], scale: float) -> list[dict[str, Any]]:
    return [
        {
            "quarter": row.quarter,
            "part": part,
            "tokens": tokens / scale,
            "order": number,
            "text": f"{row.workload} · {row.quarter}|asked {count(row.demand_tokens)} tokens|"
            f"served {count(row.served_tokens)}, unserved {count(row.unserved_tokens)}|"
            f"lost by earlier failures {count(row.lost_tokens)}",
        }
        for row in rows
        for number, (part, tokens) in enumerate(
            (("served", row.served_tokens), ("unserved", row.unserved_tokens))
        )
    ]


def _service_panel(rows: list[Service], color: str, quarters: list[str]) -> alt.Chart:
    import altair as alt

    scale, word = _token_scale(rows)
    title = panel_title(rows[0].workload, f"{word} tokens a quarter")
    parts = alt.Scale(domain=["served", "unserved"], range=[color, WARNING])
    axis = alt.Axis(format=",.4~r", title=None, tickCount=4)
    panel: alt.Chart = (
        alt.Chart(data(_panel_rows(rows, scale)), title=title, width=232, height=130)
        .mark_bar()
        .encode(
            x=sparse_axis(quarters),
            y=alt.Y("tokens:Q", scale=alt.Scale(nice=4), axis=axis),
            color=alt.Color("part:N", scale=parts, legend=None),
            order="order:Q",
            description="text:N",
        )
    )
    return panel


def service_chart(answer: Answer) -> Chart | None:
    """Draw tokens served and unserved for each serving workload, the largest nine, each on its own scale."""
    import altair as alt

    by_workload: dict[str, list[Service]] = {}
    for row in answer.service:
        by_workload.setdefault(row.workload, []).append(row)
    if not by_workload:
        return None
    asked = {name: sum(row.demand_tokens for row in rows) for name, rows in by_workload.items()}
    largest = sorted(by_workload, key=lambda name: (-asked[name], name))[:MOST_PANELS]
    quarters, colors = quarters_of(answer.service), workload_colors(answer)
    panels = [_service_panel(by_workload[name], colors[name], quarters) for name in largest]
    gaps = alt.RowColnumber(row=84, column=56)
    chart: Chart = alt.concat(*panels, columns=3, spacing=gaps, bounds="flush").resolve_scale(
        color="independent"
    )
    return chart


def development_chart(answer: Answer) -> Chart | None:
    """Draw development compute a quarter and the capability ratio to the frontier."""
    import altair as alt

    if not answer.development:
        return None
    quarters = quarters_of(answer.development)
    rows = [
        {"quarter": row.quarter, "flop": row.flop, "ratio": row.capability_ratio}
        for row in answer.development
    ]
    axis = quarter_axis(quarters) if len(quarters) <= 20 else sparse_axis(quarters)
    base = alt.Chart(data(rows)).encode(x=axis)
    flop = base.mark_bar(color=WORKLOAD_HUES["train"][1]).encode(
        y=alt.Y(
            "flop:Q",
            scale=alt.Scale(nice=4),
            axis=alt.Axis(format=".2~e", labelExpr=POWERS, title=None, tickCount=4),
        ),
    )
    ratio = base.mark_line(color=ACCENT, point=alt.OverlayMarkDef(color=ACCENT, size=26)).encode(
        y=alt.Y(
            "ratio:Q",
            scale=alt.Scale(zero=False, nice=4),
            axis=alt.Axis(format=".2f", title=None, tickCount=4),
        )
    )
    frontier = alt.Chart(data([{"ratio": 1.0}])).mark_rule(color=QUIET, strokeDash=[4, 3]).encode(y="ratio:Q")
    texts = [
        f"{row.quarter}|{row.flop:.2e} FLOP|capability ratio {row.capability_ratio:.3f}"
        for row in answer.development
    ]
    compute = alt.layer(
        flop, hover(quarters, texts), title=panel_title("Development compute", "FLOP a quarter")
    )
    standing = alt.layer(
        frontier, ratio, hover(quarters, texts), title=panel_title("Capability", "ratio to the frontier")
    )
    sized = [panel.properties(width=355, height=150) for panel in (compute, standing)]
    return alt.concat(*sized, spacing=76, bounds="flush")
