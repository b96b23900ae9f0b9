"""Everything that can be configured, in one place: the environment variables whose names begin with SEATLINE_.

Its one rule: a process reads them once, at start, and passes the values on; there is no global settings object.
"""

from datetime import timedelta
from typing import Annotated, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from infra import failpoints
from infra.setting_values import LogFormat, LogLevel, checked_url, mask, shown

__all__ = ["PREFIX", "LogFormat", "LogLevel", "Settings", "SettingsError", "explain", "load", "mask"]

PREFIX = "SEATLINE_"
# Below this many a minute a mistyped deployment locks itself out (the contract's lower bound).
FEWEST_BAD_CREDENTIALS = 20


class SettingsError(Exception):
    """The configuration is unusable; the message names each variable and what is wrong with it."""


class Settings(BaseSettings):
    """The settings of an API or worker process."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    database_url: SecretStr = Field(
        description="Postgres 15 or later: `postgresql://user:password@host:port/database`; behind a Unix socket "
        "`postgresql://user:password@/database?host=/folder&port=5432`."
    )
    amqp_url: SecretStr | None = Field(
        default=None,
        description="RabbitMQ 3.10 or later: `amqp://user:password@host:port/vhost`. Unset: work is found by polling.",
    )
    management_url: SecretStr | None = Field(
        default=None,
        description="The broker's management API (`http://user:password@host:port`), where queue depths are read.",
    )
    name_prefix: str = Field(
        default="seatline",
        pattern=r"^[a-z0-9][a-z0-9.-]{0,62}$",
        description="In front of every exchange and queue name, so that installations can share a broker.",
    )
    api_host: str = Field(default="127.0.0.1", description="The address the API and the pages of a worker listen on.")
    api_port: int = Field(default=8000, ge=0, le=65535, description="The port the API listens on.")
    log_format: LogFormat = Field(
        default=LogFormat.AUTO, description="`json`, `text`, or `auto`: text on a terminal, else json."
    )
    log_level: LogLevel = Field(
        default=LogLevel.INFO, description="The least severe line written: debug, info, warning or error."
    )
    wait_seconds: float = Field(
        default=10.0, ge=0, le=60, description="How long a write waits for its result before it answers 202."
    )
    max_body_bytes: int = Field(default=1024 * 1024, ge=1024, description="A longer request body is answered 413.")
    idempotency_hours: int = Field(default=24, ge=24, description="How long an Idempotency-Key is remembered.")
    retention_days: int = Field(
        default=30, ge=1, description="How long operations and published events stay readable before they are removed."
    )
    open_operations_limit: int = Field(
        default=0, ge=0, description="Open operations a tenant may have before it is answered 429; 0 = no limit."
    )
    rate_limit_per_minute: int = Field(
        default=0, ge=0, description="Requests a minute a tenant may send before it is answered 429; 0 = no limit."
    )
    bad_credentials_per_minute: int = Field(
        default=0,
        ge=0,
        description="Bad credentials a minute before an address is answered 429: 0 = no limit, else at least 20.",
    )
    poll_seconds: float = Field(
        default=1.0, gt=0, le=60, description="How often a worker looks for open work while the broker is there."
    )
    poll_seconds_without_broker: float = Field(
        default=0.02, gt=0, le=60, description="How often it looks while no broker can be reached."
    )
    pass_operations: int = Field(default=500, ge=1, description="Operations one pass (one transaction) takes at most.")
    pass_items: int = Field(default=1000, ge=1, description="Items one pass takes at most.")
    pass_bytes: int = Field(default=8 * 1024 * 1024, ge=1024, description="Bytes of requests one pass takes at most.")
    tenant_share: int = Field(default=250, ge=1, description="Operations of one tenant that one pass takes at most.")
    verify_hour: int | None = Field(
        default=3, ge=0, le=23, description="The hour (UTC) in which one worker recounts everything; `off`: never."
    )
    worker_health_port: int = Field(
        default=0, ge=0, le=65535, description="A worker's port for /healthz and /metrics; 0 = off."
    )
    database_pool_size: int = Field(
        default=8, ge=1, le=1000, description="Database connections of one process at most."
    )
    console_session_hours: int = Field(
        default=12, ge=1, le=720, description="How long a person stays signed in at `/console` at most."
    )
    console_idle_minutes: int = Field(
        default=60, ge=1, description="How long a session of the console may be silent before it ends."
    )
    console_over_https: bool = Field(
        default=False,
        description="`true` where a proxy serves the console over https: its cookie then never goes over http.",
    )
    redirect_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Hosts that `redirect_to` may name, comma-separated; empty = any, over https.",
    )
    jwt_jwks: str | None = Field(
        default=None, description="File or URL of the JWKS whose keys sign accepted JWTs. Unset: no JWT is accepted."
    )
    jwt_issuer: str | None = Field(default=None, description="The `iss` a JWT must carry.")
    jwt_audience: str | None = Field(default=None, description="The `aud` a JWT must carry.")
    traces_endpoint: SecretStr | None = Field(
        default=None,
        description="Where traces go by OTLP over HTTP: `http://collector:4318`. Unset: none are made.",
    )
    traces_ratio: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="The part of requests that are traced, of those whose caller's `traceparent` does not decide it.",
    )
    failpoint: str | None = Field(
        default=None,
        description="`name:k`: the process kills itself at that point, the k-th time. For tests only.",
    )
    allow_failpoints: bool = Field(
        default=False, description="Without it a process refuses to start with a failpoint. Never set in production."
    )

    @field_validator("database_url")
    @classmethod
    def _is_a_postgres_url(cls, url: SecretStr) -> SecretStr:
        return checked_url(url, schemes=("postgresql", "postgres"), sockets=True)

    @field_validator("amqp_url")
    @classmethod
    def _is_an_amqp_url(cls, url: SecretStr | None) -> SecretStr | None:
        return url and checked_url(url, schemes=("amqp", "amqps"))

    @field_validator("management_url", "traces_endpoint")
    @classmethod
    def _is_an_http_url(cls, url: SecretStr | None) -> SecretStr | None:
        return url and SecretStr(checked_url(url, schemes=("http", "https")).get_secret_value().rstrip("/"))

    @field_validator("verify_hour", mode="before")
    @classmethod
    def _hour_or_off(cls, hour: object) -> object:
        return None if isinstance(hour, str) and hour.strip().lower() == "off" else hour

    @field_validator("redirect_hosts", mode="before")
    @classmethod
    def _split_hosts(cls, hosts: object) -> object:
        if isinstance(hosts, str):
            return tuple(host.strip().lower() for host in hosts.split(",") if host.strip())
        return hosts

    @field_validator("bad_credentials_per_minute")
    @classmethod
    def _is_off_or_bearable(cls, limit: int) -> int:
        if 0 < limit < FEWEST_BAD_CREDENTIALS:
            raise ValueError(f"must be 0 (off) or at least {FEWEST_BAD_CREDENTIALS}")
        return limit

    @field_validator("failpoint")
    @classmethod
    def _is_a_failpoint(cls, text: str | None) -> str | None:
        failpoints.reached(text)
        return text

    @model_validator(mode="after")
    def _failpoints_are_allowed(self) -> Self:
        if self.failpoint is not None and not self.allow_failpoints:
            raise ValueError(f"{PREFIX}FAILPOINT is refused unless {PREFIX}ALLOW_FAILPOINTS is set, for tests alone")
        return self

    @model_validator(mode="after")
    def _jwt_settings_come_together(self) -> Self:
        if self.jwt_jwks is not None and (self.jwt_issuer is None or self.jwt_audience is None):
            raise ValueError(f"{PREFIX}JWT_JWKS needs {PREFIX}JWT_ISSUER and {PREFIX}JWT_AUDIENCE beside it")
        return self

    @property
    def wait(self) -> timedelta:
        """`wait_seconds` as a duration."""
        return timedelta(seconds=self.wait_seconds)

    @property
    def idempotency_retention(self) -> timedelta:
        """`idempotency_hours` as a duration."""
        return timedelta(hours=self.idempotency_hours)

    @property
    def retention(self) -> timedelta:
        """`retention_days` as a duration."""
        return timedelta(days=self.retention_days)

    @property
    def console_session(self) -> timedelta:
        """`console_session_hours` as a duration."""
        return timedelta(hours=self.console_session_hours)

    @property
    def console_idle(self) -> timedelta:
        """`console_idle_minutes` as a duration."""
        return timedelta(minutes=self.console_idle_minutes)

    def masked(self) -> dict[str, str]:
        """`{variable: value}` for people, in the order of the fields: passwords are `***`, unset reads empty."""
        return {f"{PREFIX}{name.upper()}": shown(getattr(self, name)) for name in type(self).model_fields}


def load() -> Settings:
    """Read the settings from the environment.

    Raises:
        SettingsError: names every variable that is missing or wrong.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError(explain(error)) from None


def explain(error: ValidationError) -> str:
    """One line per wrong variable; never the value, which may be a secret."""
    lines = []
    for problem in error.errors(include_url=False, include_input=False):
        name = PREFIX + str(problem["loc"][0]).upper() if problem["loc"] else ""
        message = problem["msg"].removeprefix("Value error, ")
        lines.append(f"{name}: {message}" if name else message)
    return "\n".join(lines)
