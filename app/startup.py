"""Opens and closes the components of a process: the API, the worker, a task or a command."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from app.config import Settings
from app.core.active_users import ActiveUsers
from app.core.admission import Admission
from app.core.batches import Batches
from app.core.cache import Cache
from app.core.clock import Clock, SystemClock
from app.core.mail import FolderMailer, Mailer, SmtpMailer
from app.core.process_pool import PoolLimits, ProcessPool
from app.core.push import FcmPusher, Pusher, ServiceAccount
from app.core.rate_limits import RateLimiter
from app.core.realtime.hub import Hub
from app.core.realtime.stream import Stream
from app.core.redis_client import open_redis
from app.core.response_memory import ResponseMemory
from app.core.revocations import Revocations
from app.core.storage import S3Access, Storage
from app.core.supabase_auth import SupabaseAuth
from app.core.telemetry import observe_pool
from app.core.tokens import AccessTokenVerifier, AttemptTokens
from app.core.turns import PersonalTurns, Turns
from app.core.unsubscribe import UnsubscribeTokens
from app.database import STATEMENT_SECONDS, create_engine
from app.repositories.attempts.response_log import ResponseLog
from app.sentences import Sentence
from app.services.attempts import save_batches
from app.services.attempts.attempt_papers import AttemptPapers
from app.services.attempts.save_batches import SaveBatches
from app.services.attempts.save_memory import SaveMemory
from app.services.components import Components
from app.services.exams.placements import PlacementStore
from app.services.replica import Replica
from app.services.signing_keys import SignerStore
from app.services.tests.papers import PaperStore

_CERTIFICATES = httpx.create_ssl_context()
"""Loaded once, because loading the CA certificates is the slowest part of creating a client.

