"""Golden LP texts of one subject: the rows of a few functions together, on a lab that has the subject."""

from __future__ import annotations

import os
from pathlib import Path

from tests.plan.test_golden import ALMOST_ONE

from exaplan.plan.formulation import build_program

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "subjects"


def same_as_golden(name, inputs, *, stage_rows=(), links=()):
    """Compare the program of these functions with ``golden/subjects/NAME.lp``; UPDATE_GOLDEN=1 writes it."""
    model = build_program(inputs, stage_rows=stage_rows, links=links).model
    found, file = ALMOST_ONE.sub("", model.to_lp_text(rows=list(model.rows))), GOLDEN / f"{name}.lp"
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.mkdir(exist_ok=True)
        file.write_text(found, encoding="utf-8")
    assert file.is_file(), f"no {file.name} yet; write it with UPDATE_GOLDEN=1 and read it"
    assert found == file.read_text(encoding="utf-8")
