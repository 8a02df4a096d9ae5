"""The casebook: verdicts follow their inputs, pages say the answer first, the command refuses what it does not know."""

from __future__ import annotations

import json
import math
import struct

import numpy as np
import pytest
from click.testing import CliRunner

from exaplan.app.casebook import (
    expert_width,
    hundred_trillion,
    joint_codesign,
    multislice_decay,
    sparse_dense,
    two_trillion,
)
from exaplan.app.casebook.asking import Change, Measured, by_share, judged, percentiles
from exaplan.app.casebook.registry import CASES
from exaplan.app.cli.cases import cases
from exaplan.domain.casebook import Plot
from exaplan.domain.errors import InputError
from exaplan.report.casebook import as_json, packed_png, page, plot_chart
from exaplan.report.casebook_summary import index_page
from exaplan.report.drawing import chart_png

# --- what verdicts rest on; that each flips is asked of all cases in tests/contracts


def test_an_uncut_expert_wastes_no_array():
    cut, word = expert_width.measure(expert_width.Question())
    assert (cut, word) == (0.375, "holds")
    assert expert_width.measure(expert_width.Question(width=2048, split=1))[1] == "fails"


def test_half_of_a_256_wide_array_is_used_from_128_columns_on():
    question = expert_width.Question()
    cuts = np.array([96.0, 112.0, 128.0, 192.0, 256.0, 272.0])
    machine = expert_width._machine(question)
    shares = expert_width.useful_share(question, machine, cuts)
    assert shares.tolist() == pytest.approx([0.375, 0.4375, 0.5, 0.75, 1.0, 272 / 512])
    assert float(expert_width.half_used_from(np.full(expert_width._CUTS.size, 0.1))) == math.inf


def test_chances_of_codesign_are_those_of_its_draws():
    question = joint_codesign.Question(tiles=(16, 256), draws=6)
    found = joint_codesign._solve(question, joint_codesign._uncertainty(question))
    judgment = joint_codesign._judgment(question, found, "holds")
    assert "covariance of the fit" in judgment.drawn
    assert judgment.draws == 6 - found.draws.lost
    assert judgment.chance("holds") == pytest.approx(float((found.draws.ratio >= 1).mean()))
    assert sum(chance for _, chance in judgment.chances) == pytest.approx(1.0)


def test_a_smaller_model_is_cheaper_to_serve():
    one = {"chips": ("GB300-NVL72",), "domains": (72,), "days_max": 1e4}
    dear, _ = hundred_trillion.measure(hundred_trillion.Question(**one))
    small, _ = hundred_trillion.measure(hundred_trillion.Question(total=2e12, **one))
    assert small < dear / 5


def test_a_price_comes_from_the_catalogue_or_not_at_all():
    assert hundred_trillion.price_of("GB200-NVL72") == 3.3
    assert hundred_trillion.price_of("TPU7x-Ironwood") is None


def test_speed_lost_per_doubling_makes_decay_steeper():
    flat, steep = (
        multislice_decay._see(multislice_decay.Question(held_out=False, slowdown_per_doubling=value))
        for value in (0.0, 0.03)
    )
    far = int(np.argmax([row.chips for row in flat.rows]))
    assert steep.decays(steep.log_modelled)[far] < flat.decays(flat.log_modelled)[far]
    assert (steep.decays(steep.log_measured) == flat.decays(flat.log_measured)).all()


def test_the_measured_decay_is_that_of_the_published_table():
    seen = multislice_decay._see(multislice_decay.Question(held_out=False))
    decay = dict(
        zip([(row.model.id, row.chips) for row in seen.rows], seen.decays(seen.log_measured), strict=True)
    )
    # MaxText configs/v5e/README.md: 120 TFLOP/s on one pod, 108 on 32; 118 and 99
    assert decay["MaxText-16B", 8192.0] == pytest.approx(108 / 120, rel=1e-3)
    assert decay["MaxText-64B", 8192.0] == pytest.approx(99 / 118, rel=1e-3)


# --- what cases share


def test_sensitivity_puts_first_what_changes_the_verdict():
    measured = Measured(lambda question: (question.split, "holds" if question.split > 4 else "fails"))
    changes = (
        Change("far", "8", "", (("1000", {"split": 1000}),)),
        Change("near but decisive", "8", "", (("4", {"split": 4}),)),
    )
    found = measured.sways(expert_width.Question(), changes)
    assert [sway.input for sway in found] == ["near but decisive", "far"]
    assert found[0].words == ("fails",)
    assert found[0].values == (4,)


