"""Answer cases: what is kept from before at once, the rest in processes side by side, each kept as soon as it is there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

import exaplan.domain
from exaplan import __version__
from exaplan.app.casebook.registry import CASES, Case
from exaplan.app.fanout import process_stream
from exaplan.io.examples import case_folder, race_example
from exaplan.io.kept_answers import digest, keep_answer, read_answer
from exaplan.report.casebook_summary import Answered

_PACKAGE = Path(exaplan.domain.__file__).parents[1]
_ENGINES = ("domain", "optimize", "io", "perf", "capability", "economy", "plan", "simulate", "app", "data")
_OF_RESULTS = {".py", ".csv", ".json", ".yaml", ".toml"}
_NUMERICS = ("numpy", "highspy")


def key_of(case: Case) -> str:
    """Hash all that an answer is computed from: engines, data, labs of cases, numeric libraries, and the case's own files.

    Files of other cases do not count, nor does what only draws or prints.
    """
    own = [path for path in _case_files() if path.stem.startswith(case.module.rpartition(".")[2])]
    return digest(own, (_common(), case.name))


@lru_cache(maxsize=1)
def _common() -> str:
    cases = set(_case_files())
    files = [path for room in _ENGINES for path in (_PACKAGE / room).rglob("*") if path.suffix in _OF_RESULTS]
    kept = [path for path in files if path not in cases and "cli" not in path.parts]
    words = (__version__, *(version(name) for name in _NUMERICS))
    shipped = [*case_folder().glob("*.yaml"), race_example()]
    return digest([*kept, *shipped], words)


@lru_cache(maxsize=1)
def _case_files() -> tuple[Path, ...]:
    beginnings = tuple(case.module.rpartition(".")[2] for case in CASES)
    return tuple(path for path in Path(__file__).parent.glob("*.py") if path.stem.startswith(beginnings))


def answer_cases(
    cases: Sequence[Case], *, folder: Path | None, fresh: bool = False
) -> Iterator[tuple[Case, Answered]]:
    """Answer cases in the order in which they are done.

    ``folder`` keeps answers; None keeps none. ``fresh`` does not read what is kept. Stopped half-way, the next run goes on
    with the cases that are missing.
    """
    missing = []
    for case in cases:
        kept = None if folder is None or fresh else read_answer(folder, case.name, key_of(case))
        if kept is None:
            missing.append(case)
        else:
            yield case, Answered(*kept, kept=True)
    known = {case.name: case for case in missing}
    for name, answered in process_stream(partial(answer_named, folder=folder), list(known)):
        yield known[name], answered


def answer_named(name: str, *, folder: Path | None) -> Answered:
    """Answer one case and keep it."""
    case = next(case for case in CASES if case.name == name)
    begin = perf_counter()
    record = case.answer()
    seconds = perf_counter() - begin
    if folder is not None:
        keep_answer(folder, name, key_of(case), (record, seconds))
    return Answered(record, seconds)
