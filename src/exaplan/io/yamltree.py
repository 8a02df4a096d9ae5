"""A YAML file as a tree of nodes that know where they stand and what comment stands beside them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from exaplan.domain.errors import InputError, Problem

LARGEST_BYTES = 4_000_000
LARGEST_EXPANSION = 10_000
DEEPEST = 40
_PLAIN_TAGS = {"null", "bool", "int", "float", "str", "seq", "map", "merge", "timestamp", "value"}
_COMMENT = re.compile(r"(?:^|[\s,\]}])#\s*(.*?)\s*$")


@dataclass(frozen=True, eq=False)
class Source:
    """One text with its lines; ``ends`` holds the last column that carries a value, by line (both from 0)."""

    file: str
    lines: tuple[str, ...]
    ends: dict[int, int] = field(default_factory=dict)

    def line(self, number: int) -> str:
        """Return the text of a line, counted from 1; empty beyond the end."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def comment(self, number: int) -> str:
        """Return the comment at the end of a line, counted from 1; empty where there is none."""
        found = _COMMENT.search(self.line(number)[self.ends.get(number - 1, 0) :])
        return found[1] if found else ""


@dataclass(frozen=True, eq=False)
class Node:
    """A value of the file. ``line`` and ``column`` count from 1; ``closes`` is where the enclosing braces close."""

    source: Source
    line: int
    column: int
    end_line: int
    closes: int

    @property
    def note(self) -> str:
        """The comment beside this value, or beside the closing brace that it stands in."""
        return self.source.comment(self.end_line) or self.source.comment(self.closes)


@dataclass(frozen=True, eq=False)
class Scalar(Node):
    """A single value, as written."""

    text: str = ""

    def part(self, start: int, text: str) -> Scalar:
        """Return a piece of this scalar that begins ``start`` characters in."""
        return Scalar(self.source, self.line, self.column + start, self.end_line, self.closes, text)


@dataclass(frozen=True, eq=False)
class Listing(Node):
    """A list."""

    items: tuple[Node, ...] = ()


@dataclass(frozen=True, eq=False)
class Mapping(Node):
    """Keys and values in the order of the file."""

    entries: tuple[tuple[Scalar, Node], ...] = ()

    def get(self, key: str) -> Node | None:
        """Return the value of a key, or None."""
        return next((value for name, value in self.entries if name.text == key), None)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys as written."""
        return tuple(name.text for name, _ in self.entries)

    def replaced(self, key: str, *entries: tuple[Scalar, Node]) -> Mapping:
        """Put ``entries`` where ``key`` stands (or at the end), dropping older entries of the same names."""
        fresh = {name.text for name, _ in entries}
        kept: list[tuple[Scalar, Node]] = []
        placed = False
        for name, value in self.entries:
            if name.text == key and not placed:
                kept.extend(entries)
                placed = True
            elif name.text not in fresh and name.text != key:
                kept.append((name, value))
        kept.extend(() if placed else entries)
        return Mapping(self.source, self.line, self.column, self.end_line, self.closes, tuple(kept))


def read_tree(path: Path) -> Mapping:
    """Read a YAML file into a tree.

    Raises
    ------
    InputError
        Where the path is missing, a directory, empty, too large, not UTF-8 text, not YAML, or not a mapping.
    """
    return parse_tree(read_text(path), str(path))


def read_text(path: Path) -> str:
    """Read a UTF-8 text file; InputError tells what is wrong with the path or the first bad byte."""
    file = str(path)
    try:
        if path.is_dir():
            raise InputError(Problem("this is a directory, not a lab file", file))
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            Problem(f"cannot read the file: {reason}", file, suggestion="check the path")
        ) from error
    if len(data) > LARGEST_BYTES:
        raise InputError(Problem(f"the file has {len(data)} bytes; the limit is {LARGEST_BYTES}", file))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line, column = before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1
        raise InputError(
            Problem("not UTF-8 text", file, line, column, suggestion="is this a lab file? save it as UTF-8")
        ) from error
    if not text.strip():
        raise InputError(Problem("the file is empty", file, suggestion="begin with `exaplan init`"))
    return text


@lru_cache(maxsize=16)
def parse_tree(text: str, file: str) -> Mapping:
    """Parse YAML text whose top is a mapping; ``file`` names it in messages. Raises InputError."""
    root = parse_node(text, file)
    if not isinstance(root, Mapping):
        raise _fault(
            root.source,
            root.line,
            root.column,
            "a lab file is a mapping of keys to values",
            "begin with `lab: NAME`",
        )
    return root


def parse_node(text: str, file: str) -> Node:
    """Parse any YAML text into a node; InputError where it is not YAML, or expands beyond reason."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError
    from ruamel.yaml.reader import ReaderError

    source = Source(file, tuple(text.splitlines()))
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 2)
    yaml.composer.warn_double_anchors = False  # naming an anchor again is legal: the later one holds
    try:
        root = yaml.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        reason = ", ".join(str(part) for part in (error.context, error.problem) if part)
        raise _fault(
            source, line, column, f"not YAML: {reason}", "check indentation, colons and brackets"
        ) from error
    except ReaderError as error:
        raise _fault(source, 0, 0, "not a text file: it holds control characters") from error
    except RecursionError as error:
        raise _fault(source, 0, 0, f"nested too deeply; the limit is {DEEPEST} levels") from error
    except (
        YAMLError,
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        AssertionError,
        NotImplementedError,
    ) as error:  # what ruamel.yaml lets through on broken input, found by fuzzing; each becomes a located fault
        raise _fault(source, 0, 0, f"not YAML: {error}") from error
    if root is None:
        raise _fault(source, 0, 0, "the file holds nothing but comments", "begin with `lab: NAME`")
    return _Grower(source).grow(root, (), 0)


