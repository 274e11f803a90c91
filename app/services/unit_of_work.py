"""One transaction with all repositories over it: `reading` for queries, `unit_of_work` for changes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app.database import autocommit, transaction, undone
from app.models import AuditEntry
from app.repositories.analytics.abilities import AbilityRepository
from app.repositories.analytics.activity import ActivityRepository
from app.repositories.analytics.advice import AdviceRepository
from app.repositories.analytics.answer_sheets import AnswerSheetsInBulkRepository
from app.repositories.analytics.attempt_at_test import AttemptAtTestRepository
from app.repositories.analytics.bookmarks import BookmarkRepository
from app.repositories.analytics.candidates import CandidateRepository
from app.repositories.analytics.cards import CardRepository
from app.repositories.analytics.figures import FiguresRepository
from app.repositories.analytics.holding_papers import HoldingPaperRepository
from app.repositories.analytics.leaderboards import LeaderboardRepository
from app.repositories.analytics.matrices import MatrixRepository
from app.repositories.analytics.practice import PracticeRepository
from app.repositories.analytics.progress import ProgressRepository
from app.repositories.analytics.ratings import RatingRepository
from app.repositories.analytics.read_versions import ReadVersionRepository
from app.repositories.analytics.shown import ShownRepository
from app.repositories.analytics.subject_questions import SubjectQuestionRepository
from app.repositories.analytics.test_statistics import TestStatisticsRepository
from app.repositories.attempts import AttemptRepository, AttemptReviewRepository
from app.repositories.attempts.grading import GradingRepository
from app.repositories.attempts.key_revisions import KeyRevisionRepository
from app.repositories.attempts.own_results import OwnResultRepository
from app.repositories.attempts.packed_logs import PackedLogRepository
from app.repositories.attempts.records import AttemptRecordRepository
from app.repositories.attempts.regrading import RegradingRepository
from app.repositories.attempts.starts import StartRepository
from app.repositories.audit import AuditRepository
from app.repositories.backlog import BacklogRepository
from app.repositories.column_mappings import ColumnMappingRepository
from app.repositories.embargo import EmbargoRepository
from app.repositories.exams import (
    AnswerSheetRepository,
    ExamAttemptRepository,
    ExamExportRepository,
    ExamRepository,
    ExamResultRepository,
    MarkedSheetRepository,
    RegistrationRepository,
    ResultDocumentRepository,
    ResultFileRepository,
)
from app.repositories.idempotency import KeptResponseRepository
from app.repositories.jobs import HealthRepository, JobRepository, WorkerRepository
from app.repositories.notifications import DeviceRepository, NotificationRepository, PreferenceRepository
from app.repositories.notifications.deliveries import DeliveryRepository
from app.repositories.notifications.exam_events import ExamEventRepository
from app.repositories.objections import ObjectionRepository
from app.repositories.placing import PlacingRepository
from app.repositories.privacy import DeletionRepository, ExportRepository, PurgeRepository
from app.repositories.questions import QuestionRepository
from app.repositories.questions.media import MediaRepository
from app.repositories.questions.passages import PassageRepository
from app.repositories.questions.similarity import SimilarityRepository
from app.repositories.realtime.messages import MessageRepository
from app.repositories.realtime.rooms import RoomRepository, TicketRepository
from app.repositories.signing_keys import SigningKeyRepository
from app.repositories.subjects import SubjectRepository
from app.repositories.tests import CatalogRepository, KeyRepository, PopularityRepository, TestRepository
from app.repositories.tests.consents import ConsentRepository
from app.repositories.users import RevocationRepository, UserRepository
from app.repositories.users.auth_mails import AuthMailRepository
from app.repositories.users.institutes import InstituteRepository
from app.repositories.users.invitations import InvitationRepository
from app.repositories.users.rosters import RosterRepository
from app.repositories.violations import translate_violations


class Reading:
    """Every repository over one transaction. A service that takes this only reads."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session
        self.institutes = InstituteRepository(session)
        self.users = UserRepository(session)
        self.rosters = RosterRepository(session)
        self.embargo = EmbargoRepository(session)
        self.placing = PlacingRepository(session)
        self.consents = ConsentRepository(session)
        self.revocations = RevocationRepository(session)
        self.subjects = SubjectRepository(session)
        self.questions = QuestionRepository(session)
        self.similarity = SimilarityRepository(session)
        self.passages = PassageRepository(session)
        self.media = MediaRepository(session)
        self.column_mappings = ColumnMappingRepository(session)
        self.tests = TestRepository(session)
        self.catalog = CatalogRepository(session)
        self.keys = KeyRepository(session)
        self.attempts = AttemptRepository(session)
        self.attempt_reviews = AttemptReviewRepository(session)
        self.own_results = OwnResultRepository(session)
        self.attempt_records = AttemptRecordRepository(session)
        self.grading = GradingRepository(session)
        self.key_revisions = KeyRevisionRepository(session)
        self.regrading = RegradingRepository(session)
        self.exams = ExamRepository(session)
        self.registrations = RegistrationRepository(session)
        self.answer_sheets = AnswerSheetRepository(session)
        self.exam_attempts = ExamAttemptRepository(session)
        self.exam_results = ExamResultRepository(session)
        self.marked_sheets = MarkedSheetRepository(session)
        self.exam_exports = ExamExportRepository(session)
        self.result_documents = ResultDocumentRepository(session)
        self.result_files = ResultFileRepository(session)
        self.objections = ObjectionRepository(session)
        self.progress = ProgressRepository(session)
        self.candidates = CandidateRepository(session)
        self.bookmarks = BookmarkRepository(session)
        self.activity = ActivityRepository(session)
        self.figures = FiguresRepository(session)
        self.shown = ShownRepository(session)
        self.read_versions = ReadVersionRepository(session)
        self.leaderboards = LeaderboardRepository(session)
        self.holding_papers = HoldingPaperRepository(session)
        self.subject_questions = SubjectQuestionRepository(session)
        self.attempts_at_tests = AttemptAtTestRepository(session)
        self.matrices = MatrixRepository(session)
        self.answer_sheets_in_bulk = AnswerSheetsInBulkRepository(session)
        self.test_statistics = TestStatisticsRepository(session)
        self.abilities = AbilityRepository(session)
        self.advice = AdviceRepository(session)
        self.cards = CardRepository(session)
        self.practice = PracticeRepository(session)
        self.ratings = RatingRepository(session)
        self.audit = AuditRepository(session)
        self.signing_keys = SigningKeyRepository(session)
        self.deletions = DeletionRepository(session)
        self.exports = ExportRepository(session)
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
        """Entries of the audit log. They are written after this transaction, which cannot write."""

    def record(self, entry: AuditEntry) -> None:
        """Write an entry of the audit log: see `services/audit.py`."""
        self.unwritten.append(entry)


