"""The settings of one home: proxystaff.yaml, read once, frozen, passed down. Nothing below reads the environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from runtime import checked_yaml
from runtime.checked_yaml import Strict

HOME_FILE = "proxystaff.yaml"


class Server(Strict):
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8700


class Price(Strict):
    """US dollars a million tokens."""

    input: float
    output: float
    cache_write: float
    cache_read: float


class ModelSettings(Strict):
    upstream: Literal["anthropic", "rehearsal"] = "anthropic"
    base_url: str = "https://api.anthropic.com"
    api_key: SecretStr = SecretStr("")
    name: str = "sonnet"
    small: str = "haiku"
    """For questions that a small one answers as well: what a message says about the assistant."""
    fallback: tuple[str, ...] = ()
    rehearsal: Path | None = None
    prices: dict[str, Price] = Field(default_factory=dict)


class TelegramSettings(Strict):
    api_base: str = "https://api.telegram.org"
    mode: Literal["webhook", "polling"] = "webhook"


class WhatsAppSettings(Strict):
    api_base: str = "https://graph.facebook.com/v26.0"
    app_secret: SecretStr = SecretStr("")
    verify_token: SecretStr = SecretStr("")
    groups: bool = False


class EngineSettings(Strict):
    database: str = "sqlite"


class SessionSettings(Strict):
    max_warm: Literal["auto"] | Annotated[int, Field(ge=1, le=1000)] = "auto"
    idle_minutes: Annotated[float, Field(gt=0)] = 30
    timeout_hours: Annotated[float, Field(gt=0)] = 24
    coalesce_seconds: Annotated[float, Field(ge=0, le=60)] = 1.0
    turn_timeout_seconds: Annotated[float, Field(gt=0, le=3600)] = 300
    max_context_tokens: Annotated[int, Field(ge=10_000)] = 100_000
    """A session that has grown beyond this ends after the turn; the next one begins from what is written down."""


Bytes = Annotated[int, Field(ge=500)]


class Budgets(Strict):
    """Bytes that a file of life/ may have before it is consolidated; None: what is built in."""

    identity: Bytes | None = None
    boundaries: Bytes | None = None
    patterns: Bytes | None = None
    people: Bytes | None = None
    business: Bytes | None = None
    contacts: Bytes | None = None
    procedures: Bytes | None = None
    events: Bytes | None = None
    note: Bytes | None = None


class MemorySettings(Strict):
    budgets: Budgets = Budgets()

    @property
    def given(self) -> Mapping[str, int]:
        """The budgets that the file names, by kind."""
        return {kind: size for kind, size in self.budgets if size is not None}


class AdminSettings(Strict):
    token: SecretStr = SecretStr("")


class LogSettings(Strict):
    form: Literal["console", "json"] = "console"
    level: Literal["debug", "info", "warning", "error"] = "info"


class _File(Strict):
    """proxystaff.yaml, every value with a default. Shapes and meanings: docs/configuration.md."""

    server: Server = Server()
    model: ModelSettings = ModelSettings()
    telegram: TelegramSettings = TelegramSettings()
    whatsapp: WhatsAppSettings = WhatsAppSettings()
    engine: EngineSettings = EngineSettings()
    sessions: SessionSettings = SessionSettings()
    memory: MemorySettings = MemorySettings()
    isolation: Literal["auto", "bwrap", "none"] = "auto"
    admin: AdminSettings = AdminSettings()
    logs: LogSettings = LogSettings()


# What a key means when the file does not say otherwise: taken from the environment, if it is there.
_FROM_ENVIRONMENT = {
    "model": {"api_key": "ANTHROPIC_API_KEY"},
    "whatsapp": {"app_secret": "WHATSAPP_APP_SECRET", "verify_token": "WHATSAPP_VERIFY_TOKEN"},
    "admin": {"token": "PROXYSTAFF_ADMIN_TOKEN"},
}


@dataclass(frozen=True, slots=True)
class Settings:
    """All a process needs to know before it starts. ``secret_key`` overrides var/secret.key, if set."""

    home: Path
    file: _File
    secret_key: str = ""

    @property
    def tenants(self) -> Path:
        return self.home / "tenants"

    @property
    def var(self) -> Path:
        return self.home / "var"

    def index(self, tenant: str) -> Path:
        """Where a tenant's search index lies. Derived: it may be deleted at any time."""
        return self.var / "index" / f"{tenant}.db"

    @property
    def path(self) -> Path:
        return self.home / HOME_FILE


def load_settings(home: Path, environ: Mapping[str, str]) -> Settings:
    """Read ``home``/proxystaff.yaml. Raises ConfigFault with every fault and its line.

    A value ``env:NAME`` is taken from ``environ``; a name that is not set leaves the default.
    """
    home = home.resolve()

    def resolve(value: str) -> str | None:
        return environ.get(value.removeprefix("env:")) if value.startswith("env:") else value

    file = checked_yaml.load(home / HOME_FILE, _File, resolve=resolve, hint="mend it; it is read when a process starts")
    return Settings(
        home=home,
        file=_with_environment(file, environ),
        secret_key=environ.get("PROXYSTAFF_SECRET_KEY", ""),
    )


def _with_environment(file: _File, environ: Mapping[str, str]) -> _File:
    changes = {}
    for section, names in _FROM_ENVIRONMENT.items():
        part = getattr(file, section)
        found = {
            key: SecretStr(environ[name])
            for key, name in names.items()
            if environ.get(name) and key not in part.model_fields_set
        }
        if found:
            changes[section] = part.model_copy(update=found)
    return file.model_copy(update=changes)
