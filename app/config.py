"""Settings, read from environment variables and from `.env`."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from limits import parse
from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

DEVELOPMENT_SECRET = "development-only-secret-do-not-use-in-production"  # noqa: S105 -- refused in production
SUPABASE_EXAMPLE_SECRET = "super-secret-jwt-token-with-at-least-32-characters-long"  # noqa: S105 -- refused, too
"""The default secret of local projects of the Supabase CLI."""
TRANSACTION_POOLER_PORT = 6543
MIN_DISTINCT_CHARACTERS = 10
"""The lowest number of different characters in a secret. 32 random hexadecimal digits have 14 on average."""

CommaSeparated = Annotated[list[str], NoDecode]


class Settings(BaseSettings):
    """The settings of the API, the worker and the command line. Each has the name of its variable."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,  # `METRICS_TOKEN=` in a copied file means that there is no token.
        extra="ignore",
        hide_input_in_errors=True,
    )

    environment: Literal["development", "test", "production"] = "development"
    public_docs: bool = False
    allow_embedded_servers: bool = False
    secret_key: SecretStr = SecretStr(DEVELOPMENT_SECRET)
    log_level: str = "INFO"

    database_url: SecretStr = SecretStr("postgresql://ias@127.0.0.1:5432/ias")
    database_pooler: Literal["auto", "session", "transaction"] = "auto"
    database_ssl: Literal["auto", "verify", "off"] = "auto"
    database_ca_file: Path | None = None
    database_pool_size: int = Field(default=12, ge=1)
    database_replica_url: SecretStr | None = None
    database_replica_lag_seconds: float = Field(default=5, gt=0, le=60)

    redis_url: SecretStr | None = None
    redis_host: str = "127.0.0.1"
    redis_port: int = 6379

    supabase_url: str = "http://127.0.0.1:9999"
    supabase_anon_key: SecretStr = SecretStr("")
    supabase_service_key: SecretStr = SecretStr("")
    supabase_jwt_secret: SecretStr | None = None

    cors_origins: CommaSeparated = []
    trusted_proxies: CommaSeparated = []
    metrics_token: SecretStr | None = None

    app_url: str = "http://localhost:3000"
    api_url: str = "http://localhost:8000"
    smtp_url: SecretStr | None = None
    mail_folder: Path | None = None
    mail_from: str = "IAS Test Series <no-reply@localhost>"

    fcm_service_account: SecretStr | None = None
    fcm_url: str = "https://fcm.googleapis.com"

    media_url: str | None = None
    media_endpoint: str | None = None
    media_region: str = "us-east-1"
    media_access_key_id: str | None = None
    media_secret_access_key: SecretStr | None = None

    login_limit_per_account: str = "10/minute"
    login_limit_per_address: str = "600/minute"
    public_limit_per_address: str = "1200/minute"
    login_floor_ms: int = Field(default=350, ge=0)
    logins_at_once: int = Field(default=8, ge=1)
    socket_ticket_limit: str = "600/minute"
    socket_heartbeat_seconds: float = Field(default=15, gt=0)
    max_body_bytes: int = 1_000_000
    max_upload_bytes: int = 25_000_000
    body_seconds: float = Field(default=30, gt=0)
    upload_seconds: float = Field(default=300, gt=0)
    file_processes: int = Field(default=2, ge=1)
    file_queue: int = Field(default=8, ge=0)
    file_seconds: int = Field(default=60, ge=1)
    file_memory_mb: int = Field(default=1_500, ge=300)
    grace_seconds: int = Field(default=10, ge=0)
    account_hold_days: int = Field(default=30, ge=1)

    worker_metrics_host: str = "127.0.0.1"
    worker_metrics_port: int | None = Field(default=None, ge=0, le=65535)

    @field_validator("cors_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
        )

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: list[str]) -> list[str]:
        for proxy in value:
            try:
                ip_network(proxy, strict=False)
            except ValueError:
                raise ValueError(f"{proxy!r} is not an address or network such as 10.0.0.0/8") from None
        return value

    @field_validator(
        "login_limit_per_account",
        "login_limit_per_address",
        "public_limit_per_address",
        "socket_ticket_limit",
    )
    @classmethod
    def _is_a_limit(cls, value: str) -> str:
        try:
            can_be_counted = parse(value).amount > 0
        except ValueError:
            can_be_counted = False
        if not can_be_counted:
            raise ValueError("must be a limit such as 10/minute")
        return value

    @field_validator("database_url", "database_replica_url")
    @classmethod
    def _is_an_address(cls, value: SecretStr | None, field: ValidationInfo) -> SecretStr | None:
        """Check the address here, because SQLAlchemy's error message would show a part of the password."""
        if value is None:
            return None
        try:
            scheme = make_url(value.get_secret_value()).get_backend_name()
        except (ArgumentError, ValueError):
            scheme = None
        if scheme not in ("postgres", "postgresql"):
            raise ValueError(
                f"{(field.field_name or '').upper()} must have the form postgresql://user:password@host:5432/database;"
                " in the password, write @ as %40 and % as %25"
            )
        return value

    @model_validator(mode="after")
    def _production_is_safe(self) -> Self:
        if self.environment == "production" and (problems := self._unsafe_in_production()):
            raise ValueError("not safe in production: " + "; ".join(problems))
        return self

    def _unsafe_in_production(self) -> list[str]:
        secret, embedded = self.secret_key.get_secret_value().strip(), self.allow_embedded_servers
        jwt_secret = _value(self.supabase_jwt_secret)
        checks = {
            "SECRET_KEY is the development default": secret == DEVELOPMENT_SECRET,
            "SECRET_KEY has fewer than 32 characters": len(secret) < 32,
            "SECRET_KEY repeats a few characters": _repeats(secret),
            "SUPABASE_JWT_SECRET has fewer than 32 characters": _is_short(jwt_secret, 32),
            "SUPABASE_JWT_SECRET repeats a few characters": _repeats(jwt_secret),
            "SUPABASE_JWT_SECRET is the default of the Supabase CLI": jwt_secret == SUPABASE_EXAMPLE_SECRET,
            "METRICS_TOKEN has fewer than 16 characters": _is_short(_value(self.metrics_token), 16),
            "TRUSTED_PROXIES trusts every address": any(
                ip_network(proxy, strict=False).prefixlen == 0 for proxy in self.trusted_proxies
            ),
            "DATABASE_URL is not set": "database_url" not in self.model_fields_set,
            "REDIS_URL or REDIS_HOST is not set": not {"redis_url", "redis_host"} & self.model_fields_set,
            "SUPABASE_URL is not set": "supabase_url" not in self.model_fields_set,
            "SUPABASE_URL is not https": not embedded and not self.supabase_url.startswith("https://"),
            "SUPABASE_URL is an address of this machine": not embedded and _is_loopback(self.supabase_url),
            "SUPABASE_ANON_KEY is not set": not self.supabase_anon_key.get_secret_value(),
            "SUPABASE_SERVICE_KEY is not set": not self.supabase_service_key.get_secret_value(),
            "CORS_ORIGINS allows every origin": "*" in self.cors_origins,
            "CORS_ORIGINS allows every port of a host": any(
                origin.endswith(":*") for origin in self.cors_origins
            ),
            "SMTP_URL is not set": self.smtp_url is None and not (embedded and self.mail_folder),
            "MAIL_FROM is not set": "mail_from" not in self.model_fields_set,
            "MEDIA_URL is not set": self.media_url is None,
            "API_URL is not https": not self.api_url.startswith("https://"),
            "APP_URL is not https": not self.app_url.startswith("https://"),
        }
        return [sentence for sentence, unsafe in checks.items() if unsafe]

    @property
    def database(self) -> URL:
        """`DATABASE_URL` as a SQLAlchemy URL with the driver asyncpg."""
        return make_url(self.database_url.get_secret_value()).set(drivername="postgresql+asyncpg")

    @property
    def replica(self) -> Self | None:
        """The same settings for the database of `DATABASE_REPLICA_URL`, or None without one."""
        if self.database_replica_url is None:
            return None
        return self.model_copy(update={"database_url": self.database_replica_url})

    @property
    def transaction_pooled(self) -> bool:
        """Whether connections go through a pooler in transaction mode (Supavisor, PgBouncer)."""
        if self.database_pooler == "auto":
            return (
                self.database.port == TRANSACTION_POOLER_PORT
                or self.database.query.get("pgbouncer") == "true"
            )
        return self.database_pooler == "transaction"

    @property
    def redis(self) -> str:
        """`REDIS_URL`, or an address made of `REDIS_HOST` and `REDIS_PORT`."""
        if self.redis_url is not None:
            return self.redis_url.get_secret_value()
        return f"redis://{self.redis_host}:{self.redis_port}/0"

    @property
    def shows_docs(self) -> bool:
        """Whether the OpenAPI document and its pages are served. Production requires PUBLIC_DOCS."""
        return self.public_docs or self.environment != "production"

    @property
    def token_issuer(self) -> str:
        """The `iss` claim of access tokens."""
        return f"{self.supabase_url.rstrip('/')}/auth/v1"


def _value(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value().strip()


def _is_short(secret: str | None, length: int) -> bool:
    return secret is not None and len(secret) < length


def _repeats(secret: str | None) -> bool:
    return secret is not None and len(set(secret)) < MIN_DISTINCT_CHARACTERS


def _is_loopback(address: str) -> bool:
    host = (urlsplit(address).hostname or "").removesuffix(".")
    try:
        ip = ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    if isinstance(ip, IPv6Address):
        ip = ip.ipv4_mapped or ip
    return ip.is_loopback or ip.is_unspecified


@lru_cache
def get_settings() -> Settings:
    """Return the settings of the process, which are read once."""
    return Settings()
