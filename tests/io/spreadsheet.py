"""A small reader and evaluator of .xlsx files, independent of the code that writes them: parses formulas, trusts no cache."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?)|(?P<name>[A-Z]+)\(|(?P<area>(?:'[^']+'!)?\$?[A-Z]+\$?\d+:\$?[A-Z]+\$?\d+)"
    r"|(?P<cell>(?:'[^']+'!)?\$?[A-Z]+\$?\d+)|(?P<sign><=|>=|<>|[-+*/(),<>=]))"
)


class Workbook:
    """Cells of a workbook; formulas are evaluated on demand, numbers may be overwritten."""

    def __init__(self, path: Path) -> None:
        self.numbers: dict[tuple[str, str], float] = {}
        self.formulas: dict[tuple[str, str], str] = {}
        self.cached: dict[tuple[str, str], float] = {}
        with zipfile.ZipFile(path) as archive:
            book = ET.fromstring(archive.read("xl/workbook.xml"))
            names = [sheet.attrib["name"] for sheet in book.find(f"{MAIN}sheets")]
            for number, name in enumerate(names, 1):
                page = ET.fromstring(archive.read(f"xl/worksheets/sheet{number}.xml"))
                for cell in page.iter(f"{MAIN}c"):
                    self._take(name, cell)
        self.known: dict[tuple[str, str], float] = {}

    def _take(self, sheet: str, cell: ET.Element) -> None:
        formula, value = cell.find(f"{MAIN}f"), cell.find(f"{MAIN}v")
        place = (sheet, cell.attrib["r"])
        if formula is not None:
            self.formulas[place], self.cached[place] = formula.text, float(value.text)
        elif value is not None and cell.attrib.get("t") != "s":
            self.numbers[place] = float(value.text)

    def set(self, sheet: str, cell: str, value: float) -> None:
        self.numbers[sheet, cell] = value
        self.known = {}

    def value(self, sheet: str, cell: str) -> float:
        place = (sheet, cell)
        if place in self.numbers:
            return self.numbers[place]
        if place not in self.formulas:
            return 0.0
        if place not in self.known:
            self.known[place] = Reading(self, sheet, self.formulas[place]).result()
        return self.known[place]


class Reading:
    """One formula: recursive descent over comparison, sum, product, sign, atom."""

    def __init__(self, book: Workbook, sheet: str, text: str) -> None:
        self.book, self.sheet = book, sheet
        self.tokens, at = [], 0
        while at < len(text):
            match = TOKEN.match(text, at)
            assert match, text[at:]
            self.tokens.append((match.lastgroup, match[match.lastgroup]))
            at = match.end()
        self.at = 0

    def result(self) -> float:
        found = self.comparison()
        assert self.at == len(self.tokens)
        return found

    def _next(self, *signs: str) -> str | None:
        if (
            self.at < len(self.tokens)
            and self.tokens[self.at][0] == "sign"
            and self.tokens[self.at][1] in signs
        ):
            self.at += 1
            return self.tokens[self.at - 1][1]
        return None

    def comparison(self) -> float:
        left = self.sum()
        sign = self._next("<", ">", "<=", ">=", "=", "<>")
        if sign is None:
            return left
        right = self.sum()
        return float(
            {
                "<": left < right,
                ">": left > right,
                "<=": left <= right,
                ">=": left >= right,
                "=": left == right,
                "<>": left != right,
            }[sign]
        )

    def sum(self) -> float:
        value = self.product()
        while sign := self._next("+", "-"):
            value += self.product() if sign == "+" else -self.product()
        return value

    def product(self) -> float:
        value = self.signed()
        while sign := self._next("*", "/"):
            other = self.signed()
            value = value * other if sign == "*" else value / other
        return value

    def signed(self) -> float:
        return -self.signed() if self._next("-") else self.atom()

    def atom(self) -> float:
        if self._next("("):
            value = self.comparison()
            assert self._next(")")
            return value
        kind, text = self.tokens[self.at]
        self.at += 1
        if kind == "number":
            return float(text)
        if kind == "cell":
            return self.book.value(*self._place(text))
        assert kind == "name", text
        return self._function(text)

    def _place(self, text: str) -> tuple[str, str]:
        sheet, _, cell = text.rpartition("!")
        return (sheet.strip("'") or self.sheet, cell.replace("$", ""))

    def _area(self, text: str) -> list[float]:
        first, last = text.split(":")
        sheet, begin = self._place(first)
        end = last.replace("$", "")
        letters, top = re.fullmatch(r"([A-Z]+)(\d+)", begin).groups()
        assert re.fullmatch(rf"{letters}(\d+)", end), "areas are one column wide"
        bottom = int(re.sub(r"\D", "", end))
        return [self.book.value(sheet, f"{letters}{row}") for row in range(int(top), bottom + 1)]

    def _function(self, name: str) -> float:
        if name == "IF":  # lazy: the branch not taken may divide by zero
            condition = self.comparison()
            assert self._next(",")
            if condition:
                value = self.comparison()
                assert self._next(",")
                self._skip()
            else:
                self._skip()
                assert self._next(",")
                value = self.comparison()
            assert self._next(")")
            return value
        arguments: list[float] = []
        while True:
            if self.tokens[self.at][0] == "area":
                arguments += self._area(self.tokens[self.at][1])
                self.at += 1
            else:
                arguments.append(self.comparison())
            if self._next(")"):
                break
            assert self._next(",")
        known = {
            "SUM": sum,
            "MAX": max,
            "MIN": min,
            "ABS": lambda each: abs(each[0]),
            "AND": lambda each: float(all(each)),
        }
        return float(known[name](arguments))

    def _skip(self) -> None:
        """Pass over one argument."""
        depth = 0
        while depth or self.tokens[self.at] not in (("sign", ","), ("sign", ")")):
            kind, text = self.tokens[self.at]
            depth += (kind == "name" or text == "(") - (text == ")")
            self.at += 1
