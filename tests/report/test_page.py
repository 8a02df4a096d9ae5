"""One file, offline, complete: what a board can open anywhere."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from tests.report import sample

from exaplan.domain.answer import Answer
from exaplan.report.page import PLOTS, TILES, page_html
from exaplan.report.tables import csv_text

MOST_BYTES = 1_500_000


class _Links(HTMLParser):
    """Collects everything that a browser would load or could follow."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in {"src", "href", "xlink:href", "data", "action", "srcset"} and value:
                self.loads.append(value)
            if name == "id" and value:
                self.ids.append(value)


def _links(text: str) -> _Links:
    parser = _Links()
    parser.feed(text)
    return parser


def _offline(text: str) -> None:
    links = _links(text)
    assert all(link.startswith(("#", "data:")) for link in links.loads), links.loads
    assert not re.search(r"url\((?!#)", text)
    assert "@import" not in text
    assert "default-src 'none'" in text
    assert len(set(links.ids)) == len(links.ids)
    inside = {link[1:] for link in links.loads if link.startswith("#")}
    assert inside <= set(links.ids)
    assert len(text.encode()) <= MOST_BYTES


def test_the_page_loads_nothing_and_stays_small(page: str) -> None:
    _offline(page)


def test_odd_answers_make_whole_pages_too(odd_page: str) -> None:
    _offline(odd_page)
    assert "How to reproduce" in odd_page
    assert "None" not in re.sub(r"<[^>]*>", " ", odd_page)


def test_every_chart_has_definition_unit_data_and_command(page: str, full: Answer) -> None:
    found = re.findall(r'<figure id="([a-z]+)".*?</figure>', page, re.DOTALL)
    assert found == [plot.key for plot in PLOTS]
    for block in re.findall(r"<figure.*?</figure>", page, re.DOTALL):
        assert "<svg" in block
        assert re.search(r'<p class="unit">\w.+</p>', block)
        assert re.search(r'<p class="definition">\w.+</p>', block)
        assert re.search(r'<a download="\w+\.csv" href="data:text/csv', block)
        assert "exaplan plan made-up.yaml --seed 1" in block


def test_a_download_is_the_table_itself(page: str, full: Answer) -> None:
    link = re.search(r'download="capacity.csv" href="data:text/csv;charset=utf-8;base64,([^"]+)"', page)
    assert link is not None
    assert base64.b64decode(link[1]).decode() == csv_text(full, "capacity")


def test_every_tile_has_unit_and_definition_and_opens_to_its_equation(page: str, full: Answer) -> None:
    tiles = re.findall(r'<article class="tile" data-kpi="(\w+)" data-unit="([^"]+)" title="([^"]+)">', page)
    assert [(name, unit, html.unescape(text)) for name, unit, text in tiles] == [
        (kpi.name, kpi.unit, kpi.definition) for kpi in full.kpis
    ]
    text = page.replace("\u00a0", " ")
    assert "gross margin = (revenue - compute cost) / revenue" in text
    assert "($96.4 B - $40.5 B) / $96.4 B" in text
    assert "table service, all quarters, replay mean" in text


def test_few_key_figures_stand_open_with_their_interval_and_the_others_unfold(full: Answer) -> None:
    first = full.kpis[0]
    many = [replace(first, name=f"figure_{number}", low=17e9, high=18e9) for number in range(TILES + 3)]
    text = page_html(replace(full, kpis=tuple(many))).replace("\u00a0", " ")
    assert "<summary>3 more key figures</summary>" in text
    assert text.count('data-kpi="figure_') == TILES + 3
    assert text.count("95 %: $17.0 B to $18.0 B") == TILES + 3
    assert text.index(f'data-kpi="figure_{TILES}"') > text.index("3 more key figures")
    assert "more key figures" not in page_html(replace(full, kpis=tuple(many[:TILES])))


@pytest.mark.parametrize(
    "words",
    [
        "Sign 2 orders by 2026-Q3: $8.3 B committed, $1.3 B due now.",
        "The plan beats rent only by $1.2 B to $2.1 B on the same futures.",
        "Max order of tpu-v7-deal could not be kept",
        "costs $310 M",
        "What would reverse it",
        "The 10 worst futures with it",
        "ruined in 2028-Q2",
        "nowhere in its range",
        "made-up.yaml:88:9",
        "binds in 9 quarters, worth $29.0 M per percentage point",
        "tree seed 1, replay seed 7",
    ],
)
def test_the_page_says(page: str, words: str) -> None:
    assert words in html.unescape(page).replace("\u00a0", " ")


def test_a_plan_that_loses_to_renting_says_so_at_the_top(losing: Answer) -> None:
    text = page_html(losing).replace("\u00a0", " ")
    assert text.index("does NOT beat rent only") < text.index('class="sign"')


def test_the_same_answer_gives_the_same_bytes(page: str) -> None:
    assert page_html(sample.answer()) == page


def test_names_from_the_lab_file_cannot_break_out_of_the_page(full: Answer) -> None:
    from dataclasses import replace

    evil = "<script>alert(1)</script>"
    text = page_html(
        replace(
            full,
            lab=evil,
            remarks=(evil,),
            capacity=tuple(replace(row, source=evil) for row in full.capacity),
            allocation=tuple(replace(row, workload=evil) for row in full.allocation),
        )
    )
    assert evil not in text


FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="module")
def tab(chromium: str) -> Iterator[Any]:
    driver = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with driver.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, headless=True, args=FLAGS)
        yield browser.new_page(viewport={"width": 1200, "height": 900})
        browser.close()


def test_a_browser_without_network_draws_every_chart(tab: Any, page: str, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(page, encoding="utf-8")
    asked: list[str] = []
    wrong: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.on("console", lambda message: wrong.append(message.text))
    tab.context.set_offline(True)
    tab.goto(file.as_uri())
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert wrong == []
    assert tab.locator("figure svg").count() == len(PLOTS)
    for figure in tab.locator("figure svg").all():
        box = figure.bounding_box()
        assert box["width"] > 300
        assert box["height"] > 100
    assert tab.evaluate("document.documentElement.scrollWidth") <= 1200

    mark = tab.locator('#capacity svg [aria-label^="reserve-gb200 · 2028-Q1"]').first
    mark.scroll_into_view_if_needed()
    mark.hover()
    assert tab.locator("#tip").inner_text().startswith("reserve-gb200 · 2028-Q1\n60,000 gb200 chips")

    tab.locator("#filter").fill("assumed")
    assert tab.locator("#inputs tbody tr:visible").count() == 3
    assert wrong == []
