"""SQLAlchemy tables, one module a noun."""

from app.models.accounts import PSEUDONYM, AccountDeletion, AccountExport, ExportStatus
from app.models.analytics import AttemptFigures
from app.models.attempts import (
    Attempt,
    AttemptLease,
    AttemptStatus,
    OutcomeCount,
    ResponseEvent,
    Result,
    ScoreCount,
)
from app.models.audit import AuditEntry
from app.models.base import SCHEMA, Base, LocalizedText
from app.models.bookmarks import Bookmark
from app.models.column_mappings import ColumnMapping, MappedSheet
from app.models.exams import (
    Accommodation,
    Announcement,
    Exam,
    ExamPaper,
    ExamRelease,
    ExamResult,
    Registration,
    WithdrawnRegistration,
)
from app.models.idempotency import KeptAnswer
from app.models.jobs import Job, Worker
from app.models.key_revisions import Keep, KeyRevision, RevisedResult, RevisionState
from app.models.notifications import (
    Channel,
    DeadAddress,
    Delivery,
    Device,
    Kind,
    Notification,
    NotificationSettings,
)
from app.models.objections import Objection, ObjectionCluster
from app.models.questions import Media, Passage, PassageVersion, Question, QuestionVersion
from app.models.ratings import (
    CandidateRating,
    ChapterAnswers,
    Dismissal,
    QuestionRating,
    RatingWithdrawal,
    ReviewCard,
    SubjectAbility,
    SubjectRating,
)
from app.models.realtime import Message, SocketTicket
from app.models.result_files import ResultFile, ResultFileKind
from app.models.signing_keys import SigningKey
from app.models.statistics import ItemParameters, PaperStatistics
from app.models.subjects import Chapter, Subject
from app.models.tests import (
    KeyVersion,
    Paper,
    PaperMedia,
    PaperQuestion,
    Test,
    TestConsent,
    TestPopularity,
    TestQuestion,
    TestSection,
)
from app.models.users import (
    DEFAULT_INSTITUTE_ID,
    DEFAULT_INSTITUTE_NAME,
    AuthMail,
    Institute,
    Invitation,
    Membership,
    Revocation,
    Role,
    User,
    name_on_documents,
)

__all__ = [
    "DEFAULT_INSTITUTE_ID",
    "DEFAULT_INSTITUTE_NAME",
    "PSEUDONYM",
    "SCHEMA",
    "Accommodation",
    "AccountDeletion",
    "AccountExport",
    "Announcement",
    "Attempt",
    "AttemptFigures",
    "AttemptLease",
    "AttemptStatus",
    "AuditEntry",
    "AuthMail",
    "Base",
    "Bookmark",
    "CandidateRating",
    "Channel",
    "Chapter",
    "ChapterAnswers",
    "ColumnMapping",
    "DeadAddress",
    "Delivery",
    "Device",
    "Dismissal",
    "Exam",
    "ExamPaper",
    "ExamRelease",
    "ExamResult",
    "ExportStatus",
    "Institute",
    "Invitation",
    "ItemParameters",
    "Job",
    "Keep",
    "KeptAnswer",
    "KeyRevision",
    "KeyVersion",
    "Kind",
    "LocalizedText",
    "MappedSheet",
    "Media",
    "Membership",
    "Message",
    "Notification",
    "NotificationSettings",
    "Objection",
    "ObjectionCluster",
    "OutcomeCount",
    "Paper",
    "PaperMedia",
    "PaperQuestion",
    "PaperStatistics",
    "Passage",
    "PassageVersion",
    "Question",
    "QuestionRating",
    "QuestionVersion",
    "RatingWithdrawal",
    "Registration",
    "ResponseEvent",
    "Result",
    "ResultFile",
    "ResultFileKind",
    "ReviewCard",
    "RevisedResult",
    "RevisionState",
    "Revocation",
    "Role",
    "ScoreCount",
    "SigningKey",
    "SocketTicket",
    "Subject",
    "SubjectAbility",
    "SubjectRating",
    "Test",
    "TestConsent",
    "TestPopularity",
    "TestQuestion",
    "TestSection",
    "User",
    "WithdrawnRegistration",
    "Worker",
    "name_on_documents",
]