Forked processes share them.
"""
_SENT_RESPONSES_BYTES = 32_000_000
"""About a thousand results with their review."""
_BATCHES_AT_ONCE = 8
_LOOKUPS_AT_ONCE = 4
_BATCH_CONNECTIONS = _BATCHES_AT_ONCE + _LOOKUPS_AT_ONCE + 1
"""One for each batch and look-up, and one to read the signing key."""


@asynccontextmanager
async def open_components(
    settings: Settings,
    *,
    application_name: str,
    pool_size: int | None = None,
    statement_seconds: float = STATEMENT_SECONDS,
    clock: Clock | None = None,
    reads_replica: bool = False,
) -> AsyncIterator[Components]:
    """Open the components of a process and close them when the block ends.

    No component connects to a server before its first use.
    """
    clock = clock or SystemClock()
    pool: dict[str, Any] = {"statement_seconds": statement_seconds}
    if pool_size:
        pool["pool_size"] = pool_size
    async with AsyncExitStack() as stack:
        probe = _engine(stack, settings, f"{application_name}-probe", pool_size=2)
        engine = _engine(stack, settings, application_name, **pool)
        save_engine = _engine(
            stack, settings, f"{application_name}-saves", **pool | {"pool_size": save_batches.CONNECTIONS}
        )
        batch_engine = _engine(
            stack, settings, f"{application_name}-batches", **pool | {"pool_size": _BATCH_CONNECTIONS}
        )
        saves = SaveBatches(ResponseLog(save_engine, pooled=settings.transaction_pooled))
        stack.push_async_callback(saves.close)
        write_batches = Batches(most_running=_BATCHES_AT_ONCE)
        lookup_batches = Batches(most_running=_LOOKUPS_AT_ONCE)
        result_batches = Batches(most_running=2, most=16)
        stack.push_async_callback(write_batches.close)
        stack.push_async_callback(lookup_batches.close)
        stack.push_async_callback(result_batches.close)
        redis = open_redis(settings.redis)
        stack.push_async_callback(redis.aclose)
        replica = _replica(settings, application_name, pool, probe, redis, stack) if reads_replica else None
        stream = Stream(settings.redis)
        stack.push_async_callback(stream.close)
        files = ProcessPool(_pool_limits(settings))
        stack.callback(files.close)
        revocations = Revocations()
        http = await stack.enter_async_context(httpx.AsyncClient(verify=_CERTIFICATES))
        yield Components(
            settings=settings,
            clock=clock,
            engine=engine,
            batch_engine=batch_engine,
            probe=probe,
            replica=replica,
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
            signers=SignerStore(settings.secret_key.get_secret_value(), clock),
            revocations=revocations,
            active_users=ActiveUsers(revocations, clock),
            papers=PaperStore(),
            placements=PlacementStore(),
            attempt_papers=AttemptPapers(),
            save_memory=SaveMemory(),
            save_batches=saves,
            media=_media(settings),
            files=files,
            write_batches=write_batches,
            lookup_batches=lookup_batches,
            result_batches=result_batches,
            sent_responses=ResponseMemory(_SENT_RESPONSES_BYTES),
            admission=Admission(),
            personal_turns=PersonalTurns(),
            login_turns=_login_turns(settings),
            bank_turns=_bank_turns(settings),
            mailer=_mailer(settings, clock),
            stream=stream,
            new_messages=asyncio.Event(),
            hub=Hub(),
            pusher=_pusher(settings, http, clock),
            unsubscribe_tokens=UnsubscribeTokens(settings.secret_key.get_secret_value(), clock),
        )


def _engine(stack: AsyncExitStack, settings: Settings, application_name: str, **options: Any) -> AsyncEngine:
    """An engine that is disposed of with the stack. Its pool has the name of the application in metrics."""
    engine = create_engine(settings, application_name=application_name, **options)
    observe_pool(engine.pool, application_name)
    stack.push_async_callback(engine.dispose)
    return engine


def _replica(
    settings: Settings,
    application_name: str,
    pool: dict[str, Any],
    probe: AsyncEngine,
    redis: Redis,
    stack: AsyncExitStack,
) -> Replica | None:
    if settings.replica is None:
        return None
    engine = _engine(stack, settings.replica, f"{application_name}-replica", **pool)
    return Replica(engine, probe, redis, settings.database_replica_lag_seconds)


def _access_tokens(settings: Settings, http: httpx.AsyncClient, clock: Clock) -> AccessTokenVerifier:
    secret = settings.supabase_jwt_secret
    return AccessTokenVerifier(
        issuer=settings.token_issuer,
        jwks_url=f"{settings.token_issuer}/.well-known/jwks.json",
        hs256_secret=secret.get_secret_value() if secret else None,
        http=http,
        clock=clock,
    )


def _pool_limits(settings: Settings) -> PoolLimits:
    return PoolLimits(
        processes=settings.file_processes,
        queue=settings.file_queue,
        seconds=settings.file_seconds,
        memory_bytes=settings.file_memory_mb * 1_000_000,
    )


def _login_turns(settings: Settings) -> Turns:
    return Turns(
        at_once=settings.logins_at_once,
        queue=1_000,
        seconds=15,
        busy=Sentence("Too many people are signing in. Try again in a moment."),
    )


def _bank_turns(settings: Settings) -> Turns:
    return Turns(
        at_once=2,
        queue=settings.file_queue,
        seconds=settings.file_seconds,
        busy=Sentence("Other users are importing, exporting or comparing questions. Try again in a moment."),
    )


def _media(settings: Settings) -> Storage:
    secret = settings.media_secret_access_key
    access = S3Access(
        endpoint=settings.media_endpoint,
        region=settings.media_region,
        key_id=settings.media_access_key_id,
        secret=secret.get_secret_value() if secret else None,
    )
    return Storage(settings.media_url or Path("media").absolute().as_uri(), access)


def _mailer(settings: Settings, clock: Clock) -> Mailer:
    if settings.smtp_url is not None:
        return SmtpMailer(settings.smtp_url.get_secret_value(), settings.mail_from, clock)
    return FolderMailer(settings.mail_folder or Path("mail"), settings.mail_from, clock)


def _pusher(settings: Settings, http: httpx.AsyncClient, clock: Clock) -> Pusher | None:
    if settings.fcm_service_account is None:
        return None
    account = ServiceAccount.read(settings.fcm_service_account.get_secret_value())
    return FcmPusher(account, http, clock, settings.fcm_url)
