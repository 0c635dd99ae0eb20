"""What the channels' API classes share: the HTTP client, and what a failed request means for the message.

An exception of the HTTP library is named by its class only: its text and its request carry addresses and keys.
"""

import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import httpx

from runtime.metrics import Metrics
from runtime.words import GiveUp, SendOutcome, Sent, TryLater, Uncertain

MB = 1024 * 1024
_AGAIN = "write it again, then send it"

TIMEOUT = httpx.Timeout(connect=5.0, read=30.0, write=10.0, pool=5.0)


def open_http(timeout: httpx.Timeout = TIMEOUT) -> httpx.AsyncClient:
    """A client for channels' APIs: time-outs on everything, no redirect followed, no proxy or netrc of the host."""
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=30)
    return httpx.AsyncClient(timeout=timeout, limits=limits, trust_env=False, follow_redirects=False)


def after_transport_error(service: str, error: httpx.HTTPError) -> SendOutcome:
    """Decide by what is known to have left: nothing before the connection stood, perhaps all of it afterwards."""
    name = type(error).__name__
    match error:
        case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.PoolTimeout() | httpx.ProxyError():
            return TryLater(f"{service} could not be reached ({name})")
        case httpx.UnsupportedProtocol() | httpx.LocalProtocolError():
            return GiveUp(f"the request to {service} could not be made ({name})", "check api_base and the token")
        case _:
            return Uncertain(f"{service} was asked and did not answer ({name})")


def retry_after(value: object) -> float | None:
    """Seconds to wait as a channel said them (a number, or the text of a header), within 0..3600."""
    try:
        seconds = float(value) if isinstance(value, (int, float, str)) else -1.0
    except (ValueError, OverflowError):
        return None
    return min(seconds, 3600.0) if seconds >= 0 else None


def label(outcome: SendOutcome) -> str:
    match outcome:
        case Sent():
            return "sent"
        case TryLater():
            return "try_later"
        case GiveUp():
            return "give_up"
        case Uncertain():
            return "uncertain"


@contextmanager
def opened(path: str, *, limit: int, taken: str) -> Iterator[tuple[BinaryIO, int] | GiveUp]:
    """The file at ``path`` and its size, when it is one, not empty, and of at most ``limit`` bytes; a link or a pipe
    is not followed. ``taken`` begins the refusal of a larger one: "WhatsApp takes image files"."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        yield GiveUp(f"the file could not be opened ({type(error).__name__})", _AGAIN)
        return
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size == 0:
            yield GiveUp("there is nothing in the file, or it is not one", _AGAIN)
        elif found.st_size > limit:
            most = f"{limit // MB} MB" if limit >= MB else f"{limit // 1000} KB"
            yield GiveUp(f"{taken} up to {most}", "make it smaller, or send a link to it")
        else:
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                yield file, found.st_size
    finally:
        os.close(descriptor)


@contextmanager
def timed(metrics: Metrics, *, tenant: str, channel: str) -> Iterator[None]:
    start = time.perf_counter()
    try:
        yield
    finally:
        metrics.channel_request.labels(tenant=tenant, channel=channel).observe(time.perf_counter() - start)


def counted(metrics: Metrics, outcome: SendOutcome, *, tenant: str, channel: str) -> SendOutcome:
    metrics.channel_requests.labels(tenant=tenant, channel=channel, outcome=label(outcome)).inc()
    return outcome