def test_chances_are_counted():
    judgment = judged("holds", "", ["holds", "holds", "fails", "depends"], "")
    assert [judgment.chance(word) for word in ("holds", "fails", "depends")] == [0.5, 0.25, 0.25]
    assert judged("holds", "", [], "").chances == ()


def test_words_and_percentiles_at_their_ends():
    assert [by_share(share) for share in (0.0, 0.5, 1.0)] == ["fails", "depends", "holds"]
    assert percentiles([]) == (None, None)
    assert percentiles([1.0] * 9 + [math.inf] * 9) == (1.0, None)


def test_performance_questions_are_dated():
    for module in (
        sparse_dense,
        expert_width,
        joint_codesign,
        two_trillion,
        hundred_trillion,
        multislice_decay,
    ):
        assert module.ASKED.date[:2] == "20"


# --- the page


@pytest.fixture(scope="module")
def record():
    return expert_width.answer(expert_width.Question(draws=20))


def test_a_page_says_the_answer_first_and_how_to_repeat_it(record):
    text = page(record, ("a.png",))
    lines = [line for line in text.splitlines() if line]
    assert lines[1] == f"**{record.answer}**"
    assert f"exaplan cases run {record.name}" in text
    for part in (
        "## Where it flips",
        "## Sensitivity",
        "## The three assumptions that matter most",
        "](a.png)",
    ):
        assert part in text
    assert text.count("\n1. ") == text.count("\n3. ") == 1
    assert "nan" not in text.lower().split()


def test_equal_questions_have_equal_answers(record):
    assert expert_width.answer(expert_width.Question(draws=20)) == record


def test_the_index_links_every_page(record):
    assert f"({record.name}.md)" in index_page((record,))


def test_a_record_becomes_json_without_infinities(record):
    text = json.dumps(as_json(record), allow_nan=False)
    assert json.loads(text)["judgment"]["word"] == record.judgment.word


def test_a_plot_is_a_small_picture_and_packing_changes_no_pixel(record):
    picture = chart_png(plot_chart(record.plots[0]), scale=1.4)
    packed = packed_png(picture)
    assert len(packed) < min(len(picture), 60_000)
    assert _pixels(packed) == _pixels(picture)


def test_bars_lines_and_marks_are_drawn():
    bars = Plot("t", "", "y", (("a", "one", 1.0), ("b", "one", 2.0)), level=1.5, level_name="limit")
    dots = Plot("t", "x", "y", (("a", 1.0, 1.0), ("a", 2.0, 2.0)), log_x=True, marks=(("a", 1.0, 1.1),))
    kinds = []
    for plot in (bars, dots):
        layers = plot_chart(plot).to_dict(validate=False)["layer"]
        kinds.append([layer["mark"]["type"] for layer in layers])
    assert kinds == [["bar", "rule", "text"], ["line", "point"]]


def _pixels(picture: bytes) -> bytes:
    import zlib

    body, place = b"", 8
    while place < len(picture):
        length, kind = struct.unpack(">I4s", picture[place : place + 8])
        body += picture[place + 8 : place + 8 + length] if kind == b"IDAT" else b""
        place += 12 + length
    return zlib.decompress(body)


# --- the command


def test_the_command_lists_and_runs(tmp_path):
    runner = CliRunner()
    listed = runner.invoke(cases, ["list"])
    assert all(case.name in listed.output for case in CASES)
    done = runner.invoke(
        cases, ["run", expert_width.NAME, "--json", "--out", str(tmp_path / "out"), "--cache", str(tmp_path)]
    )
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["name"] == expert_width.NAME
    assert sorted(path.suffix for path in (tmp_path / "out").iterdir()) == [".md", ".png"]


@pytest.mark.parametrize("arguments", [["run"], ["run", "no-such-case"], ["run", "--all", "joint-codesign"]])
def test_the_command_refuses_what_it_cannot_answer(arguments):
    with pytest.raises(InputError, match="exaplan cases list"):
        CliRunner().invoke(cases, arguments, catch_exceptions=False)
