"""The cases there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from exaplan.app.casebook import (
    expert_width,
    hundred_trillion,
    joint_codesign,
    multislice_decay,
    sparse_dense,
    two_trillion,
)
from exaplan.domain.casebook import CaseRecord


@dataclass(frozen=True)
class Case:
    """A name on the command line and the function that answers it as it was asked."""

    name: str
    question: str
    run: Callable[[], CaseRecord]


CASES: tuple[Case, ...] = (
    Case(sparse_dense.NAME, sparse_dense.ASKED.question, sparse_dense.answer),
    Case(expert_width.NAME, expert_width.ASKED.question, expert_width.answer),
    Case(joint_codesign.NAME, joint_codesign.ASKED.question, joint_codesign.answer),
    Case(two_trillion.NAME, two_trillion.ASKED.question, two_trillion.answer),
    Case(hundred_trillion.NAME, hundred_trillion.ASKED.question, hundred_trillion.answer),
    Case(multislice_decay.NAME, multislice_decay.ASKED.question, multislice_decay.answer),
)
