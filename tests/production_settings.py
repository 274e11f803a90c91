"""A complete environment of a production host, and settings read from an environment."""

import pytest

from app.config import Settings

PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "0123456789abcdef0123456789abcdef",
    "DATABASE_URL": "postgresql://ias:secret@db.example.org/ias",
    "REDIS_URL": "redis://redis.example.org:6379/0",
    "SUPABASE_URL": "https://project.supabase.co",
    "SUPABASE_ANON_KEY": "anon",
    "SUPABASE_SERVICE_KEY": "service",
    "SMTP_URL": "smtps://user:secret@mail.example.org",
    "MEDIA_URL": "s3://ias-media/images",
    "API_URL": "https://api.example.org",
    "APP_URL": "https://app.example.org",
    "MAIL_FROM": "IAS <no-reply@example.org>",
    "LOG_LEVEL": "ERROR",  # An application configures the log of its process, also for the tests after it.
}


def settings_of(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Settings:
    """Settings read from this environment alone."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Settings(_env_file=None)
