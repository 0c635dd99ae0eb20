"""The gateway of one home, put together from its settings: which upstream, which prices, which fallback."""

from collections.abc import Callable
from pathlib import Path

from runtime.agent.gateway import Gateway, Limits
from runtime.agent.ledger import Ledger
from runtime.agent.prices import Prices
from runtime.agent.rehearsal import DEMO, RehearsalUpstream
from runtime.agent.upstream import AnthropicUpstream, Upstream
from runtime.metrics import Metrics
from runtime.settings import ModelSettings, Settings
from runtime.words import TenantId

LEDGER = "ledger.db"


def open_gateway(settings: Settings, *, limits: Callable[[TenantId], Limits], metrics: Metrics) -> Gateway:
    """Raises ConfigFault (no key, a scenario with faults) or Broken (the ledger). Close it with ``aclose``.

    ``limits`` is asked before every request; it may raise a Fault, which refuses the request.
    """
    model = settings.file.model
    return Gateway(
        _upstream(model, settings.home),
        Ledger(settings.var / LEDGER),
        Prices(model.prices),
        limits=limits,
        metrics=metrics,
        fallback=model.fallback,
    )


def _upstream(model: ModelSettings, home: Path) -> Upstream:
    if model.upstream == "rehearsal":
        return RehearsalUpstream(home / model.rehearsal if model.rehearsal else DEMO)
    return AnthropicUpstream(model.base_url, model.api_key)
