"""Counters and timings in Prometheus' form, by tenant. One registry a process, read by GET /metrics."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)


class Metrics:
    """Everything the process counts. An unknown tenant is counted under the empty name, so that
    a stranger cannot make the number of series grow."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.messages_inbound = Counter(
            "messages_inbound", "Messages accepted", ["tenant", "channel"], registry=registry
        )
        self.messages_processed = Counter(
            "messages_processed", "Messages answered or failed", ["tenant", "outcome"], registry=registry
        )
        self.messages_refused = Counter(
            "messages_refused",
            "Webhook deliveries refused or ignored",
            ["channel", "reason"],
            registry=registry,
        )
        self.claude_requests = Counter(
            "claude_requests", "Requests to the model", ["tenant", "status"], registry=registry
        )
        self.claude_tokens = Counter("claude_tokens", "Tokens by kind", ["tenant", "kind"], registry=registry)
        self.channel_requests = Counter(
            "channel_requests",
            "Requests to channels' APIs",
            ["tenant", "channel", "outcome"],
            registry=registry,
        )
        self.scheduled_tasks = Counter("scheduled_tasks", "Runs nobody typed", ["tenant", "outcome"], registry=registry)
        self.message_processing = Histogram(
            "message_processing_seconds",
            "From accepted to handed to the channel",
            ["tenant"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.claude_request = Histogram(
            "claude_request_seconds",
            "One request to the model, to its last byte",
            ["tenant"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.channel_request = Histogram(
            "channel_request_seconds",
            "One request to a channel's API",
            ["tenant", "channel"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.queue_depth = Gauge("queue_depth", "Turns accepted and not finished", registry=registry)
        self.oldest_unanswered = Gauge(
            "oldest_unanswered_seconds", "Age of the oldest message without an answer", registry=registry
        )
        self.warm_sessions = Gauge("warm_sessions", "Claude Code processes kept warm", registry=registry)

    def render(self) -> bytes:
        return generate_latest(self.registry)
