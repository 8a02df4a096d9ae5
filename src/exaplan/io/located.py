"""Collecting located faults, so that a file is told everything that is wrong with it at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from exaplan.domain.errors import InputError, Problem
from exaplan.io.yamltree import Node


class Faults:
    """Problems found so far."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def add(self, node: Node, reason: str, suggestion: str = "") -> None:
        """Note a fault at the place of ``node``."""
        self.problems.append(located(node, reason, suggestion))

    def extend(self, problems: Iterable[Problem]) -> None:
        """Note problems that carry their place already."""
        self.problems.extend(problems)

    def raise_if_any(self) -> None:
        """Raise InputError with every fault, in the order of the file."""
        if self.problems:
            unique = dict.fromkeys(self.problems)
            raise InputError(
                *sorted(unique, key=lambda problem: (problem.file, problem.line, problem.column))
            )


def located(node: Node, reason: str, suggestion: str = "", severity: str = "error") -> Problem:
    """Build a problem that points at ``node``."""
    source_line = node.source.line(node.line)
    return Problem(reason, node.source.file, node.line, node.column, source_line, suggestion, severity)


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Suggest the nearest known name, or list what is known.

    Examples
    --------
    >>> did_you_mean("prize", ["price", "lead"])
    "did you mean 'price'?"
    >>> did_you_mean("colour", ["price", "lead"])
    'known here: lead, price'
    """
    known = sorted(set(names))
    if not known:
        return "none is defined"
    folded = {candidate.casefold(): candidate for candidate in known}
    close = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    if close:
        return f"did you mean {folded[close[0]]!r}?"
    shown = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
    return f"known here: {shown}"
