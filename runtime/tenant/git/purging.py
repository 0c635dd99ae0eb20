"""What git keeps of commits that nothing leads to any more, taken out: reflogs, old objects, what commands left behind.

Owns that, what must not be there when a history is rewritten, and the search through every object. Does not own what
the new commits are (rewriting.py). History.py is its only user.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from runtime.errors import Refused
from runtime.tenant.folder import Folder
from runtime.tenant.git.objects import all_ids, read_objects
from runtime.tenant.git.process import Git

_OF_GIT = frozenset({"objects", "refs", "index", "HEAD", "packed-refs", "shallow"})
_KEPT_FILES = ("config", "description", "info/", "hooks/")
"""A person's own: cleaned. Whatever else lies in .git was left by a command, and goes."""

_OLD = ("ORIG_HEAD", "FETCH_HEAD")


def refuse_entangled(git: Git, branch: str, cleaned: Callable[[str], str]) -> None:
    """Raises Refused when something would be lost, or would keep the old objects alive."""
    at = git.folder.parent
    if git("rev-parse", "--verify", "--quiet", "refs/stash", ok=(0, 1)).text():
        raise Refused("somebody's stash waits in the tenant's git", hint=f"`git stash pop` or `drop` in {at}")
    if any((git.folder / "worktrees").glob("*")):
        raise Refused("the tenant's git has other worktrees", hint=f"`git worktree list` and `remove` in {at}")
    if (git.folder / "objects/info/alternates").exists():
        raise Refused("the tenant's git borrows objects of another", hint=f"`git repack -a -d` in {at}, then remove it")
    if cleaned(branch) != branch:
        raise Refused("the branch is named after this person", hint=f"`git branch -m main` in {at}")


def purge(git: Git, cleaned: Callable[[str], str]) -> None:
    """Take out all that nothing leads to. Takes seconds; doing it again does nothing."""
    git("read-tree", "-i", "--reset", "HEAD")  # what the index names is not pruned
    git("reflog", "expire", "--expire=now", "--expire-unreachable=now", "--all", timeout=600)
    git("pack-refs", "--all", "--prune")
    for rel, path in _files(git.folder):
        _settle(git.folder, rel, path, cleaned)
    for kept in (*git.folder.glob("objects/pack/*.keep"), *git.folder.glob("objects/info/commit-graph*")):
        if kept.is_file():
            kept.unlink()
    git("gc", "--prune=now", "--quiet", timeout=1800)


def objects(git: Git) -> Iterator[tuple[str, str]]:
    """Every object git has, also those nothing leads to: its id and what it holds."""
    for id_, data in read_objects(git, all_ids(git)):
        yield id_, data.decode("utf-8", "surrogateescape")


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for at, folders, names in os.walk(folder):
        rel = os.path.relpath(at, folder)
        if rel == ".":
            folders[:] = [name for name in folders if name not in _OF_GIT]
            names = [name for name in names if name not in _OF_GIT]
        for name in names:
            yield (name if rel == "." else f"{rel}/{name}"), Path(at) / name


def _settle(git_folder: Path, rel: str, path: Path, cleaned: Callable[[str], str]) -> None:
    if path.is_symlink() or not path.is_file():
        return
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    if rel not in _OLD and cleaned(text) == text and cleaned(rel) == rel:
        return
    if rel.startswith(_KEPT_FILES):
        Folder(git_folder).write_bytes(rel, cleaned(text).encode("utf-8", "surrogateescape"))
    else:
        path.unlink()
        with suppress(OSError):
            path.parent.rmdir()
