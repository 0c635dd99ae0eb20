"""The first stage over a file: ``python -m runtime.annealing.signals --jsonl FILE``, ``-`` for standard input.

Lines ``{"id", "context": [{"role", "text"}], "text"}`` in, optionally with ``how`` (typed, forwarded, …); lines
``{"id", "label", "p", "about", "source"}`` out, in the same order. Needs no home and no settings.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from runtime.annealing.signals.first import first
from runtime.annealing.signals.records import Spoken
from runtime.words import How


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0, or 2 when a line or the file cannot be read, which is then said on standard error."""
    parser = argparse.ArgumentParser(prog="python -m runtime.annealing.signals", description=__doc__)
    parser.add_argument("--jsonl", required=True, metavar="FILE", help="the labelled or unlabelled turns; - is stdin")
    name = parser.parse_args(arguments).jsonl
    try:
        text = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        for answer in judged(name, text.split(b"\n")):
            sys.stdout.write(json.dumps(answer, ensure_ascii=True) + "\n")
    except OSError as fault:
        sys.stderr.write(f"{name}: cannot be read: {fault.strerror}\n")
        return 2
    except BrokenLine as fault:
        sys.stdout.flush()
        sys.stderr.write(f"{fault}\n  next: mend the line; it wants id, context (role and text of each) and text\n")
        return 2
    return 0


class BrokenLine(ValueError):
    """A line that is not what it should be, as ``file:line: what is wrong``."""


def judged(name: str, lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The answer to each line; empty lines are passed over. Raises BrokenLine."""
    for number, raw in enumerate(lines, start=1):
        if not raw.strip():
            continue
        try:
            yield _judged(json.loads(raw))
        except (ValueError, KeyError, TypeError, RecursionError) as fault:
            why = f"{fault.args[0]!r} is not there" if isinstance(fault, KeyError) else str(fault)
            raise BrokenLine(f"{name}:{number}: {why}") from None


def _judged(line: Any) -> dict[str, Any]:
    if not isinstance(line, dict):
        raise TypeError(f"wanted a JSON object, got {type(line).__name__}")
    context = [Spoken(_text(one["role"]), _text(one["text"])) for one in line.get("context") or ()]
    found = first(context, _text(line["text"]), How(line.get("how") or How.TYPED))
    return {
        "id": line["id"],
        "label": found.label.value,
        "p": round(found.p, 4),
        "about": found.about.value,
        "source": found.source.value,
    }


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"wanted text, got {type(value).__name__}")
    return value


if __name__ == "__main__":
    sys.exit(main())
