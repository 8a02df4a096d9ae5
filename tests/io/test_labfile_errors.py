"""A file that is wrong is told where, why, and what to write instead; never by a traceback."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exaplan.domain.errors import InputError
from exaplan.io.labfile import read_lab

SMALL = Path(__file__).with_name("small.yaml")
TEXT = SMALL.read_text(encoding="utf-8")

CASES = {
    "bare number": ("price: 2.65 USD/chip/h", "price: 2.65", "17:12", "has no unit", "for example 3.30 USD/chip/h"),
    "bare share": ("deposit: 10 %", "deposit: 0.1", "30:14", "has no unit", "10 %"),
    "wrong dimension": ("cash: 120 MUSD", "cash: 120 MW", "58:9", "MW does not measure this; it needs USD", "20 GUSD"),
    "rate without time": ("algorithmic_progress: 100 %/year", "algorithmic_progress: 100 %", "73:25", "lacks its time", "%/year"),
    "unknown unit": ("cash: 120 MUSD", "cash: 120 MEUR", "58:9", "unknown unit 'MEUR'", "for example 20 GUSD"),
    "unknown key": ("    lead: 1 quarter", "    leed: 1 quarter", "26:5", "unknown key 'leed'", "did you mean 'lead'?"),
    "missing key": ("    supplier: neocloud\n    price: 2.65", "    price: 2.65", "13:5", "lacks 'supplier'", ""),
    "unknown kind": ("kind: on-demand", "kind: ondemand", "14:11", "not a kind of offers", "did you mean 'on-demand'?"),
    "no such chip": ("chip: b200, supplier", "chip: b20, supplier", "32:42", "refers to no chip", "did you mean 'b200'?"),
    "no such site": ("site: texas", "site: texsa", "32:72", "refers to no site", "did you mean 'texas'?"),
    "no such model": ("model: llama-3.1-70b", "model: lama-3.1-70b", "40:36", "refers to no model", "did you mean 'llama-3.1-70b'?"),
    "no such offer": ("decision: own-b200", "decision: own-b20", "84:11", "refers to no offer", "did you mean 'own-b200'?"),
    "no such catalogue entry": ("H100-SXM", "H100-SMX", "6:19", "not in the catalogue", "H100-SXM"),
    "no such supplier": ("{nvidia: 20 %}", "{nvidai: 20 %}", "79:11", "refers to no supplier", "did you mean 'nvidia'?"),
    "no such uncertainty": ("[demand, rental]", "[demnd, rental]", "81:29", "no source of uncertainty", "did you mean 'demand'?"),
    "floor on serving": ("[pretrain, experiments]", "[pretrain, chat]", "52:33", "protects train workloads", ""),
    "offer window": ("2026-Q3 .. 2028-Q1", "2026-Q3 .. 2031-Q1", "31:24", "2031-Q1 is outside the horizon", "2026-Q3 .. 2028-Q2"),
    "round window": ("2027-Q1 .. 2027-Q4", "2025-Q1 .. 2027-Q4", "66:30", "2025-Q1 is outside the horizon", ""),
    "branch at the start": ("2026-Q4: 2", "2026-Q3: 2", "78:14", "2026-Q3 is outside the horizon", "2026-Q4 .. 2028-Q2"),
    "branch that does not split": ("2026-Q4: 2", "2026-Q4: 1", "78:23", "splits into at least 2", ""),
    "tranche after the end": ("date: 2026-Q1", "date: 2030-Q1", "37:24", "2030-Q1 is outside the horizon", ""),
    "no quarter": ("ready: 2027-Q1", "ready: 2027-Q5", "10:75", "'2027-Q5' is not a quarter", ""),
    "interval turned round": ("0.8 to 1.25", "1.25 to 0.8", "41:55", "interval is turned round", "write 0.8 to 1.25"),
    "window turned round": ("2026-Q3 .. 2028-Q1", "2028-Q1 .. 2026-Q3", "31:13", "window is turned round", "2026-Q3 .. 2028-Q1"),
    "horizon turned round": ("2026-Q3 .. 2028-Q2", "2028-Q2 .. 2026-Q3", "3:10", "horizon is turned round", ""),
    "horizon too long": ("2026-Q3 .. 2028-Q2", "2026-Q3 .. 2046-Q3", "3:10", "81 quarters; the limit is 80", ""),
    "not a number": ("cash: 120 MUSD", "cash: .nan", "58:9", "'.nan' is not a finite number", ""),
    "infinite": ("cash: 120 MUSD", "cash: 1e999 USD", "58:9", "is not a finite number", ""),
    "duplicate id": ("id: reserve-h100", "id: rent-h100", "21:9", "duplicate id 'rent-h100'", "line 13"),
    "duplicate key": ("  cash: 120 MUSD", "  cash: 1 USD\n  cash: 120 MUSD", "59:3", "duplicate key 'cash'", "line 58"),
    "fractional quarters": ("lead: 1 quarter", "lead: 7 months", "26:11", "7 months is 2.33 quarters", "whole quarters"),
    "uncertain point": ("lead: 1 quarter", "lead: 1 to 2 quarters", "26:11", "takes one number, not an uncertain one", ""),
    "out of bounds": ("availability: 98 %              # assumed", "availability: 120 %", "19:19", "must be at most 100 %, not 120 %", ""),
    "support breaks bounds": ("level: 0.8 to 1.25", "level: normal(0.8 to 1.25)", "41:55", "reaches below 0", ""),
    "floor and safety": ("safety: 4 %", "safety: 80 %", "53:11", "add up to more than 100 %", ""),
    "least shares": ("share: 30 % .. 90 %", "share: 95 % .. 100 %", "47:28", "add up to 105%", ""),
    "share turned round": ("share: 30 % .. 90 %", "share: 90 % .. 30 %", "45:28", "share is turned round", ""),
    "not YAML": ("workloads:\n", "workloads: [\n", "40:3", "not YAML", "brackets"),
    "incomplete chip": ("b200: B200-SXM", "b200: {bf16: 2 PFLOP/s, hbm: 1 GB}", "7:9", "lacks 'hbm_bandwidth'", "3.35 TB/s"),
    "two ways to earn": ("level: 0.8 to 1.25", "seats: {users: 1k users, price: 9 USD/user/month, tokens: 1 Mtok/user/month, free_share: 5 %}", "40:5", "either price", ""),
    "no csv": ("power: 20 MW", "power: {csv: nowhere.csv#mw}", "10:30", "nowhere.csv: cannot read the file", ""),
    "contract named as an offer": ("id: fleet", "id: own-b200", "36:10", "duplicate id 'own-b200'", "rename"),
    "too many leaves": ("2027-Q4: 2}", "2027-Q4: 9999}", "78:13", "39996 leaves; the limit is 10000", ""),
    "too many samples": ("samples: 2000", "samples: 9e9", "80:12", "1 to 1000000", ""),
    "systolic without a tile": ("b200: B200-SXM", "b200: {catalog: B200-SXM, matrix_unit: systolic}", "7:42", "matrix_tile is needed", ""),
    "impossible model": ("\nsites:", "models: {m: {like: llama3-8b, kv_heads: 64}}\nsites:", "8:41", "at most the 32 query heads", ""),
    "a YAML tag": ("lab: Smallville", "lab: !!python/name:os.system x", "2:6", "means nothing here", ""),
}  # fmt: skip


def problems_of(text: str, folder: Path) -> tuple[str, tuple[str, ...]]:
    path = folder / "lab.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_lab(path)
    return str(path), tuple(map(str, caught.value.problems))


@pytest.mark.parametrize("name", CASES)
def test_a_fault_is_told_at_its_line_and_column_with_a_way_out(name: str, tmp_path: Path) -> None:
    old, new, place, reason, hint = CASES[name]
    assert TEXT.count(old) >= 1, "the example has changed"
    path, told = problems_of(TEXT.replace(old, new, 1), tmp_path)
    assert len(told) == 1, told
    head, source_line, caret = told[0].splitlines()
    assert head.startswith(f"{path}:{place}: error: ")
    assert reason in head
    assert hint in head
    column = int(place.split(":")[1])
    assert caret.index("^") == source_line.index("|") + 1 + column


def test_all_faults_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = TEXT
    for name in (
        "no such catalogue entry",
        "bare number",
        "no such site",
        "floor on serving",
        "wrong dimension",
    ):
        text = text.replace(CASES[name][0], CASES[name][1], 1)
    _, told = problems_of(text, tmp_path)
    lines = [int(problem.split(":")[1]) for problem in told]
    assert lines == [6, 17, 32, 52, 58]


def test_a_chip_that_needs_liquid_cooling_does_not_go_into_a_dry_hall(tmp_path: Path) -> None:
    text = TEXT.replace("b200: B200-SXM", "b200: {catalog: B200-SXM, liquid_cooled: true}")
    text = text.replace("pue: 1.2,", "pue: 1.2, liquid: false,")
    _, told = problems_of(text, tmp_path)
    assert len(told) == 1
    assert "needs liquid cooling" in told[0]


def test_an_alias_bomb_is_refused_before_it_expands(tmp_path: Path) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9))
    _, told = problems_of(bomb + TEXT, tmp_path)
    assert "aliases of this file expand to more than 10000 values" in told[0]


def test_an_anchor_that_contains_itself_is_refused(tmp_path: Path) -> None:
    _, told = problems_of("x: &x [*x]\n" + TEXT, tmp_path)
    assert "alias to itself" in told[0]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"# nothing\n", "nothing but comments"),
        (b"just a sentence\n", "is a mapping"),
        (b"- a\n- b\n", "is a mapping"),
        (b"lab: \xff\xfe\n", "not UTF-8"),
        (b"\x00\x01\x02\x7fELF", "not a text file"),
        (b"[" * 3000, "nested too deeply"),
        (b"a: b\n---\nc: d\n", "not YAML"),
        (b"lab: *nobody\n", "not YAML"),
    ],
)
def test_what_is_no_lab_file_is_told_so(content: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "lab.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=reason):
        read_lab(path)


def test_a_missing_file_and_a_directory_are_told_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read the file: No such file"):
        read_lab(tmp_path / "none.yaml")
    with pytest.raises(InputError, match="this is a directory"):
        read_lab(tmp_path)


LINES = TEXT.splitlines()
SNIPPETS = st.sampled_from(
    ["", " ", ":", "- ", "{", "}", "[", "]", "#", "%", "&a ", "*a", "!!x ", "'", '"', "|", ">", "null", "~", "0", "-1",
     "1e999", ".inf", " to ", "..", "choice(", "csv: ", "\t", "\u2028", "é", "2026-Q9", "9" * 40, "<<: ", "{}", "[]"]
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["cut", "insert", "swap", "drop"]),
            st.integers(0, len(LINES) - 1),
            st.integers(0, 80),
            SNIPPETS,
        ),
        min_size=1,
        max_size=4,
    )
)
def test_no_mutation_of_a_file_ends_in_a_traceback(
    tmp_path: Path, edits: list[tuple[str, int, int, str]]
) -> None:
    lines = list(LINES)
    for action, place, column, snippet in edits:
        line = lines[place % len(lines)]
        if action == "cut":
            lines[place % len(lines)] = line[:column] + line[column + 3 :]
        elif action == "insert":
            lines[place % len(lines)] = line[:column] + snippet + line[column:]
        elif action == "swap":
            key, colon, _ = line.partition(": ")
            lines[place % len(lines)] = key + colon + snippet
        elif len(lines) > 1:
            lines.pop(place % len(lines))
    path = tmp_path / "lab.yaml"
    path.write_text("\n".join(lines), encoding="utf-8")
    with contextlib.suppress(InputError):
        read_lab(path)
