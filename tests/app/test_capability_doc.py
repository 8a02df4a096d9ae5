"""The worked examples of docs/capability.md come out as the page says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from exaplan.app.cli.main import main

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "capability.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```sh\nexaplan (.+)\n```\n> (.+)\n", PAGE)


def test_the_page_has_an_example_for_each_kind_of_question():
    assert len(EXAMPLES) >= 7


@pytest.mark.parametrize(("line", "said"), EXAMPLES, ids=[line for line, _ in EXAMPLES])
def test_a_worked_example_comes_out(line, said):
    done = CliRunner().invoke(main, shlex.split(line))
    assert done.output.splitlines()[0] == said
