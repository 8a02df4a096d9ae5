"""``exaplan perf accuracy``: the page on accuracy and one page per family of chips, from one run."""

from __future__ import annotations

from pathlib import Path

import click

from exaplan.app.cli.perf_validate import table_options
from exaplan.domain.errors import InputError, Problem

PAGE, FOLDER = "accuracy.md", "accuracy"


@click.command()
@table_options
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for accuracy.md and the folder accuracy, for example docs.",
)
def accuracy(training: Path | None, inference: Path | None, serving: Path | None, out: Path) -> None:
    """Validate in sample and without each source, model and chip, and write the pages. Takes minutes."""
    from exaplan.app.accuracy import Tables, check_any, coefficients, read_tables
    from exaplan.app.accuracy_material import material
    from exaplan.app.cli.progress import told
    from exaplan.report.accuracy import accuracy_page, kept_remarks
    from exaplan.report.accuracy_pages import family_page

    measured, missing = read_tables(Tables(training, inference, serving))
    check_any(measured)
    page, folder = out / PAGE, out / FOLDER
    _prepare(folder)
    kept = kept_remarks(page.read_text(encoding="utf-8")) if page.is_file() else ""
    with told() as tell:
        found = material(measured, missing, coefficients(None), tell=tell)
    page.write_text(accuracy_page(found, kept), encoding="utf-8")
    for family in found["families"]:
        (folder / f"{family['kind']}.md").write_text(family_page(found, family), encoding="utf-8")
    for aim in found["aims"]:
        value = aim["scores"][aim["judged"]][aim["figure"]]
        reached = "no rows" if value is None else f"{100 * value:.1f} %"
        click.echo(
            f"{'met   ' if aim['met'] else 'missed'}  {aim['name']}: {reached} (aim {100 * aim['limit']:.0f} %)"
        )
    click.echo(f"Wrote {page} and {len(found['families'])} pages in {folder}.")


def _prepare(folder: Path) -> None:
    """Find out before the work, not after it, whether the folder can be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = f"cannot write here: {error.strerror or error}"
        raise InputError(Problem(reason, file=str(folder), suggestion="choose another folder")) from error
