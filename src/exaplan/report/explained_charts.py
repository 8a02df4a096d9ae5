"""Charts of explanations: ranges of decisions, tornado, elementary effects, worth against price, cost of waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exaplan.domain.explained import Alternatives, Effect, Offered, Sensitivity, Swing
from exaplan.report.drawing import BILLIONS, data, quarter_axis, width_for
from exaplan.report.theme import ACCENT, FAINT, GOOD, INK, QUIET, WARNING, WIDTH
from exaplan.report.wording import count, percent, usd

if TYPE_CHECKING:
    import altair as alt

    from exaplan.report.drawing import Chart

MONEY = "$.3~s"

LOW_COLOR, HIGH_COLOR = "#cf8429", "#3f85b5"
_STANDING = {"must have": ACCENT, "free": "#84b6d9", "never": FAINT}


def alternatives_chart(record: Alternatives) -> Chart | None:
    """Draw least to most of each quantity over its own most, the plan as a dot; None without quantities."""
    import altair as alt

    rows = [
        {
            "name": f"{row.name}, {row.kind}",
            "least": row.least / row.most,
            "most": 1.0,
            "plan": row.plan / row.most,
            "standing": row.standing,
            "label": usd(row.most) if row.unit == "USD" else count(round(row.most, 2 if row.most < 2 else 0)),
            "text": f"{row.name}|{row.kind}|least {count(row.least)}, plan {count(row.plan)}, most {count(row.most)} {row.unit}",
        }
        for row in record.rows
        if row.most > 0 and row.standing != "never"
    ]
    if not rows:
        return None
    names = [str(row["name"]) for row in rows]
    y = alt.Y(
        "name:N",
        sort=names,
        title=None,
        axis=alt.Axis(labelColor=INK, labelLimit=330, ticks=False, domain=False),
    )
    axis = alt.Axis(format=".0%", grid=True, values=[0, 0.25, 0.5, 0.75, 1])
    x = alt.X("least:Q", scale=alt.Scale(domain=[0, 1.16]), axis=axis, title=None)
    shown = [word for word in _STANDING if any(row["standing"] == word for row in rows)]
    color = alt.Color(
        "standing:N",
        scale=alt.Scale(domain=shown, range=[_STANDING[word] for word in shown]),
        legend=alt.Legend(
            labelExpr="datum.label == 'free' ? 'can be none' : datum.label", orient="top", offset=8
        ),
    )
    base = alt.Chart(data(rows)).encode(y=y, description="text:N")
    bars = base.mark_bar(height=11).encode(x=x, x2="most:Q", color=color)
    dots = base.mark_point(filled=True, color=WARNING, size=55, opacity=1).encode(x="plan:Q")
    words = base.mark_text(align="left", dx=6, color=INK).encode(x="most:Q", text="label:N")
    chart: Chart = alt.layer(bars, dots, words).properties(width=WIDTH - 330, height=alt.Step(24))
    return chart


def _named(names: list[str], limit: int = 300) -> alt.Y:
    """Make an axis of names, in their own order."""
    import altair as alt

    axis = alt.Axis(labelColor=INK, labelLimit=limit, labelFontSize=12, ticks=False, domain=False)
    return alt.Y("name:N", sort=names, title=None, axis=axis)


def _money_axis(title: str | None = None) -> alt.Axis:
    import altair as alt

    return alt.Axis(format=MONEY, labelExpr=BILLIONS, grid=True, tickCount=6, title=title)


def price_chart(record: Offered) -> Chart | None:
    """Draw the worth of an offer against its price, with the asked and the walk-away price; None without a search."""
    import altair as alt

    end = 1.6 * (record.walk_away_price or max((point.price for point in record.prices), default=0.0))
    points = [point for point in record.prices if point.price <= end]
    if len(points) < 2:
        return None
    unit = "$" if record.price_unit == "USD/chip" else "$ a chip-hour"
    rows = [
        {"price": point.price, "worth": point.worth_usd, "text": f"{usd(point.price)}|worth {usd(point.worth_usd)}"}
        for point in points
    ]  # fmt: skip
    prices = [point.price for point in points]
    x = alt.X(
        "price:Q",
        scale=alt.Scale(domain=[min(prices), max(prices)], nice=True, zero=False),
        axis=alt.Axis(format=MONEY, tickCount=6, title=f"price, {unit}" if unit != "$" else "price per chip"),
    )
    y = alt.Y("worth:Q", axis=_money_axis())
    line = alt.Chart(data(rows)).mark_line(color=ACCENT, point=alt.OverlayMarkDef(color=ACCENT, size=30))
    marks = [("asked", record.price, QUIET, 0)]
    if record.volume_break_even_price is not None:
        marks.append(("break-even of the planned volume", record.volume_break_even_price, GOOD, 16))
    if record.walk_away_price is not None:
        marks.append(("walk away", record.walk_away_price, WARNING, 32))
    layers = [line.encode(x=x, y=y, description="text:N")]
    for label, price, color, down in marks:
        at = alt.Chart(data([{"price": price, "label": f"{label}: {usd(price)}"}])).encode(x=x)
        layers.append(at.mark_rule(color=color, strokeDash=[4, 3]))
        layers.append(
            at.mark_text(align="left", dx=4, baseline="top", color=color).encode(
                y=alt.value(down), text="label:N"
            )
        )
    return alt.layer(*layers).properties(width=WIDTH - 160, height=240)


def clauses_chart(record: Offered) -> Chart | None:
    """Draw what each change of a clause would bring or cost; None without clauses."""
    rows = [(row.clause, row.gain_usd) for row in record.clauses]
    return _bars(rows) if rows else None


def _bars(pairs: list[tuple[str, float]]) -> Chart:
    import altair as alt

    rows = [
        {"name": name, "gain": gain, "label": usd(gain, signed=True), "good": gain >= 0}
        for name, gain in pairs
    ]
    names = [name for name, _ in pairs]
    color = alt.Color("good:N", scale=alt.Scale(domain=[True, False], range=[GOOD, WARNING]), legend=None)
    axis = _money_axis()
    base = alt.Chart(data(rows)).encode(
        y=_named(names, 330), x=alt.X("gain:Q", axis=axis, scale=alt.Scale(padding=62))
    )
    bars = base.mark_bar(height=12).encode(color=color)
    right = base.transform_filter("datum.gain >= 0").mark_text(align="left", dx=5).encode(text="label:N")
    left = base.transform_filter("datum.gain < 0").mark_text(align="right", dx=-5).encode(text="label:N")
    return alt.layer(bars, right, left).properties(width=WIDTH - 340, height=alt.Step(25))


def waits_chart(record: Offered) -> Chart | None:
    """Draw what is left of an offer's worth when it is signed from a quarter on; None where it cannot wait."""
    import altair as alt

    if len(record.waits) < 2:
        return None
    quarters = [row.from_quarter for row in record.waits]
    rows = [
        {
            "quarter": row.from_quarter,
            "part": part,
            "usd": amount,
            "order": number,
            "text": f"signed from {row.from_quarter} on|worth left {usd(row.worth_left_usd)}|lost {usd(row.cost_usd)}",
        }
        for row in record.waits
        for number, (part, amount) in enumerate(
            (("worth left", row.worth_left_usd), ("lost by waiting", row.cost_usd))
        )
    ]
    color = alt.Color(
        "part:N",
        scale=alt.Scale(domain=["worth left", "lost by waiting"], range=[ACCENT, "#e9c9c2"]),
        legend=alt.Legend(orient="top", offset=8),
    )
    bars = alt.Chart(data(rows)).mark_bar()
    chart: Chart = bars.encode(
        x=quarter_axis(quarters),
        y=alt.Y("usd:Q", axis=alt.Axis(format=MONEY, labelExpr=BILLIONS, title=None)),
        color=color,
        order="order:Q",
        description="text:N",
    ).properties(width=width_for(quarters), height=220)
    return chart


