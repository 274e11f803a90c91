"""The long-lived parts as a worker's process makes them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from redis.asyncio import Redis

from app.config import Settings
from app.core.cache import Cache
from app.core.clock import SystemClock
from app.core.mail import FolderMailer, Mailer, SmtpMailer
from app.core.rate_limits import RateLimiter
from app.core.revocations import Revocations
from app.core.supabase_auth import SupabaseAuth
from app.core.tokens import AccessTokenVerifier, AttemptTokens
from app.database import create_engine
from app.services.components import Components
from app.services.tests.papers import PaperStore


@asynccontextmanager
async def open_parts(settings: Settings) -> AsyncIterator[Components]:
    """Parts for one process that runs one task at a time."""
    clock, redis = SystemClock(), Redis.from_url(settings.redis)
    engine = create_engine(settings, application_name="ias-task", pool_size=2)
    async with httpx.AsyncClient() as http:
        yield Components(
            settings=settings,
            clock=clock,
            engine=engine,
            redis=redis,
            cache=Cache(redis, "ias:cache"),
            limiter=RateLimiter(redis),
            auth=SupabaseAuth(
                settings.supabase_url,
                settings.supabase_anon_key.get_secret_value(),
                settings.supabase_service_key.get_secret_value(),
                http,
            ),
            access_tokens=_access_tokens(settings, http, clock),
            attempt_tokens=AttemptTokens(settings.secret_key.get_secret_value(), clock),
            revocations=Revocations(),
            papers=PaperStore(),
            mailer=_mailer(settings),
        )
    await redis.aclose()
    await engine.dispose()


def _access_tokens(settings: Settings, http: httpx.AsyncClient, clock: SystemClock) -> AccessTokenVerifier:
    secret = settings.supabase_jwt_secret
    return AccessTokenVerifier(
        issuer=settings.token_issuer,
        jwks_url=f"{settings.token_issuer}/.well-known/jwks.json",
        hs256_secret=secret.get_secret_value() if secret else None,
        http=http,
        clock=clock,
    )


def _mailer(settings: Settings) -> Mailer:
    if settings.smtp_url is not None:
        return SmtpMailer(settings.smtp_url.get_secret_value(), settings.mail_from)
    return FolderMailer(settings.mail_folder or Path("mail"), settings.mail_from)
