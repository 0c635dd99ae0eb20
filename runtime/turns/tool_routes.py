"""Shared tools over HTTP, for a tenant's own systems: the key says whose they are.

Owns the shapes of requests and answers. Does not own what a tool does.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runtime.channels.api import Unauthorized, bearer, explain
from runtime.errors import BadInput, Fault
from runtime.tenant.messages import to_line
from runtime.tenant.registry import Tenant
from runtime.tenant.search.index import Hit, Index
from runtime.turns.providing import day
from runtime.words import Direction

LIMIT = 20


def routes(tenant_of_key: Callable[[str], Tenant | None], index: Callable[[str], Path]) -> list[Route]:
    """Each with ``Authorization: Bearer KEY`` of a tenant. ``GET /api/tools/search-history`` takes ``q direction from
    to limit offset`` and answers ``{"messages", "limit", "offset"}``, newest first."""

    async def search_history(request: Request) -> Response:
        try:
            tenant = await asyncio.to_thread(_tenant, tenant_of_key, bearer(request))
            return JSONResponse(await asyncio.to_thread(_search, tenant, index(tenant.id), request.query_params))
        except (Fault, Unauthorized) as fault:
            status, problem, hint = explain(fault)
            return JSONResponse({"error": problem, "hint": hint}, status_code=status)

    return [Route("/api/tools/search-history", search_history, methods=["GET"])]


def _tenant(tenant_of_key: Callable[[str], Tenant | None], key: str) -> Tenant:
    found = tenant_of_key(key)
    if found is None:
        raise Unauthorized
    return found


def _search(tenant: Tenant, path: Path, given: Any) -> dict[str, Any]:
    zone, index = tenant.config.zone, Index(path)
    limit, offset = _number(given, "limit", LIMIT), _number(given, "offset", 0)
    index.catch_up(tenant.folder)
    hits = index.search(
        given.get("q", ""),
        direction=_direction(given.get("direction", "")),
        since=day(given.get("from", ""), zone),
        until=day(given.get("to", ""), zone, days=1),
        limit=limit,
        offset=offset,
    )
    return {"messages": [_shown(hit) for hit in hits], "limit": limit, "offset": offset}


def _shown(hit: Hit) -> dict[str, Any]:
    return {**to_line(hit.line), "snippet": hit.snippet}


def _number(given: Any, name: str, default: int) -> int:
    text = given.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BadInput(f"{name}: wanted a number, got {text[:40]!r}", hint=f"leave it out for {default}")
    return int(text)


def _direction(text: str) -> Direction | None:
    try:
        return Direction(text) if text else None
    except ValueError:
        raise BadInput(f"direction: {text[:40]!r} is neither", hint="give inbound or outbound") from None
