"""The history when a person is erased: rewritten without them, and one commit at its end that says that it was.

Owns the order in which that is safe: the new commits are made beside the old, their ids are written down, then all refs
move at once, then the old ones are taken out. After a kill the same is done again and ends in the same.
"""

from runtime.tenant.erasure import records
from runtime.tenant.erasure.journal import Erasure
from runtime.tenant.erasure.texts import Cleaning
from runtime.tenant.folder import Folder
from runtime.tenant.git import commits as wording
from runtime.tenant.git.commits import ADMIN, Origin
from runtime.tenant.git.history import History

SUBJECT = "Forget one person"
_RECENT = 100
"""Commits among which the one that says it is looked for: nothing but a person's own git comes after it."""


def rewrite(folder: Folder, history: History, erasure: Erasure, cleaning: Cleaning) -> None:
    rewriting = history.rewriting(cleaning)
    found = rewriting.plan()
    head, branch = history.head(), history.branch()
    moves = {move[0]: move for move in found.moves}
    if not any(one.trailers.get("Erasure") == erasure.id for one in history.log(limit=_RECENT)):
        parent = found.commits.get(head, head)
        made = rewriting.add(rewriting.tree_of(parent), parent, erasure.author, _message(erasure))
        moves[branch] = (branch, head, branch, made)
    records.write(
        folder,
        erasure.id,
        at=erasure.at,
        name=records.code(erasure.person.name, bytes.fromhex(erasure.salt)),
        salt=erasure.salt,
        commits=found.commits,
    )
    if moves:
        rewriting.write([new for *_, new in moves.values()])
        rewriting.move(list(moves.values()))
    history.purge(lambda text: cleaning.finder.without(text, "removed"))


def _message(erasure: Erasure) -> str:
    code = records.code(erasure.person.name, bytes.fromhex(erasure.salt))
    extra = {"Erasure": erasure.id, "Erased": f"scrypt:{code}"}
    origin = Origin(actor=ADMIN, tenant=erasure.tenant, trigger="command line", extra=extra)
    return wording.message(SUBJECT, origin)
