"""``exaplan plan LAB --what-if KEY=VALUE``: the plan as given beside changed ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from exaplan.app.cli.exploring import command_line, show_explored, write_explored

if TYPE_CHECKING:
    from exaplan.app.pipeline import Clock, Settings


def compare(
    lab: Path,
    what_ifs: tuple[str, ...],
    *,
    given: dict[str, str],
    settings: Settings,
    clock: Clock,
    folder: Path,
    inputs: dict[str, bytes],
    as_json: bool,
) -> None:
    """Plan the lab as given and once for each what-if, print what changes, write a run folder.

    ``given`` are the values that every plan has replaced, ``inputs`` the files that the run folder keeps.
    """
    from exaplan.app.again import make_base
    from exaplan.app.whatif import compare_changes, read_cases
    from exaplan.io.asked import read_changes
    from exaplan.io.labfile import read_lab
    from exaplan.io.runfolder import check_place

    with clock.phase("load"):
        asked = [read_changes(text) for text in what_ifs]
        read = read_lab(lab, overrides=given)
        cases = read_cases(lambda more: read_lab(lab, overrides={**given, **more}), asked)
    check_place(folder)
    found = compare_changes(make_base(read, clock), cases, settings, clock, lab_file=str(lab))
    options = [("--what-if", text) for text in what_ifs] + [("--set", f"{k}={v}") for k, v in given.items()]
    line = command_line(
        "plan", lab, *options, ("--paths", str(settings.paths)), ("--seed", str(settings.seed))
    )
    write_explored(found, folder, clock, command=line, inputs=inputs)
    show_explored(found, folder, as_json)
