"""Names of chips and models as people type them, looked up in the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from exaplan.domain.errors import InputError, Problem

if TYPE_CHECKING:
    from exaplan.domain.technology import Chip, Model


def found_chips(names: Sequence[str]) -> list[Chip]:
    """Look chips up, every unknown name reported at once."""
    from exaplan.io.catalogue import find, load_chips

    chips = load_chips()
    return [chips[name] for name in _found(names, lambda name: find(name, chips))]


def found_models(names: Sequence[str]) -> list[Model]:
    """Look models up, every unknown name reported at once."""
    from exaplan.io.catalogue import find, load_models

    models = load_models()
    return [models[name] for name in _found(names, lambda name: find(name, models))]


def found_both(models: Sequence[str], chips: Sequence[str]) -> tuple[list[Model], list[Chip]]:
    """Look models and chips up, every unknown name of both reported at once."""
    try:
        known = found_models(models)
    except InputError as first:
        try:
            found_chips(chips)
        except InputError as second:
            raise InputError(*first.problems, *second.problems) from second
        raise
    return known, found_chips(chips)


def _found(names: Sequence[str], look_up: Callable[[str], str]) -> list[str]:
    found: list[str] = []
    problems: list[Problem] = []
    for name in names:
        try:
            found.append(look_up(name))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(*problems)
    return list(dict.fromkeys(found))


def names_of(text: str) -> list[str]:
    """Split a list that was typed with commas."""
    return [name.strip() for name in text.split(",") if name.strip()]
