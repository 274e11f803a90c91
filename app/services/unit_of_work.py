"""The services' door to the database: one request or task, one transaction."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app.database import transaction
from app.models import AuditEntry
from app.repositories.analytics.progress import ProgressRepository
from app.repositories.attempts import AttemptRepository
from app.repositories.attempts.grading import GradingRepository
from app.repositories.audit import AuditRepository
from app.repositories.backlog import BacklogRepository
from app.repositories.embargo import EmbargoRepository
from app.repositories.exams import (
    AnswerSheetRepository,
    ExamAttemptRepository,
    ExamRepository,
    ExamResultRepository,
    RegistrationRepository,
)
from app.repositories.jobs import HealthRepository, JobRepository, WorkerRepository
from app.repositories.notifications import DeviceRepository, NotificationRepository, PreferenceRepository
from app.repositories.notifications.deliveries import DeliveryRepository
from app.repositories.notifications.exam_events import ExamEventRepository
from app.repositories.questions import QuestionRepository
from app.repositories.questions.media import MediaRepository
from app.repositories.questions.passages import PassageRepository
from app.repositories.questions.similarity import SimilarityRepository
from app.repositories.realtime.messages import MessageRepository
from app.repositories.realtime.rooms import RoomRepository, TicketRepository
from app.repositories.subjects import SubjectRepository
from app.repositories.tests import KeyRepository, TestRepository
from app.repositories.tests.consents import ConsentRepository
from app.repositories.users import RevocationRepository, UserRepository
from app.repositories.users.auth_mails import AuthMailRepository
from app.repositories.violations import violations_told

log = structlog.get_logger(__name__)

_publishers: WeakKeyDictionary[AsyncEngine, Callable[[], None]] = WeakKeyDictionary()


class Reading:
    """Every repository over one transaction; a service that takes this only reads."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session
        self.users = UserRepository(session)
        self.embargo = EmbargoRepository(session)
        self.consents = ConsentRepository(session)
        self.revocations = RevocationRepository(session)
        self.subjects = SubjectRepository(session)
        self.questions = QuestionRepository(session)
        self.similarity = SimilarityRepository(session)
        self.passages = PassageRepository(session)
        self.media = MediaRepository(session)
        self.tests = TestRepository(session)
        self.keys = KeyRepository(session)
        self.attempts = AttemptRepository(session)
        self.grading = GradingRepository(session)
        self.exams = ExamRepository(session)
        self.registrations = RegistrationRepository(session)
        self.answer_sheets = AnswerSheetRepository(session)
        self.exam_attempts = ExamAttemptRepository(session)
        self.exam_results = ExamResultRepository(session)
        self.progress = ProgressRepository(session)
        self.audit = AuditRepository(session)
        self.rooms = RoomRepository(session)
        self.exam_events = ExamEventRepository(session)
        self.notifications = NotificationRepository(session)
        self.deliveries = DeliveryRepository(session)
        self.devices = DeviceRepository(session)
        self.preferences = PreferenceRepository(session)
        self.workers = WorkerRepository(session)
        self.backlog = BacklogRepository(session)
        self.health = HealthRepository(session)
        self.unwritten: list[AuditEntry] = []
        """Entries of the audit log that are written when this transaction, which cannot write, has ended."""

    def record(self, entry: AuditEntry) -> None:
        """Write an entry of the audit log: see `services/audit.py`."""
        self.unwritten.append(entry)


class UnitOfWork(Reading):
    """A transaction that may write. It commits when its block ends and rolls back when a error is raised."""

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session)
        self.jobs = JobRepository(session)
        self.messages = MessageRepository(session)
        self.auth_mails = AuthMailRepository(session)
        self.tickets = TicketRepository(session)
        self._after_commit: list[Callable[[], Awaitable[None]]] = []

    def record(self, entry: AuditEntry) -> None:
        """Write an entry of the audit log in this transaction."""
        self.audit.add(entry)

    def after_commit(self, announce: Callable[[], Awaitable[None]]) -> None:
        """Run `announce` once the commit has succeeded: hints only, work belongs into `jobs`."""
        self._after_commit.append(announce)

    async def announce(self) -> None:
        """Called by `unit_of_work` alone. A hint that fails is logged; what was committed stays so."""
        for announce in self._after_commit:
            try:
                await announce()
            except Exception:
                log.warning("after_commit_failed", exc_info=True)


def publish_by(engine: AsyncEngine, wake: Callable[[], None] | None) -> None:
    """Whom each unit of work over `engine` wakes when it has committed messages for sockets; None: nobody.

    It must not wait: no answer is held up by Redis. Without anybody the worker's loop publishes.
    """
    if wake is None:
        _publishers.pop(engine, None)
    else:
        _publishers[engine] = wake


@asynccontextmanager
async def unit_of_work(engine: AsyncEngine) -> AsyncIterator[UnitOfWork]:
    """A unit of work over a transaction of its own.

    A constraint that is violated because of what another transaction has done meanwhile is raised as what
    it means: InUse, AlreadyExists or Invalid.
    """
    with violations_told():
        async with transaction(engine) as session:
            uow = UnitOfWork(session)
            yield uow
    if uow.messages.written and (publisher := _publishers.get(engine)) is not None:
        publisher()
    await uow.announce()


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[Reading]:
    """Repositories over a read-only transaction: a write is refused by PostgreSQL.

    What was recorded for the audit log is written afterwards, with the connection that this one gives back.
    """
    async with transaction(engine, read_only=True) as session:
        reads = Reading(session)
        yield reads
    if reads.unwritten:
        async with transaction(engine) as session:
            for entry in reads.unwritten:
                AuditRepository(session).add(entry)
