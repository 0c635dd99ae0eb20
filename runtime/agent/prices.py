"""What a model's tokens cost, and what a model's short name stands for.

Owns the price table, which is data with a date, and the arithmetic. Does not own who pays (ledger) or how many
tokens there were (metering). A model nobody knows costs as much as the dearest one known: closed by default.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from runtime import logs
from runtime.settings import Price

AS_OF = "2026-11-20"
"""Day of the table below. Source: platform.claude.com/docs/en/about-claude/pricing, compared with what the CLI pinned
in pyproject.toml reports as its own cost. ``model.prices`` in proxystaff.yaml overrides a line of it."""

ALIASES = {
    "opus": "claude-opus-5-5",
    "sonnet": "claude-sonnet-5-5",
    "haiku": "claude-haiku-5-5",
    "fable": "claude-fable-5-2",
}
"""The CLI resolves these names before it asks; the gateway does for the fallback models. Same day as the table."""

_ONE_HOUR = 1.6
"""A write kept for an hour costs 2.0 times the input price, one kept for five minutes 1.25 times."""

_DATE = 8


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens by the kinds that have a price of their own. ``input``: neither read from a cache nor put in one."""

    input: int = 0
    output: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    cache_read: int = 0

    def __add__(self, other: "Tokens") -> "Tokens":
        return Tokens(*(mine + theirs for mine, theirs in zip(self.counts(), other.counts(), strict=True)))

    def counts(self) -> tuple[int, ...]:
        return tuple(getattr(self, kind) for kind in KINDS)

    @property
    def prompt(self) -> int:
        return self.input + self.cache_write_5m + self.cache_write_1h + self.cache_read


KINDS = tuple(field.name for field in fields(Tokens))
NO_TOKENS = Tokens()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """US dollars a million tokens. ``long`` holds for the whole of a request whose prompt exceeds ``long_above``."""

    input: float
    output: float
    cache_write_5m: float
    cache_write_1h: float
    cache_read: float
    long: "Tariff | None" = None
    long_above: int = 0

    def usd(self, tokens: Tokens) -> float:
        if self.long is not None and tokens.prompt > self.long_above:
            return self.long.usd(tokens)
        rates: list[float] = [getattr(self, kind) for kind in KINDS]
        return sum(count * rate for count, rate in zip(tokens.counts(), rates, strict=True)) / 1e6


def _tariff(price: float, output: float, cache_read: float) -> Tariff:
    return Tariff(
        input=price, output=output, cache_write_5m=price * 1.25, cache_write_1h=price * 2, cache_read=cache_read
    )


def _haiku_5_5() -> Tariff:
    short, long = _tariff(0.1, 0.5, 0.01), _tariff(0.5, 2.5, 0.05)
    return Tariff(**{kind: getattr(short, kind) for kind in KINDS}, long=long, long_above=100_000)


_OPUS_4, _OPUS_5, _SONNET_4, _FABLE_5 = (
    _tariff(15, 75, 1.5),
    _tariff(5, 25, 0.5),
    _tariff(3, 15, 0.3),
    _tariff(10, 50, 1.0),
)

TARIFFS: Mapping[str, Tariff] = {
    "claude-haiku-5-5": _haiku_5_5(),
    "claude-haiku-4-5": _tariff(1, 5, 0.1),
    "claude-sonnet-5-5": _tariff(2, 10, 0.1),
    "claude-sonnet-5": _tariff(2, 10, 0.2),
    "claude-sonnet-4-6": _SONNET_4,
    "claude-sonnet-4-5": _SONNET_4,
    "claude-sonnet-4": _SONNET_4,
    "claude-opus-5-5": _tariff(4, 20, 0.2),
    "claude-opus-5": _OPUS_5,
    "claude-opus-4-8": _OPUS_5,
    "claude-opus-4-7": _OPUS_5,
    "claude-opus-4-6": _OPUS_5,
    "claude-opus-4-5": _OPUS_5,
    "claude-opus-4-1": _OPUS_4,
    "claude-opus-4": _OPUS_4,
    "claude-fable-5-2": _tariff(8, 40, 0.2),
    "claude-fable-5-1": _tariff(10, 50, 0.25),
    "claude-fable-5": _FABLE_5,
    "claude-mythos-5-2": _tariff(8, 40, 0.2),
    "claude-mythos-5-1": _tariff(10, 50, 0.25),
    "claude-mythos-5": _FABLE_5,
}

DEAREST = max(TARIFFS.values(), key=lambda tariff: tariff.output)


def model_id(name: str) -> str:
    """The id a model is asked for by: ``sonnet`` stands for the current one, an id for itself."""
    return ALIASES.get(name, name)


class Prices:
    """The table with a home's own prices over it. Remembers which unknown models it has complained about."""

    def __init__(self, own: Mapping[str, Price] | None = None) -> None:
        self._own = {model_id(name): _from_settings(price) for name, price in (own or {}).items()}
        self._unknown: set[str] = set()
        self._log = logs.get("agent")

    def usd(self, model: str, tokens: Tokens) -> float:
        return self.tariff(model).usd(tokens)

    def tariff(self, model: str) -> Tariff:
        """The price of a model id, with or without the date of its snapshot at the end."""
        name = model_id(model)
        head, _, tail = name.rpartition("-")
        undated = head if len(tail) == _DATE and tail.isdigit() else name
        for table in (self._own, TARIFFS):
            for key in (name, undated):
                if found := table.get(key):
                    return found
        if name not in self._unknown and len(self._unknown) < 100:
            self._unknown.add(name)
            self._log.warning("model.price_unknown", model=name, usd_per_million_output=DEAREST.output, table=AS_OF)
        return DEAREST


def _from_settings(price: Price) -> Tariff:
    return Tariff(
        input=price.input,
        output=price.output,
        cache_write_5m=price.cache_write,
        cache_write_1h=price.cache_write * _ONE_HOUR,
        cache_read=price.cache_read,
    )
