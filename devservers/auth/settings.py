"""The settings of the server, from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from devservers.errors import SettingsError
from devservers.switches import read_switch


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`public_url` is the address for clients; the issuer of access tokens is derived from it."""

    database_url: str = field(repr=False)
    host: str
    port: int
    site_url: str
    public_url: str
    anon_key: str = field(repr=False)
    service_key: str = field(repr=False)
    mail_from: str
    mail_folder: Path | None = None
    smtp_url: str | None = field(default=None, repr=False)
    confirm_email: bool = False
    access_token_seconds: int = 3600
    refresh_reuse_seconds: int = 10

    @property
    def issuer(self) -> str:
        return f"{self.public_url}/auth/v1"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        read = _Reader(environment)
        if environment.get("ENVIRONMENT") == "production" and not read_switch(
            environment, "ALLOW_EMBEDDED_SERVERS"
        ):
            raise SettingsError(
                "This auth server is for development. In production use Supabase Auth, or set"
                " ALLOW_EMBEDDED_SERVERS=true."
            )
        host, port = environment.get("AUTH_HOST", "127.0.0.1"), read.number("AUTH_PORT", 9999)
        mail_folder, smtp_url = environment.get("AUTH_MAIL_FOLDER"), environment.get("AUTH_SMTP_URL")
        if not (mail_folder or smtp_url):
            raise SettingsError("Set AUTH_MAIL_FOLDER or AUTH_SMTP_URL: mails need a place to go.")
        return cls(
            database_url=read.text("AUTH_DATABASE_URL"),
            host=host,
            port=port,
            site_url=read.text("AUTH_SITE_URL").rstrip("/"),
            public_url=environment.get("AUTH_PUBLIC_URL", f"http://{host}:{port}").rstrip("/"),
            anon_key=read.text("AUTH_ANON_KEY"),
            service_key=read.text("AUTH_SERVICE_KEY"),
            mail_from=environment.get("AUTH_MAIL_FROM", "IAS test series <no-reply@localhost>"),
            mail_folder=Path(mail_folder) if mail_folder else None,
            smtp_url=smtp_url or None,
            confirm_email=read_switch(environment, "AUTH_CONFIRM_EMAIL"),
            access_token_seconds=read.number("AUTH_ACCESS_TOKEN_SECONDS", 3600),
            refresh_reuse_seconds=read.number("AUTH_REFRESH_REUSE_SECONDS", 10),
        )


@dataclass(frozen=True, slots=True)
class _Reader:
    environment: Mapping[str, str]

    def text(self, name: str) -> str:
        value = self.environment.get(name, "").strip()
        if not value:
            raise SettingsError(f"{name} is not set.")
        return value

    def number(self, name: str, default: int) -> int:
        value = self.environment.get(name) or str(default)
        if not value.isdecimal():
            raise SettingsError(f"{name} must be a whole number, not {value!r}.")
        return int(value)
