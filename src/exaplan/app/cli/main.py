"""The command line. Exit codes: 0 done, 1 the plan violates its own limits, 2 bad input."""

from __future__ import annotations

import errno
import sys
from typing import Any

import click

from exaplan.app.cli.alternatives import alternatives
from exaplan.app.cli.cases import cases
from exaplan.app.cli.catalog import catalog
from exaplan.app.cli.decide import decide
from exaplan.app.cli.files import check, init, schema
from exaplan.app.cli.frontier import frontier
from exaplan.app.cli.offer import offer
from exaplan.app.cli.options import options
from exaplan.app.cli.perf import perf
from exaplan.app.cli.plan import plan
from exaplan.app.cli.raises import raises
from exaplan.app.cli.sensitivity import sensitivity
from exaplan.app.cli.sweep import sweep
from exaplan.domain.errors import ExaplanError, InputError


class Located(click.Group):
    """A group whose commands end with a located message and exit code instead of a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; bad input exits with 2, no answer with 1."""
        try:
            return super().invoke(ctx)
        except InputError as error:
            click.echo(str(error), err=True)
            sys.exit(2)
        except ExaplanError as error:
            click.echo(f"error: {error}", err=True)
            sys.exit(1)
        except OSError as error:
            if error.errno == errno.EPIPE:  # the reader of a pipe went away: click ends quietly
                raise
            place = f"{error.filename}: " if error.filename else ""
            click.echo(f"{place}error: {error.strerror or error}; choose another place", err=True)
            sys.exit(2)


@click.group(cls=Located)
@click.version_option(package_name="exaplan")
def main() -> None:
    """Plan AI compute: what to buy, rent or build, when to sign, for whom, at what risk."""


EXPLORING = (options, sweep, frontier, raises, alternatives, sensitivity, offer)

for command in (plan, decide, *EXPLORING, check, init, schema, catalog, perf, cases):
    main.add_command(command)
