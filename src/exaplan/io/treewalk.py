"""Finding one's way in the tree of a lab file by keys and ids."""

from __future__ import annotations

from collections.abc import Iterator

from exaplan.io.yamltree import Listing, Mapping, Node, Scalar


def items(node: Node | None) -> Iterator[Mapping]:
    """Yield the mappings of a list."""
    if isinstance(node, Listing):
        yield from (item for item in node.items if isinstance(item, Mapping))


def at(root: Node, *steps: str) -> Node:
    """Return the deepest node that a path of keys and ids reaches."""
    here = root
    for step in steps:
        found: Node | None = None
        if isinstance(here, Mapping):
            found = here.get(step)
        else:
            named = (
                item
                for item in items(here)
                if isinstance(name := item.get("id"), Scalar) and name.text == step
            )
            found = next(named, None)
        if found is None:
            return here
        here = found
    return here
