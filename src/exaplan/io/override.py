"""Changing a lab on its tree: dotted paths with ids for the items of lists, values as written in a file."""

from __future__ import annotations

from collections.abc import Mapping as ReadMapping

from exaplan.domain.errors import InputError, Problem
from exaplan.io.located import did_you_mean
from exaplan.io.recordreader import item_id
from exaplan.io.sugar import mapping_at, word_at
from exaplan.io.yamltree import Listing, Mapping, Node, Scalar, parse_node

_SINGLE = {"fixed_costs": "amount", "branches": "into", "slips": "probability"}
"""The key that a plain value sets in an item of these lists."""


def apply_overrides(root: Mapping, overrides: ReadMapping[str, str]) -> Mapping:
    """Return the tree with every override set; keys that the file does not state are added.

    Raises
    ------
    InputError
        Where a path leads through an item that the file does not have, or a value is not YAML.
    """
    problems: list[Problem] = []
    for path, value in overrides.items():
        try:
            changed = _set(root, _steps(path, value), parse_node(value, f"override {path}"), path)
            if isinstance(changed, Mapping):
                root = changed
        except InputError as error:
            problems.extend(error.problems)
    if problems:
        raise InputError(*problems)
    return root


def _steps(path: str, value: str) -> list[str]:
    if not value.strip() or not path.strip("."):
        raise InputError(Problem("an override needs a path and a value", f"override {path}"))
    return path.split(".")


def _set(node: Node | None, steps: list[str], value: Node, path: str) -> Node:
    if not steps:
        return value
    if isinstance(node, Listing):
        return _set_item(node, steps, value, path)
    place = node if node is not None else value
    holder = node if isinstance(node, Mapping) else mapping_at(place)
    if isinstance(node, Scalar) and node.text.strip():
        raise InputError(
            Problem(f"{steps[0]!r} leads into {node.text!r}, which is a single value", f"override {path}")
        )
    name, rest = _longest(steps, holder.keys)
    inner = _set(holder.get(name), rest, value, path)
    if isinstance(inner, Scalar) and not rest:
        kept = holder.get(name)
        if isinstance(kept, Listing) and name in _SINGLE:
            raise InputError(
                Problem(f"{path} is a list", f"override {path}", suggestion=f"name one: {_names(kept)}")
            )
    return holder.replaced(name, (word_at(value, name), inner))


def _set_item(node: Listing, steps: list[str], value: Node, path: str) -> Listing:
    names = [
        identity.text if (identity := item_id(item)) else str(place) for place, item in enumerate(node.items)
    ]
    name, rest = _longest(steps, tuple(names))
    if name not in names:
        raise InputError(
            Problem(
                f"the file has no {name!r} on the path {path}",
                f"override {path}",
                suggestion=did_you_mean(name, names),
            )
        )
    place = names.index(name)
    old = node.items[place]
    single = next((key for key in _SINGLE.values() if isinstance(old, Mapping) and key in old.keys), "")
    if not rest and isinstance(value, Scalar) and single:
        rest = [single]
    items = (*node.items[:place], _set(old, rest, value, path), *node.items[place + 1 :])
    return Listing(node.source, node.line, node.column, node.end_line, node.closes, items)


def _longest(steps: list[str], names: tuple[str, ...]) -> tuple[str, list[str]]:
    """Split off the longest run of steps that is a known name (ids may hold dots); else the first step."""
    for length in range(len(steps), 0, -1):
        joined = ".".join(steps[:length])
        if joined in names:
            return joined, steps[length:]
    return steps[0], steps[1:]


def _names(node: Listing) -> str:
    return ", ".join(identity.text for item in node.items if (identity := item_id(item)))
