"""The page of real options: one HTML file that opens offline and needs no script."""

from __future__ import annotations

from exaplan.domain.options import OptionsAnswer
from exaplan.report.drawing import chart_svg
from exaplan.report.options import break_even_sentence, foundry_sentence, grids, headline, lump_sentences
from exaplan.report.options_charts import options_chart


def options_page(answer: OptionsAnswer) -> str:
    """Write the whole answer as one HTML document; the same answer gives the same page, so it holds no times."""
    from altair.utils.schemapi import debug_mode
    from jinja2 import Environment, PackageLoader, StrictUndefined

    room = Environment(
        loader=PackageLoader("exaplan.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    with debug_mode(False):
        chart = options_chart(answer)
        svg = chart_svg(chart, "options") if chart is not None else ""
    sentences = [text for text in (foundry_sentence(answer), *lump_sentences(answer)) if text]
    if answer.leverage is not None:
        sentences.append(break_even_sentence(answer.leverage))
    return room.get_template("options.html.j2").render(
        answer=answer, headline=headline(answer), sentences=sentences, grids=grids(answer), svg=svg
    )