def _fault(source: Source, line: int, column: int, reason: str, suggestion: str = "") -> InputError:
    return InputError(Problem(reason, source.file, line, column, source.line(line), suggestion))


class _Grower:
    """Turns composed YAML nodes into ours, counting what aliases expand to."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.seen: set[int] = set()
        self.repeated = 0

    def grow(self, node: object, above: tuple[int, ...], closes: int) -> Node:
        """Copy one composed node; ``above`` are the ids of its ancestors, ``closes`` the line of their brace."""
        from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

        assert isinstance(node, ScalarNode | SequenceNode | MappingNode)  # noqa: S101 - the composer makes no other
        line, column = node.start_mark.line + 1, node.start_mark.column + 1
        self._guard(node, above, line, column)
        if str(node.tag).removeprefix("tag:yaml.org,2002:") not in _PLAIN_TAGS:
            raise _fault(self.source, line, column, f"the tag {node.tag} means nothing here", "remove it")
        if isinstance(node, ScalarNode):
            last = node.end_mark.line
            self.source.ends[last] = max(self.source.ends.get(last, 0), node.end_mark.column)
            return Scalar(self.source, line, column, last + 1, closes or last + 1, str(node.value))
        end_line = node.end_mark.line + 1 if node.flow_style else line
        closes = closes or (end_line if node.flow_style else 0)
        above = (*above, id(node))
        if isinstance(node, SequenceNode):
            items = tuple(self.grow(item, above, closes) for item in node.value)
            return Listing(self.source, line, column, end_line, closes, items)
        return Mapping(self.source, line, column, end_line, closes, self._entries(node.value, above, closes))

    def _guard(self, node: object, above: tuple[int, ...], line: int, column: int) -> None:
        if id(node) in above:
            raise _fault(
                self.source, line, column, "this anchor contains an alias to itself", "write the value out"
            )
        if len(above) > DEEPEST:
            raise _fault(self.source, line, column, f"nested too deeply; the limit is {DEEPEST} levels")
        if id(node) in self.seen:
            self.repeated += 1
            if self.repeated > LARGEST_EXPANSION:
                raise _fault(
                    self.source,
                    line,
                    column,
                    f"aliases of this file expand to more than {LARGEST_EXPANSION} values",
                )
        self.seen.add(id(node))

    def _entries(
        self, pairs: list[tuple[object, object]], above: tuple[int, ...], closes: int
    ) -> tuple[tuple[Scalar, Node], ...]:
        entries: list[tuple[Scalar, Node]] = []
        merged: list[tuple[Scalar, Node]] = []
        first: dict[str, Scalar] = {}
        for key_node, value_node in pairs:
            key = self.grow(key_node, above, closes)
            value = self.grow(value_node, above, closes)
            if not isinstance(key, Scalar):
                raise _fault(self.source, key.line, key.column, "a key must be a single word")
            if key.text == "<<" and isinstance(value, Mapping):
                merged.extend(value.entries)
                continue
            if key.text in first:
                where = f"it stands in line {first[key.text].line} already"
                raise _fault(self.source, key.line, key.column, f"duplicate key {key.text!r}", where)
            first[key.text] = key
            entries.append((key, value))
        return (*entries, *(entry for entry in merged if entry[0].text not in first))
