"""Whether a file of a tenant is good enough to be in force: every fault of it, each as ``file:line: what``.

Owns which check a path is given. Does not own what becomes of a file that fails it (aside.py, turns/edits.py). A tool
is parsed and never imported; an agent may write most of these files, so what costs the reader is refused by size.
"""

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from runtime import checked_json, checked_yaml
from runtime.errors import BadInput, ConfigFault, Fault, NotFound, Refused
from runtime.tenant import frontmatter
from runtime.tenant.config import TENANT_FILE, TenantConfig
from runtime.tenant.folder import COMMITTED, Folder
from runtime.tenant.git.changes import is_litter
from runtime.tenant.git.commits import shown
from runtime.tenant.heads import Directive, Manifest, Schedules
from runtime.tenant.life import files
from runtime.tenant.rules import files as rules

LARGEST = 1_000_000
"""Characters of a tool or of the manifest; reading one takes up to a second."""

_HINT = "mend it and save it; nothing else is needed"


def check(rel: str, data: bytes | None) -> None:
    """Raises ConfigFault with everything that is wrong with the file ``rel`` when it holds ``data`` (None: it is
    gone). What nobody reads by rule (a picture, a text of a person's own) is always good."""
    if data is None:
        if rel == TENANT_FILE:
            raise ConfigFault([f"{rel}:1: there is no such file"], hint="bring it back from the tenant's git")
        return
    look = _look_for(rel)
    try:
        if look is not None:
            look(shown(rel), _text(shown(rel), data))
    except RecursionError:
        raise ConfigFault([f"{shown(rel)}:1: nested too deeply"], hint="write it flatter") from None


def faults(folder: Folder) -> Iterator[Fault]:
    """What is wrong with which file of a tenant, as it lies in the folder."""
    for rel in sorted(folder.stamps()):
        if _look_for(rel) is None or is_litter(rel):
            continue
        try:
            check(rel, folder.read_bytes(rel))
        except (NotFound, Refused):
            continue  # gone since it was listed; a link or the like, which is no file of the tenant
        except Fault as fault:
            yield fault


def _look_for(rel: str) -> Callable[[str, str], object] | None:
    top, _, rest = rel.partition("/")
    ending = rel.rpartition(".")[2]
    match top, ending:
        case "life", "md":
            return files.parse
        case "directives", "md":
            return _directive(rest)
        case "execution", "py":
            return _tool
        case _:
            return _ALONE.get(rel, _anything if ending in _TEXTS and top in COMMITTED else None)


def _directive(rest: str) -> Callable[[str, str], object]:
    if rest.rpartition("/")[2] == "README.md":
        return _anything
    return _rule if rest.startswith("rules/") else _sop


def _sop(rel: str, text: str) -> None:
    checked_json.load(Path(rel), Directive, text=_head(rel, text), above=1, hint=_HINT)


def _rule(rel: str, text: str) -> None:
    with _as_faults():
        rules.check(rel, text)


def _head(rel: str, text: str) -> str:
    with _as_faults():
        frontmatter.parse(text, path=rel)
    return frontmatter.head(text)


@contextmanager
def _as_faults() -> Iterator[None]:
    try:
        yield
    except BadInput as fault:
        raise ConfigFault([fault.problem], hint=fault.hint) from None


def _manifest(rel: str, text: str) -> None:
    _refuse_large(rel, text)
    checked_json.load(Path(rel), Manifest, text=text, hint=_HINT)


def _refuse_large(rel: str, text: str) -> None:
    if len(text) > LARGEST:
        raise ConfigFault([f"{rel}:1: more than {LARGEST:,} characters"], hint="make it smaller")


def _schedules(rel: str, text: str) -> None:
    checked_yaml.refuse_hostile(Path(rel), text)
    checked_yaml.load(Path(rel), Schedules, text=text)


def _settings(rel: str, text: str) -> None:
    checked_yaml.load(Path(rel), TenantConfig, text=text)


def _tool(rel: str, text: str) -> None:
    _refuse_large(rel, text)
    try:
        ast.parse(text)
    except SyntaxError as fault:
        line = fault.lineno or 1
        raise ConfigFault([f"{rel}:{line}: not Python: {fault.msg}"], hint=f"mend line {line}") from None
    except (ValueError, RecursionError, MemoryError) as fault:
        why = str(fault) if isinstance(fault, ValueError) else "nested too deeply"
        raise ConfigFault([f"{rel}:1: not Python: {why}"], hint="mend the file") from None


def _anything(_rel: str, _text: str) -> None:
    """Any text will do."""


def _text(rel: str, data: bytes) -> str:
    """Raises ConfigFault when it is not UTF-8, with the line of the first byte that is not; Notepad's mark goes."""
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        raise ConfigFault([f"{rel}:{line}: not UTF-8 text"], hint=f"save {rel} as UTF-8") from None


_TEXTS = frozenset({"md", "json", "yaml", "yml", "py", "txt", "csv"})
_ALONE: dict[str, Callable[[str, str], object]] = {
    "CLAUDE.md": _anything,
    TENANT_FILE: _settings,
    "execution/tool_manifest.json": _manifest,
    "state/schedules.yaml": _schedules,
}