class UnitOfWork(Reading):
    """A transaction that may write. It commits when its block ends, and rolls back if an error is raised."""

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session)
        self.packed_logs = PackedLogRepository(session)
        self.jobs = JobRepository(session)
        self.messages = MessageRepository(session)
        self.auth_mails = AuthMailRepository(session)
        self.invitations = InvitationRepository(session)
        self.tickets = TicketRepository(session)
        self.starts = StartRepository(session)
        self.purges = PurgeRepository(session)
        self.kept_responses = KeptResponseRepository(session)
        self.popularity = PopularityRepository(session)

    def record(self, entry: AuditEntry) -> None:
        """Write an entry of the audit log in this transaction."""
        self.audit.add(entry)

    @asynccontextmanager
    async def dry_run(self) -> AsyncIterator[None]:
        """A block that does the work and undoes it: rows, jobs, messages and audit entries.

        What the block returns must be computed in it, from values and not from rows.
        """
        written = self.messages.written
        async with undone(self.session):
            yield
        self.messages.written = written


@asynccontextmanager
async def unit_of_work(
    engine: AsyncEngine, new_messages: asyncio.Event | None = None
) -> AsyncIterator[UnitOfWork]:
    """A unit of work over a transaction of its own.

    `new_messages` is set once messages for sockets are committed. Without it the worker's loop publishes
    them. If a constraint is violated because of another transaction, the error is raised as InUse,
    AlreadyExists or Invalid.
    """
    with translate_violations():
        async with transaction(engine) as session:
            uow = UnitOfWork(session)
            yield uow
    if new_messages is not None and uow.messages.written:
        new_messages.set()


@asynccontextmanager
async def looking(engine: AsyncEngine) -> AsyncIterator[Reading]:
    """Repositories for single statements that only read, each with a snapshot of its own.

    No transaction is begun or ended for them, which saves two of three round trips.
    """
    async with AsyncSession(autocommit(engine), expire_on_commit=False) as session:
        yield Reading(session)


@asynccontextmanager
async def reading(engine: AsyncEngine, *, primary: AsyncEngine | None = None) -> AsyncIterator[Reading]:
    """Repositories over a read-only transaction: a write is refused by PostgreSQL.

    Entries of the audit log are written in a second transaction after it: on `primary` if `engine` is that of
    a replica.
    """
    async with transaction(engine, read_only=True) as session:
        reads = Reading(session)
        yield reads
    if reads.unwritten:
        async with transaction(primary or engine) as session:
            for entry in reads.unwritten:
                AuditRepository(session).add(entry)
