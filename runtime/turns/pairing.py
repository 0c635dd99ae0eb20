"""Strangers: who asked to be let in, and what an owner said. Nobody is let in by the agent, or by asking.

Owns the table pairing. Letting somebody in is an edit of tenant.yaml, committed with who said so.
"""

import secrets
from dataclasses import dataclass
from enum import StrEnum

from runtime.engine.database import Row, Transaction
from runtime.errors import BadInput, NotFound
from runtime.tenant.config import edit_config
from runtime.tenant.registry import Tenant
from runtime.words import Inbound, Role, TenantId

ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""Without what is misread on a phone: 0 and O, 1, I and L."""

CODE_LENGTH = 8
LIFETIME = 24 * 3600.0
"""Seconds after which a request is forgotten; whoever asked may ask again."""

MOST_WAITING = 5
"""Requests of one tenant that wait at the same time. Further strangers are not heard: nobody can flood an owner."""

WAITING = "SELECT count(*) AS requests FROM pairing WHERE tenant = :tenant AND state = 'waiting' AND opened > :since"

ASKED = "SELECT * FROM pairing WHERE tenant = :tenant AND channel = :channel AND sender = :sender"

OPEN = """
INSERT INTO pairing (tenant, channel, sender, name, code, state, opened)
VALUES (:tenant, :channel, :sender, :name, :code, 'waiting', :now)
ON CONFLICT (tenant, channel, sender) DO UPDATE
SET name = excluded.name, code = excluded.code, state = 'waiting', opened = excluded.opened"""

BY_CODE = """
SELECT * FROM pairing WHERE tenant = :tenant AND code = :code AND state = 'waiting' AND opened > :since"""

SETTLE = "UPDATE pairing SET state = :state WHERE tenant = :tenant AND code = :code AND state = 'waiting'"

LIST = "SELECT * FROM pairing WHERE tenant = :tenant ORDER BY opened DESC LIMIT 100"


_MARKS = frozenset("[](){}*_`~<>|#·/\\")


class Answer(StrEnum):
    APPROVED = "approved"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class Asked:
    """``fresh``: the request is new, and both sides are told. ``code`` is empty when none was opened."""

    code: str
    fresh: bool


def ask(tx: Transaction, tenant: TenantId, message: Inbound, now: float) -> Asked:
    """A stranger wrote. One request a person and day; a person who was denied is not heard again in that time."""
    who = {"tenant": tenant, "channel": message.channel, "sender": message.sender}
    known = tx.one(ASKED, **who)
    if known and known["opened"] > now - LIFETIME:
        return Asked(known["code"] if known["state"] == "waiting" else "", fresh=False)
    (waiting,) = tx.run(WAITING, tenant=tenant, since=now - LIFETIME)
    if waiting["requests"] >= MOST_WAITING:
        return Asked("", fresh=False)
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    tx.run(OPEN, name=_name(message), code=code, now=now, **who)
    return Asked(code, fresh=True)


def find(tx: Transaction, tenant: TenantId, code: str, now: float) -> Row:
    """The waiting request with ``code``. Raises NotFound."""
    row = tx.one(BY_CODE, tenant=tenant, code=code.strip().upper(), since=now - LIFETIME)
    if row is None:
        raise NotFound(
            f"no request waits under {code or 'no code'}", hint="codes expire after a day; ask them to write again"
        )
    return row


def settle(tx: Transaction, tenant: TenantId, code: str, answer: Answer) -> None:
    tx.run(SETTLE, tenant=tenant, code=code, state=answer.value)


def role_of(word: str) -> Role:
    """The role an owner named; a guest when none. Raises BadInput: nobody becomes an owner over a chat."""
    if word.lower() in ("", "guest"):
        return Role.GUEST
    if word.lower() == "member":
        return Role.MEMBER
    raise BadInput(f"{word!r} is not a role to give here", hint="guest or member; owners are named in tenant.yaml")


def let_in(tenant: Tenant, request: Row, role: Role) -> None:
    """Write the person into tenant.yaml. Doing it again changes nothing. Raises Refused as edit_config."""
    if tenant.config.person(request["channel"], request["sender"]) is not None:
        return
    entry = {"name": request["name"], "role": role.value, request["channel"]: request["sender"]}
    edit_config(tenant.folder, lambda tree: tree["people"].append(entry))


def _name(message: Inbound) -> str:
    return harmless(message.sender_name)[:60] or message.sender


def harmless(text: str) -> str:
    """Words of a stranger as an owner is shown them: one line, nothing that formats, links or speaks as we do."""
    return " ".join("".join(" " if letter in _MARKS or not letter.isprintable() else letter for letter in text).split())
