"""The example of docs/futures.md is read as it stands."""

from __future__ import annotations

import re
from pathlib import Path

from tests.app.test_futures_cli import text_with

from exaplan.economy.copula import join
from exaplan.io.labfile import read_lab

PAGE = Path(__file__).parents[2] / "docs" / "futures.md"


def test_what_the_page_shows_can_be_stated(tmp_path):
    found = re.search(r"```yaml\nfutures:\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    text = text_with(found[1].replace("own-asic", "b200"))
    # the small lab states correlations of its own: the page's take their place
    text = re.sub(r"  correlations: \[.*\]\n", "", text)
    file = tmp_path / "lab.yaml"
    file.write_text(text, encoding="utf-8")
    lab = read_lab(file)
    assert [each.id for each in lab.futures.pinned] == ["bear", "base", "bull"]
    assert lab.futures.model_shifts[0].workloads == ("chat",)
    assert not join(lab).remarks
