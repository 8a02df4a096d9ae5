"""One word of the field."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """One word of the field: its written form, its unit (``-`` for a word that is not a number), its meaning here."""

    name: str
    unit: str
    definition: str
