"""Settings: what the environment may say, and what production refuses."""

import pytest
from pydantic import SecretStr, ValidationError

from app.config import DEVELOPMENT_SECRET, SUPABASE_EXAMPLE_SECRET, Settings
from tests.production_settings import PRODUCTION, settings_of


class TestEmptyVariables:
    def test_an_empty_token_is_no_token(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert settings_of(monkeypatch, METRICS_TOKEN="").metrics_token is None

    def test_an_empty_address_is_the_default(self, monkeypatch: pytest.MonkeyPatch) -> None:
        settings = settings_of(monkeypatch, REDIS_URL="", REDIS_HOST="redis.example.org")
        assert settings.redis == "redis://redis.example.org:6379/0"


class TestMalformedValues:
    """What would otherwise fail at the first request is refused at the start."""

    @pytest.mark.parametrize(
        "name",
        [
            "LOGIN_LIMIT_PER_ACCOUNT",
            "LOGIN_LIMIT_PER_ADDRESS",
            "PUBLIC_LIMIT_PER_ADDRESS",
            "SOCKET_TICKET_LIMIT",
        ],
    )
    @pytest.mark.parametrize("limit", ["many", "10/fortnight", "0/minute", "10"])
    def test_a_limit_that_cannot_be_counted(
        self, monkeypatch: pytest.MonkeyPatch, name: str, limit: str
    ) -> None:
        with pytest.raises(ValidationError, match="must be a limit such as 10/minute"):
            settings_of(monkeypatch, **{name: limit})

    @pytest.mark.parametrize("proxies", ["proxy.example.org", "*", "10.0.0.0/8, 10.0.0.0/99"])
    def test_a_proxy_that_is_no_address(self, monkeypatch: pytest.MonkeyPatch, proxies: str) -> None:
        with pytest.raises(ValidationError, match="is not an address or network"):
            settings_of(monkeypatch, TRUSTED_PROXIES=proxies)


class TestProduction:
    def test_a_complete_environment_is_accepted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert settings_of(monkeypatch, **PRODUCTION).environment == "production"

    @pytest.mark.parametrize(
        "name",
        [
            "SECRET_KEY",
            "DATABASE_URL",
            "REDIS_URL",
            "SUPABASE_URL",
            "SUPABASE_ANON_KEY",
            "SUPABASE_SERVICE_KEY",
            "SMTP_URL",
            "MEDIA_URL",
            "API_URL",
            "APP_URL",
            "MAIL_FROM",
        ],
    )
    @pytest.mark.parametrize("how", ["missing", "empty"])
    def test_a_gap_is_refused_by_name(self, monkeypatch: pytest.MonkeyPatch, name: str, how: str) -> None:
        environment = {key: value for key, value in PRODUCTION.items() if key != name}
        if how == "empty":
            environment[name] = ""
        with pytest.raises(ValidationError, match=name):
            settings_of(monkeypatch, **environment)

    @pytest.mark.parametrize(
        ("name", "value", "sentence"),
        [
            ("SECRET_KEY", "short", "fewer than 32 characters"),
            ("SECRET_KEY", "changemechangemechangemechangeme", "SECRET_KEY repeats a few characters"),
            ("SUPABASE_JWT_SECRET", "super-secret", "SUPABASE_JWT_SECRET has fewer than 32 characters"),
            (
                "SUPABASE_JWT_SECRET",
                SUPABASE_EXAMPLE_SECRET,
                "SUPABASE_JWT_SECRET is the default of the Supabase CLI",
            ),
            ("SUPABASE_JWT_SECRET", "a" * 40, "SUPABASE_JWT_SECRET repeats a few characters"),
            ("SECRET_KEY", f" {DEVELOPMENT_SECRET}", "SECRET_KEY is the development default"),
            ("METRICS_TOKEN", "metrics", "METRICS_TOKEN has fewer than 16 characters"),
            ("TRUSTED_PROXIES", "10.0.0.0/8, 0.0.0.0/0", "TRUSTED_PROXIES trusts every address"),
            ("TRUSTED_PROXIES", "::/0", "TRUSTED_PROXIES trusts every address"),
            ("SUPABASE_URL", "https://127.0.0.1:9999", "SUPABASE_URL is an address of this machine"),
            ("SUPABASE_URL", "https://[::1]:9999", "SUPABASE_URL is an address of this machine"),
            ("SUPABASE_URL", "https://localhost", "SUPABASE_URL is an address of this machine"),
            ("SUPABASE_URL", "https://localhost.", "SUPABASE_URL is an address of this machine"),
            ("SUPABASE_URL", "https://[::ffff:127.0.0.1]", "SUPABASE_URL is an address of this machine"),
            ("SUPABASE_URL", "https://0.0.0.0:9999", "SUPABASE_URL is an address of this machine"),
            ("APP_URL", "http://app.example.org", "APP_URL is not https"),
            ("SUPABASE_URL", "http://project.supabase.co", "SUPABASE_URL is not https"),
            ("API_URL", "http://api.example.org", "API_URL is not https"),
            ("CORS_ORIGINS", "https://app.example.org, *", "CORS_ORIGINS allows every origin"),
            ("CORS_ORIGINS", "http://localhost:*", "CORS_ORIGINS allows every port of a host"),
        ],
    )
    def test_an_unsafe_value_is_refused(
        self, monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
    ) -> None:
        with pytest.raises(ValidationError, match=sentence):
            settings_of(monkeypatch, **PRODUCTION | {name: value})

    def test_embedded_servers_are_let_in_by_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        servers = {"SUPABASE_URL": "http://127.0.0.1:9999", "SMTP_URL": "", "MAIL_FOLDER": "mail"}
        embedded = PRODUCTION | servers
        with pytest.raises(ValidationError, match=r"SUPABASE_URL is not https.*SMTP_URL is not set"):
            settings_of(monkeypatch, **embedded)
        assert settings_of(monkeypatch, **embedded, ALLOW_EMBEDDED_SERVERS="true").mail_folder

    def test_the_docs_are_shown_where_they_are_asked_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert settings_of(monkeypatch).shows_docs
        assert not settings_of(monkeypatch, **PRODUCTION).shows_docs
        assert settings_of(monkeypatch, **PRODUCTION, PUBLIC_DOCS="true").shows_docs


class TestDatabase:
    @pytest.mark.parametrize(
        ("address", "password"),
        [
            ("postgres://u:secret@db.example.org/ias", "secret"),
            ("postgresql+psycopg2://u:secret@db.example.org/ias", "secret"),
            ("postgresql://u:p%40ss%2Fw%23%25@db.example.org/ias", "p@ss/w#%"),
            ("postgresql://u:p#a?b/c@db.example.org:6543/ias", "p#a?b/c"),
            ("postgresql://u:[YOUR-PASSWORD]@db.example.org/ias", "[YOUR-PASSWORD]"),
        ],
    )
    def test_usual_addresses_are_understood(self, address: str, password: str) -> None:
        url = Settings(database_url=SecretStr(address)).database
        assert (url.drivername, url.host, url.database) == ("postgresql+asyncpg", "db.example.org", "ias")
        assert url.password == password

    @pytest.mark.parametrize(
        "address",
        ["postgresql://u:p@ss:verysecret@h:5432/ias", "mysql://u:verysecret@h/ias", "u:verysecret@h"],
    )
    def test_others_are_refused_without_repeating_them(self, address: str) -> None:
        with pytest.raises(ValidationError, match="DATABASE_URL must have the form postgresql://") as refused:
            Settings(database_url=SecretStr(address))
        assert "verysecret" not in str(refused.value)

    @pytest.mark.parametrize(
        ("address", "pooled"),
        [
            ("postgresql://u:p@db.example.org:6543/ias", True),
            ("postgresql://u:p@db.example.org/ias?pgbouncer=true", True),
            ("postgresql://u:p@db.example.org:5432/ias", False),
        ],
    )
    def test_a_transaction_pooler_is_recognized(self, address: str, pooled: bool) -> None:
        assert Settings(database_url=SecretStr(address)).transaction_pooled is pooled
