"""The command line. Exit codes: 0 done, 1 the plan violates its own limits, 2 bad input."""

from __future__ import annotations

import errno
import sys
from typing import Any

import click

from exaplan.app.cli.align import align
from exaplan.app.cli.alternatives import alternatives
from exaplan.app.cli.capability import capability
from exaplan.app.cli.cases import cases
from exaplan.app.cli.catalog import catalog
from exaplan.app.cli.decide import decide
from exaplan.app.cli.files import check, init, schema
from exaplan.app.cli.frontier import frontier
from exaplan.app.cli.futures import futures
from exaplan.app.cli.offer import offer
from exaplan.app.cli.options import options
from exaplan.app.cli.perf import perf
from exaplan.app.cli.plan import plan
from exaplan.app.cli.race import race
from exaplan.app.cli.raises import raises
from exaplan.app.cli.sensitivity import sensitivity
from exaplan.app.cli.simulate import simulate
from exaplan.app.cli.statements import statements
from exaplan.app.cli.sweep import sweep
from exaplan.domain.errors import ExaplanError, InputError

SECTIONS: dict[str, tuple[click.Command, ...]] = {
    "Begin": (init, check, schema, catalog),
    "Plan": (plan, decide, offer, options),
    "Judge a plan": (simulate, statements, alternatives, sensitivity, futures),
    "Compare plans": (sweep, frontier, raises),
    "Chips and models": (perf, capability, align),
    "Beyond one lab": (race, cases),
}
"""Commands in the order in which they are met."""


class Located(click.Group):
    """A group whose commands end with a located message and exit code instead of a traceback."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Name the commands in the order in which they are met."""
        return list(self.commands)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands by what they are for."""
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                width = formatter.width - 6 - max(map(len, self.commands))
                formatter.write_dl(
                    [(each.name or "", each.get_short_help_str(limit=2 * width)) for each in commands],
                    col_max=max(map(len, self.commands)) + 2,
                )

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


@click.group(cls=Located, epilog="Start: exaplan init mylab --from startup; each command has its own --help.")
@click.version_option(package_name="exaplan")
def main() -> None:
    """Plan AI compute: what to buy, rent or build, when to sign, for whom, at what risk."""


for commands in SECTIONS.values():
    for command in commands:
        main.add_command(command)
