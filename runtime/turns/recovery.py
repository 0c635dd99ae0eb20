"""What a killed process left in the tenants' folders, put right before the next turn runs.

At most one turn a tenant was at work. If its reply was durable, what it changed is committed as its own; otherwise the
changes are kept aside under a ref, and the turn begins again on a clean folder. Without this, another conversation's
turn could come first and take the leftovers for an admin's edits.
"""

import asyncio

from runtime import logs
from runtime.engine.database import Database
from runtime.errors import Fault
from runtime.tenant.git.history import Origin
from runtime.tenant.registry import Tenants
from runtime.turns.bad_edits import AGENT
from runtime.turns.edits import Edits
from runtime.turns.records import Records
from runtime.words import TenantId, TurnId

BEGUN = """
SELECT id, tenant, conversation, state FROM turn
WHERE attempts > 0 AND state IN ('closed', 'answered') ORDER BY opened"""

log = logs.get("recovery")


async def recover(database: Database, tenants: Tenants, records: Records, edits: Edits) -> None:
    """Once, before anything runs. A tenant that is broken is left as it is: its turns do not run either."""
    for row in await database.read(lambda tx: tx.run(BEGUN)):
        turn = TurnId(row["id"])
        try:
            tenant = tenants.get(TenantId(row["tenant"]))
            if row["state"] == "closed":
                await asyncio.to_thread(records.set_aside, tenant, turn)
            else:
                origin = Origin(
                    actor="agent",
                    tenant=tenant.id,
                    conversation=row["conversation"],
                    turn=turn,
                    trigger="taken up after a kill",
                )
                bad = await asyncio.to_thread(records.commit_left, tenant, origin)
                await edits.refuse(tenant, bad, whose=AGENT)
        except Fault as fault:
            log.warning("recovery.not_possible", turn=turn, problem=fault.problem)
