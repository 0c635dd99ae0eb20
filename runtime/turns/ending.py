"""How a conversation ends: what is to be learned from it is durable before its session is forgotten.

The next message begins a new session, which reads what is written down and the last messages.
"""

from collections.abc import Callable
from dataclasses import dataclass

from runtime.agent.pool import Sessions
from runtime.engine.database import Database, Transaction
from runtime.tenant.registry import Tenant
from runtime.words import Conversation

Ended = Callable[[Transaction, Tenant, Conversation], None]
"""Told, in a transaction, that a conversation has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Called again after a kill it ends nothing twice."""

    database: Database
    sessions: Sessions
    ended: Ended

    async def __call__(self, tenant: Tenant, conversation: Conversation) -> None:
        await self.database.write(lambda tx: self.ended(tx, tenant, conversation))
        await self.sessions.close_conversation(tenant.id, conversation, tenant.folder.root)
