"""What the environment may say."""

from pathlib import Path

import pytest

from devservers.auth.settings import Settings
from devservers.errors import SettingsError

COMPLETE = {
    "AUTH_DATABASE_URL": "postgresql://auth:secret@127.0.0.1/ias",
    "AUTH_SITE_URL": "http://127.0.0.1:8000/",
    "AUTH_ANON_KEY": "anon",
    "AUTH_SERVICE_KEY": "service",
    "AUTH_MAIL_FOLDER": "/var/mails",
}


class TestFromEnvironment:
    def test_has_defaults(self) -> None:
        settings = Settings.from_environment(COMPLETE)
        assert settings.site_url == "http://127.0.0.1:8000"
        assert settings.issuer == "http://127.0.0.1:9999/auth/v1"
        assert settings.mail_folder == Path("/var/mails")
        assert (settings.confirm_email, settings.smtp_url) == (False, None)
        assert (settings.access_token_seconds, settings.refresh_reuse_seconds) == (3600, 10)

    @pytest.mark.parametrize(
        ("value", "confirm"), [("true", True), ("1", True), ("Yes", True), ("false", False), ("", False)]
    )
    def test_reads_switches(self, value: str, confirm: bool) -> None:
        settings = Settings.from_environment({**COMPLETE, "AUTH_CONFIRM_EMAIL": value})
        assert settings.confirm_email is confirm

    @pytest.mark.parametrize("name", sorted(COMPLETE))
    def test_names_what_is_missing(self, name: str) -> None:
        with pytest.raises(SettingsError, match=name):
            Settings.from_environment({**COMPLETE, name: ""})

    @pytest.mark.parametrize(("name", "value"), [("AUTH_PORT", "http"), ("AUTH_CONFIRM_EMAIL", "maybe")])
    def test_names_what_cannot_be_meant(self, name: str, value: str) -> None:
        with pytest.raises(SettingsError, match=name):
            Settings.from_environment({**COMPLETE, name: value})

    def test_refuses_production_unless_it_is_asked_for(self) -> None:
        production = COMPLETE | {"ENVIRONMENT": "production"}
        with pytest.raises(SettingsError, match="ALLOW_EMBEDDED_SERVERS=true"):
            Settings.from_environment(production)
        allowed = Settings.from_environment(production | {"ALLOW_EMBEDDED_SERVERS": "true"})
        assert allowed.port == 9999

    def test_keeps_secrets_out_of_its_text(self) -> None:
        text = repr(Settings.from_environment(COMPLETE))
        assert "secret" not in text
        assert "service" not in text
