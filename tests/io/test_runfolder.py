"""A run folder is there whole or not at all."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from exaplan.domain.errors import InputError
from exaplan.io.runfolder import canonical_json, read_run, write_run

FRAME = pl.DataFrame({"quarter": ["2026-Q3"], "chips": [1500.0]})


def write(folder: Path, objective: float = 1.5, page: str = "<html></html>") -> Path:
    document = {"objective": objective, "decisions": [{"offer": "a"}], "timings": {}}
    return write_run(
        folder, document=document, tables={"capacity": FRAME}, inputs={"lab.yaml": "lab: x\n"}, page=page
    )


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    run = read_run(write(tmp_path / "runs" / "one"))
    assert run.document == {
        "objective": 1.5,
        "decisions": [{"offer": "a"}],
        "timings": {},
        "schema_version": 2,
    }
    assert run.tables["capacity"].equals(FRAME)
    assert run.inputs == {"lab.yaml": b"lab: x\n"}
    assert run.page == "<html></html>"
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["one"]


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    one, two = write(tmp_path / "one"), write(tmp_path / "two")
    for name in ("run.json", "report.html", "tables/capacity.parquet", "inputs/lab.yaml"):
        assert (one / name).read_bytes() == (two / name).read_bytes()


def test_json_depends_on_values_not_on_order_or_the_last_bits() -> None:
    assert canonical_json({"b": 0.1 + 0.2, "a": (1, 2)}) == canonical_json({"a": [1, 2], "b": 0.3})
    assert canonical_json({"x": np.float64(2.0), "y": np.arange(2), "z": -0.0}) == canonical_json(
        {"x": 2.0, "y": [0, 1], "z": 0.0}
    )
    with pytest.raises(ValueError, match=r"document\.a\[1\] is nan"):
        canonical_json({"a": [0.0, math.nan]})


def test_a_second_run_replaces_the_first_whole(tmp_path: Path) -> None:
    write(tmp_path / "run", 1.0)
    write(tmp_path / "run", 2.0)
    assert read_run(tmp_path / "run").document["objective"] == 2.0
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_folder_that_is_no_run_is_left_alone(tmp_path: Path) -> None:
    precious = tmp_path / "thesis"
    precious.mkdir()
    (precious / "chapter.txt").write_text("years of work")
    with pytest.raises(InputError, match="no run folder"):
        write(precious)
    assert (precious / "chapter.txt").read_text() == "years of work"


def test_a_failure_in_the_middle_leaves_the_older_run_and_nothing_else(tmp_path: Path) -> None:
    class Broken:
        def write_parquet(self, file: object) -> None:
            raise OSError("disk full")

    write(tmp_path / "run", 1.0)
    with pytest.raises(OSError, match="disk full"):
        write_run(tmp_path / "run", document={}, tables={"bad": Broken()}, inputs={}, page="")  # type: ignore[dict-item]
    assert read_run(tmp_path / "run").document["objective"] == 1.0
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


KILLED = """
import os, signal, sys
from pathlib import Path
import exaplan.io.runfolder as runfolder

def die(*arguments):
    os.kill(os.getpid(), signal.SIGKILL)

setattr(runfolder, sys.argv[2], die)
runfolder.write_run(Path(sys.argv[1]), document={"objective": 2.0}, tables={}, inputs={"a": "x"}, page="p")
"""


@pytest.mark.parametrize("moment", ["_write", "_flush", "_take_place"])
def test_a_killed_run_leaves_no_half_written_folder(moment: str, tmp_path: Path) -> None:
    for earlier in (False, True):
        folder = tmp_path / f"run-{earlier}"
        if earlier:
            write(folder, 1.0)
        killed = subprocess.run([sys.executable, "-c", KILLED, str(folder), moment], check=False)
        assert killed.returncode == -signal.SIGKILL
        assert folder.exists() == earlier
        if earlier:
            assert read_run(folder).document["objective"] == 1.0
        write(folder, 3.0)
        assert read_run(folder).document["objective"] == 3.0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run-False", "run-True"], (
        "leftovers are swept"
    )


def test_a_run_moved_aside_by_a_run_that_died_comes_back(tmp_path: Path) -> None:
    write(tmp_path / "run", 1.0)
    (tmp_path / "run").rename(tmp_path / f".run.replaced-{os.getpid()}-abc")
    with pytest.raises(InputError):
        write_run(tmp_path / "run", document={}, tables={}, inputs={"../escape": "x"}, page="")
    write(tmp_path / "run", 2.0)
    assert read_run(tmp_path / "run").document["objective"] == 2.0


def test_what_is_no_run_folder_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no run folder"):
        read_run(tmp_path)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(InputError, match="damaged"):
        read_run(tmp_path)
    (tmp_path / "run.json").write_text('{"schema_version": 99}')
    with pytest.raises(InputError, match="schema version 99"):
        read_run(tmp_path)
