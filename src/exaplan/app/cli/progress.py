"""One line on a terminal that says what is being done; silent elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


@contextmanager
def told(quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """Give a function that shows a line on standard error and clears it at the end."""
    shown = not quiet and sys.stderr.isatty()

    def tell(text: str) -> None:
        if shown:
            click.echo(f"\r\033[K{text} …", nl=False, err=True)

    try:
        yield tell
    finally:
        if shown:
            click.echo("\r\033[K", nl=False, err=True)
