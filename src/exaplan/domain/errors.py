"""The one tree of errors.

::

    ExaplanError
    ├── InputError        the lab file, a CSV or an argument is wrong (exit code 2); carries every Problem found
    ├── NoAnswerError     the solver stopped without a usable answer (exit code 1)
    └── MissingExtraError an optional package is not installed; the message names the install line

Bankruptcy is an outcome and an impossible policy is an answer: neither is an error.
"""

from __future__ import annotations

from dataclasses import dataclass


class ExaplanError(Exception):
    """Anything exaplan raises on purpose."""


@dataclass(frozen=True)
class Problem:
    """One located fault of an input.

    ``line`` and ``column`` count from 1; 0 means that the fault belongs to the whole file.
    """

    reason: str
    file: str = ""
    line: int = 0
    column: int = 0
    source_line: str = ""
    suggestion: str = ""
    severity: str = "error"

    def __str__(self) -> str:
        place = (
            f"{self.file}:{self.line}:{self.column}: "
            if self.line
            else (f"{self.file}: " if self.file else "")
        )
        hint = f"; {self.suggestion}" if self.suggestion else ""
        head = f"{place}{self.severity}: {self.reason}{hint}"
        if not self.source_line:
            return head
        gutter = f"{self.line:>8} | "
        caret = " " * (len(gutter) - 2) + "| " + " " * (max(self.column, 1) - 1) + "^"
        return f"{head}\n{gutter}{self.source_line}\n{caret}"


class InputError(ExaplanError):
    """Bad input, with all problems found at once."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class NoAnswerError(ExaplanError):
    """The solver stopped without a usable answer."""


class MissingExtraError(ExaplanError):
    """An optional package is not installed."""
