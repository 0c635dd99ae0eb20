"""docs/cli.md, written from the commands themselves: ``python -m runtime.cli.handbook``."""

from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperArgument, TyperGroup, TyperOption

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
    assert isinstance(group, TyperGroup)
    return HEAD + "".join(_sections(group, "proxystaff"))


def _sections(group: TyperGroup, name: str) -> Iterator[str]:
    for command in group.commands.values():
        if isinstance(command, TyperGroup):
            yield from _sections(command, f"{name} {command.name}")
        else:
            yield _section(command, f"{name} {command.name}")


def _section(command: Any, name: str) -> str:
    arguments = [one for one in command.params if isinstance(one, TyperArgument)]
    options = [one for one in command.params if isinstance(one, TyperOption) and one.name not in _EVERYWHERE]
    usage = " ".join([name, *((one.metavar or one.name or "").upper() for one in arguments)])
    lines = [f"- `{' '.join(one.opts)}`{_default(one)}: {one.help}" for one in options if one.help]
    listed = "".join(f"{line}\n" for line in lines)
    return f"\n## `{usage}`\n\n{(command.help or '').strip()}\n" + (f"\n{listed}" if listed else "")


def _default(option: TyperOption) -> str:
    return f" (default `{option.default}`)" if option.default not in (None, "", False, -1) else ""


if __name__ == "__main__":
    print(write(), end="")  # noqa: T201 - a command's output
