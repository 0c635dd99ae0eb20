"""A shared tool as a command: ``python -m shared_tools.remember --tenant anden "Prefers mornings" habit``.

Owns the command line. What the tool works on comes from the installed distribution, by its entry point
``proxystaff.desks``: nothing here knows the runtime.
"""

import argparse
import os
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, get_args

from shared_tools.offered import Tool

GROUP = "proxystaff.desks"


def run(tool: Tool) -> None:
    """Parse the arguments, do it, print what it says; exit 1 with what is wrong, 2 for wrong usage."""
    given = vars(parser(tool).parse_args())
    tenant, home = given.pop("tenant"), given.pop("home")
    try:
        with _desks()(Path(home), tenant, tool.needs) as desk:
            print(tool.run(desk, given))  # noqa: T201 - what it says is the command's output
    except Exception as fault:  # noqa: BLE001 - the border of the command: every fault is a line for a person
        print(str(fault) or type(fault).__name__, file=sys.stderr)  # noqa: T201 - a command's output
        sys.exit(1)


def _desks() -> Any:
    found = list(entry_points(group=GROUP))
    if len(found) != 1:
        raise LookupError(f"{len(found)} distributions offer {GROUP}\n  next: install proxystaff, once")
    return found[0].load()


def parser(tool: Tool) -> argparse.ArgumentParser:
    """Required arguments in their order, then options."""
    made = argparse.ArgumentParser(prog=f"python -m shared_tools.{tool.name}", description=tool.description)
    made.add_argument("--tenant", required=True, help="the name of the tenant's folder")
    made.add_argument("--home", default=os.environ.get("PROXYSTAFF_HOME", "."), help="the folder with proxystaff.yaml")
    for name, field in tool.arguments.model_fields.items():
        kind: Any = field.annotation
        settings: dict[str, Any] = {"help": field.description}
        if choices := get_args(kind):
            settings["choices"] = choices
        elif kind is int:
            settings["type"] = int
        if field.is_required():
            made.add_argument(name, **settings)
        else:
            made.add_argument(f"--{name}", default=field.default, **settings)
    return made
