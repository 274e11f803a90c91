"""The objects that live as long as the process. `app/startup.py` opens them."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from app.config import Settings
from app.core.active_users import ActiveUsers
from app.core.admission import Admission
from app.core.batches import Batches
from app.core.cache import Cache
from app.core.clock import Clock
from app.core.mail import Mailer
from app.core.process_pool import ProcessPool
from app.core.push import Pusher
from app.core.rate_limits import RateLimiter
from app.core.realtime.hub import Hub
from app.core.realtime.stream import Stream
from app.core.response_memory import ResponseMemory
from app.core.revocations import Revocations
from app.core.storage import Storage
from app.core.supabase_auth import SupabaseAuth
from app.core.tokens import AccessTokenVerifier, AttemptTokens
from app.core.turns import PersonalTurns, Turns
from app.core.unsubscribe import UnsubscribeTokens

if TYPE_CHECKING:  # These packages import this module.
    from app.services.attempts.attempt_papers import AttemptPapers
    from app.services.attempts.save_batches import SaveBatches
    from app.services.attempts.save_memory import SaveMemory
    from app.services.exams.placements import PlacementStore
    from app.services.replica import Replica
    from app.services.signing_keys import SignerStore
    from app.services.tests.papers import PaperStore


@dataclass(frozen=True, slots=True)
class Components:
    """What services and routes share, for all requests and tasks of the process."""

    settings: Settings
    clock: Clock
    engine: AsyncEngine
    batch_engine: AsyncEngine
    """A connection for each batch and look-up that may run, so that starts and submits of a whole hall never
    wait behind other requests."""
    probe: AsyncEngine
    """Two connections for health checks, so that an exhausted pool is not reported as an outage."""
    replica: "Replica | None"
    """None without `DATABASE_REPLICA_URL`, and in workers and commands."""
    redis: Redis
    cache: Cache
    limiter: RateLimiter
    auth: SupabaseAuth
    access_tokens: AccessTokenVerifier
    attempt_tokens: AttemptTokens
    signers: "SignerStore"
    revocations: Revocations
    active_users: ActiveUsers
    papers: "PaperStore"
    placements: "PlacementStore"
    attempt_papers: "AttemptPapers"
    save_memory: "SaveMemory"
    save_batches: "SaveBatches"
    media: Storage
    files: ProcessPool
    """Child processes that read sheets and images and typeset papers."""
    write_batches: Batches
    """Requests of many people that are carried out in one transaction, such as starts. They may wait for
    whoever changes their test or exam."""
    lookup_batches: Batches
    """What is read for many people at once. It waits for nobody."""
    result_batches: Batches
    """First reads of results. Few at once, because their answers are built one directly after the other."""
    sent_responses: ResponseMemory
    """What candidates have read of their results, to be sent again while it is true."""
    admission: Admission
    """How many requests of FastAPI are in progress in this process."""
    personal_turns: PersonalTurns
    login_turns: Turns
    """Logins and registrations, so that saves keep their time while a whole hall signs in."""
    bank_turns: Turns
    """Who works on the whole bank: imports, exports and lists of duplicates take seconds or minutes."""
    mailer: Mailer
    stream: Stream
    new_messages: asyncio.Event
    """Set when messages for sockets were committed. The API's publisher waits for it."""
    hub: Hub
    """The sockets of this process. Only the API has any."""
    pusher: Pusher | None
    """None if no service account is configured: no push messages are sent."""
    unsubscribe_tokens: UnsubscribeTokens
