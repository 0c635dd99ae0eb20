"""What of a case's assertions a play does not fulfil. Pure.

Owns their order: first what there is afterwards and what would have left, then what was used, then what was said.
"""

from collections.abc import Callable, Iterator, Sequence

from runtime.annealing.gate.case import Expect, FileCheck, OutboxCheck, Use
from runtime.annealing.gate.cassette import Used, short
from runtime.annealing.gate.matching import has


def problems(
    expect: Expect, *, answer: str, uses: Sequence[Used], outbox: Sequence[Used], file: Callable[[str], str]
) -> tuple[str, ...]:
    """A sentence for each that does not hold. ``file``: what is in a file of the play's folder, nothing if it is not
    there."""
    return (
        *_outbox(expect.outbox, outbox),
        *(one for path, check in expect.files.items() for one in _file(path, check, file(path))),
        *(f"{_named(use)} was not used" for use in expect.uses if not _used(use, uses)),
        *(f"{_named(use)} was used" for use in expect.never_uses if _used(use, uses)),
        *(f"it does not say {one}" for one in expect.says if not has(one, answer)),
        *(f"it says {one}" for one in expect.never_says if has(one, answer)),
    )


def _outbox(check: OutboxCheck, outbox: Sequence[Used]) -> Iterator[str]:
    if check.empty and outbox:
        yield f"something would have left: {outbox[0]}"
    if check.count is not None and len(outbox) != check.count:
        yield f"{len(outbox)} would have left, not {check.count}"
    for one in outbox:
        yield from (
            f"what would have left does not have {pattern}: {one}"
            for pattern in check.each
            if not has(pattern, str(one))
        )
        yield from (f"what would have left has {pattern}: {one}" for pattern in check.never if has(pattern, str(one)))


def _file(path: str, check: FileCheck, text: str) -> Iterator[str]:
    yield from (f"{path} does not have {pattern}" for pattern in check.contains if not has(pattern, text))
    yield from (f"{path} has {pattern}" for pattern in check.never if has(pattern, text))


def _used(wanted: Use, uses: Sequence[Used]) -> bool:
    return any(
        one.tool == short(wanted.tool) and (not wanted.input or has(wanted.input, str(one).partition(" ")[2]))
        for one in uses
    )


def _named(use: Use) -> str:
    return f"{short(use.tool)} with {use.input}" if use.input else short(use.tool)
