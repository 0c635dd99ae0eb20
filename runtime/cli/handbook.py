"""docs/cli.md, written from the commands themselves: ``python -m runtime.cli.handbook``."""

from collections.abc import Iterator

import click
import typer

from runtime.cli.root import root

HEAD = """\
# Commands

Every command takes `--home DIR` (or `PROXYSTAFF_HOME`; the working directory otherwise), and `--json` where it prints
data. Exit status: 0 done, 1 refused or failed (one line why, one line what next), 2 wrong usage.

This page is written by `scripts/docs`.
"""

_EVERYWHERE = ("home", "json", "help")


def write() -> str:
    """The page, from the command tree."""
    group = typer.main.get_command(root)
    assert isinstance(group, click.Group)
    return HEAD + "".join(_sections(group, "proxystaff"))


def _sections(group: click.Group, name: str) -> Iterator[str]:
    for command in group.commands.values():
        if isinstance(command, click.Group):
            yield from _sections(command, f"{name} {command.name}")
        else:
            yield _section(command, f"{name} {command.name}")


def _section(command: click.Command, name: str) -> str:
    arguments = [one for one in command.params if isinstance(one, click.Argument)]
    options = [one for one in command.params if isinstance(one, click.Option) and one.name not in _EVERYWHERE]
    usage = " ".join([name, *(one.make_metavar(click.Context(command)) for one in arguments)])
    lines = [f"- `{' '.join(one.opts)}`{_default(one)}: {one.help}" for one in options if one.help]
    listed = "".join(f"{line}\n" for line in lines)
    return f"\n## `{usage}`\n\n{(command.help or '').strip()}\n" + (f"\n{listed}" if listed else "")


def _default(option: click.Option) -> str:
    return f" (default `{option.default}`)" if option.default not in (None, "", False, -1) else ""


if __name__ == "__main__":
    print(write(), end="")  # noqa: T201
