"""The Graph API's messages endpoint: send a text, show that an answer is coming.

Does not own retries, the 24-hour window or templates: an outcome says what the answer was.
"""

import re
from dataclasses import dataclass

import httpx
from pydantic import SecretStr

from runtime.channels import sending, wire
from runtime.channels.splitting import units
from runtime.channels.whatsapp.errors import outcome_of
from runtime.channels.whatsapp.formatting import LIMIT, format_text
from runtime.channels.whatsapp.parse import CHANNEL
from runtime.metrics import Metrics
from runtime.words import GiveUp, Outbound, SendOutcome, TenantId

TRACKER_LIMIT = 512
"""Characters of ``biz_opaque_callback_data``, which every later status of the message brings back."""

_FIX_TOKEN = "set it: proxystaff secret set TENANT WHATSAPP_ACCESS_TOKEN"  # noqa: S105
_USER_ID = re.compile(r"[A-Z]{2}\.\S+")
_NUMBER = re.compile(r"[0-9]{1,40}")
_TOKEN = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatsAppAccount:
    """A tenant's business number: ``phone_number_id`` is Meta's id of it, not the number itself."""

    tenant: TenantId
    phone_number_id: str
    access_token: SecretStr


class WhatsAppApi:
    """Protocol: Graph API, ``POST {api_base}/{phone_number_id}/messages``; ``api_base`` ends with the version."""

    def __init__(self, http: httpx.AsyncClient, api_base: str, metrics: Metrics) -> None:
        self._http = http
        self._base = httpx.URL(api_base.rstrip("/") + "/")
        self._metrics = metrics

    async def send(self, account: WhatsAppAccount, message: Outbound) -> SendOutcome:
        """One text message, once. There is no idempotency key: after a lost answer the outcome is Uncertain, and
        ``message.key`` comes back as the tracker of a status if it was taken."""
        text = format_text(wire.clean(message.text))
        if not text.strip() or units(text) > LIMIT:
            return GiveUp(f"a message has 1 to {LIMIT} characters", "split the reply before it is queued")
        if len(message.key) > TRACKER_LIMIT:
            return GiveUp(f"a key has at most {TRACKER_LIMIT} characters", "shorten the outbound message's key")
        body: dict[str, object] = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            # A person with a username may have no phone number: then Meta's id of them, in its own parameter.
            "recipient" if _USER_ID.fullmatch(message.address) else "to": message.address,
            "type": "text",
            "text": {"body": text},
            "biz_opaque_callback_data": message.key,
        }
        if message.reply_to:
            body["context"] = {"message_id": message.reply_to}
        answer = await self._post(account, body)
        outcome = _meaning(answer) if isinstance(answer, httpx.Response) else answer
        return sending.counted(self._metrics, outcome, tenant=account.tenant, channel=CHANNEL)

    async def typing(self, account: WhatsAppAccount, *, message_id: str, address: str = "") -> bool:  # noqa: ARG002
        """Mark the message read (and all before it) and show typing, for 25 s or until the reply comes; call it again
        every 20 s while a turn runs. Only for a message that will be answered."""
        body: dict[str, object] = {
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": message_id,
            "typing_indicator": {"type": "text"},
        }
        answer = await self._post(account, body)
        return isinstance(answer, httpx.Response) and answer.is_success

    async def _post(self, account: WhatsAppAccount, body: dict[str, object]) -> httpx.Response | SendOutcome:
        token = account.access_token.get_secret_value()
        if not _TOKEN.fullmatch(token):
            return GiveUp(
                "the access token is missing or not one", "proxystaff secret set TENANT WHATSAPP_ACCESS_TOKEN"
            )
        if not _NUMBER.fullmatch(account.phone_number_id):
            return GiveUp("phone_number_id is not one", "set the number's id at Meta, digits only, in tenant.yaml")
        url = self._base.join(f"{account.phone_number_id}/messages")
        try:
            with sending.timed(self._metrics, tenant=account.tenant, channel=CHANNEL):
                return await self._http.post(url, json=body, headers={"authorization": f"Bearer {token}"})
        except httpx.HTTPError as error:
            return sending.after_transport_error("WhatsApp", error)


def _meaning(answer: httpx.Response) -> SendOutcome:
    return outcome_of(answer.status_code, answer.content, retry_after=answer.headers.get("retry-after", ""))
