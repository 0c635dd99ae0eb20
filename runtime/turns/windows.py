"""WhatsApp's window: a business may write freely for 24 hours after a person last did. What is done outside it.

Pure. A message outside the window goes as an approved template where the tenant has one, on another channel where the
person has one, and is held and shown otherwise, until they write again. It is never sent into a silent refusal.
Source: Meta, "Send messages" (customer service windows), error 131047.
"""

from runtime.channels.whatsapp import fits_template
from runtime.channels.whatsapp.errors import WINDOW_CLOSED
from runtime.tenant.registry import Tenant
from runtime.turns.letters import Letter, reachable
from runtime.turns.outbox import Planned
from runtime.words import GiveUp

OPEN_SECONDS = 24 * 3600.0

CLOSED = GiveUp(
    "they last wrote more than 24 hours ago, and WhatsApp takes nothing but a template now",
    "it is sent when they write again; or name an approved template in tenant.yaml (channels.whatsapp.template)",
    str(WINDOW_CLOSED),
)


def is_closed(row: Planned, last_heard: float | None, now: float) -> bool:
    """Whether ``row``, which goes to WhatsApp, would be refused. ``last_heard``: when they last wrote (epoch)."""
    if row.outbound.template:
        return False
    return last_heard is None or now - last_heard > OPEN_SECONDS


def way_out(row: Planned, tenant: Tenant) -> Letter | None:
    """The same words by another way; None when there is none."""
    account = tenant.config.channels.whatsapp
    usable = not row.outbound.template and not row.outbound.file and fits_template(row.outbound.text)
    if account is not None and account.template and usable:
        return Letter(
            channel=row.channel, address=row.outbound.address, text=row.outbound.text, template=account.template
        )
    person = tenant.config.person(row.channel, row.outbound.address)
    if person is None:
        return None
    others = [(channel, address) for channel, address in reachable(tenant, person) if channel != row.channel]
    text, file = row.outbound.text, row.outbound.file
    return next((Letter(channel=c, address=a, text=text, file=file) for c, a in others), None)