def tornado_chart(swings: tuple[Swing, ...], base_usd: float) -> Chart | None:
    """Draw the plan's objective with each input at its low (orange) and high (blue) end; None without inputs."""
    import altair as alt

    if not swings:
        return None
    rows = []
    for swing in swings:
        for end, value, at in (("low", swing.at_low_usd, swing.low), ("high", swing.at_high_usd, swing.high)):
            if value != base_usd:
                short = at if len(at) <= 24 else f"{at.split(',')[0]}, …"
                rows.append(
                    {
                        "name": swing.name,
                        "value": value,
                        "base": base_usd,
                        "end": end,
                        "left": value < base_usd,
                        "label": short,
                        "text": f"{swing.name} at {at}|{usd(value)}",
                    }
                )
    names = [swing.name for swing in swings]
    money = alt.X("value:Q", scale=alt.Scale(zero=False, padding=96), axis=_money_axis())
    base = alt.Chart(data(rows)).encode(y=_named(names), x=money, description="text:N")
    color = alt.Color(
        "end:N", scale=alt.Scale(domain=["low", "high"], range=[LOW_COLOR, HIGH_COLOR]), legend=None
    )
    bars = base.mark_bar(height=12).encode(x2="base:Q", color=color)
    right = base.transform_filter("!datum.left").mark_text(align="left", dx=5, color=QUIET)
    left = base.transform_filter("datum.left").mark_text(align="right", dx=-5, color=QUIET)
    middle = alt.Chart(data([{"base": base_usd}])).mark_rule(color=QUIET).encode(x="base:Q")
    return alt.layer(bars, middle, right.encode(text="label:N"), left.encode(text="label:N")).properties(
        width=WIDTH - 260, height=alt.Step(22)
    )


