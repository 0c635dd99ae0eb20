"""Where the command line begins, and the border where faults become two lines and an exit status.

Exit 0: done. 1: refused or failed, with one line why and one line what next. 2: wrong usage.
"""

import sys
from typing import Annotated

import typer

from runtime import __version__
from runtime.cli import (
    cases,
    changes,
    connecting,
    erasing,
    homes,
    improvements,
    learning,
    people,
    rules,
    serving,
    watching,
)
from runtime.errors import Fault

root = typer.Typer(
    name="proxystaff",
    help="A member of staff for a realtor, living in WhatsApp or Telegram.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _say_version(wanted: bool) -> None:
    if wanted:
        print(f"proxystaff {__version__}")  # noqa: T201 - a command's output
        raise typer.Exit


@root.callback()
def before(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_say_version, help="Print the version and end.")
    ] = False,
) -> None:
    """A member of staff for a realtor, living in WhatsApp or Telegram."""


for topic in (homes, serving, watching, changes, improvements, rules, cases, learning, people, erasing, connecting):
    topic.register(root)


def main() -> None:
    """Run one command."""
    try:
        root()
    except Fault as fault:
        print(f"{fault.problem}\n  next: {fault.hint}", file=sys.stderr)  # noqa: T201 - a command's output
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as fault:
        print(f"{fault.strerror or fault}\n  next: see the disk, and where the output goes", file=sys.stderr)  # noqa: T201 - a command's output
        sys.exit(1)