def morris_chart(record: Sensitivity) -> Chart | None:
    """Draw each input in the plane of mu* (how much) and sigma (how unevenly), the first five named."""
    import altair as alt

    if not record.effects:
        return None
    far = max(max(effect.mu_star_high_usd, effect.sigma_usd) for effect in record.effects)
    if far <= 0:
        return None
    rows = [_effect_row(effect, number) for number, effect in enumerate(record.effects)]
    x = alt.X(
        "mu:Q",
        scale=alt.Scale(
            domain=[0, 1.15 * max(effect.mu_star_high_usd for effect in record.effects)], nice=False
        ),
        axis=_money_axis("mu*: mean size of the effect over the input's range"),
    )
    y = alt.Y(
        "sigma:Q",
        axis=alt.Axis(format=MONEY, labelExpr=BILLIONS, title="sigma: how much it depends on the rest"),
    )
    base = alt.Chart(data(rows))
    dots = base.mark_point(filled=True, size=50, color=ACCENT, opacity=1).encode(
        x=x, y=y, description="text:N"
    )
    spans = base.mark_rule(color=FAINT).encode(x=alt.X("low:Q"), x2="high:Q", y=y)
    words = [  # turn and turn about above and below, so that names of near neighbors stay apart
        base.transform_filter(f"datum.place < 5 && datum.place % 2 == {turn}")
        .mark_text(align="left", dx=7, dy=dy, color=INK)
        .encode(x=x, y=y, text="name:N")
        for turn, dy in ((0, -8), (1, 10))
    ]
    end = min(max(row["high"] for row in rows), max(row["sigma"] for row in rows) or 1.0)
    diagonal = alt.Chart(data([{"mu": 0.0, "sigma": 0.0}, {"mu": end, "sigma": end}])).mark_line(
        color=QUIET, strokeDash=[3, 3], strokeWidth=1
    )
    return alt.layer(diagonal.encode(x=x, y=y), spans, dots, *words).properties(width=WIDTH - 120, height=340)


def _effect_row(effect: Effect, place: int) -> dict[str, float | str]:
    share = percent(effect.sigma_usd / effect.mu_star_usd, 0) if effect.mu_star_usd > 0 else "n/a"
    return {
        "name": effect.name,
        "mu": effect.mu_star_usd,
        "low": effect.mu_star_low_usd,
        "high": effect.mu_star_high_usd,
        "sigma": effect.sigma_usd,
        "place": place,
        "text": f"{effect.name}|mu* {usd(effect.mu_star_usd)}|sigma {usd(effect.sigma_usd)}, {share} of it",
    }
