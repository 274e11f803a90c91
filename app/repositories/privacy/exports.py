"""Exports of what is kept of a person: their rows, and the rows that go into one."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, delete, select, text, update

from app.models import AccountExport, ExportStatus, User
from app.repositories.base import Repository

ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows of one kind, as an export has them. `statement` selects those of one `:user_id`."""

    name: str
    about: str
    """What the rows are, in plain words."""
    statement: TextClause


# The repositories of results ask the embargo; nothing here reads a key or anything derived from one.
DATASETS = (
    Dataset(
        "profile",
        "Your profile, and your role in the institute.",
        text(
            """
            select users.id, email, name, category, pwbd, target_year, language, timezone, avatar_url,
              preferences, users.created_at, users.updated_at, role, enrolled_at, enrolled_until, batches
            from ias.users left join ias.memberships on memberships.user_id = users.id
            where users.id = :user_id
            """
        ),
    ),
    Dataset(
        "responses",
        "Each answer that your devices have saved, and when it arrived. Late ones did not count.",
        text(
            """
            select logged.*
            from ias.attempts cross join lateral (
              select attempt_id, question_id, lease, revision, answer, marked_for_review, time_spent_ms,
                confidence, language, late, received_at
              from ias.logged_events where logged_events.attempt_id = attempts.id
              offset 0  -- otherwise PostgreSQL unpacks the logs of everybody
            ) as logged
            where attempts.user_id = :user_id
            order by attempt_id, received_at, question_id, lease, revision
            """
        ),
    ),
    Dataset(
        "leases",
        "When you started or resumed each attempt, and on which device.",
        text(
            """
            select attempt_id, lease, device, given_at from ias.attempt_leases
            where attempt_id in (select id from ias.attempts where user_id = :user_id)
            order by attempt_id, lease
            """
        ),
    ),
    Dataset(
        "bookmarks",
        "The questions that you have bookmarked, with your notes.",
        text(
            """
            select question_id, note, created_at, updated_at from ias.bookmarks
            where user_id = :user_id order by id
            """
        ),
    ),
    Dataset(
        "objections",
        "Your objections to keys of tests: the key that you claim, why, your sources, and the decision.",
        text(
            """
            select objections.test_id, question_id, claimed_key, explanation, sources,
              objections.created_at, objections.updated_at, accepted, reason, decided_at
            from ias.objections join ias.objection_clusters on objection_clusters.id = cluster_id
            where user_id = :user_id order by objections.id
            """
        ),
    ),
    Dataset(
        "registrations",
        "Your registrations for exams, with name and category as they were then.",
        text(
            """
            select exam_id, exams.title, roll_number, name, category, pwbd, registrations.created_at
            from ias.registrations join ias.exams on exams.id = registrations.exam_id
            where user_id = :user_id order by registrations.id
            """
        ),
    ),
    Dataset(
        "withdrawn_registrations",
        "Exams that you have left again, with the roll number that is kept for you.",
        text(
            """
            select exam_id, roll_number, withdrawn_at from ias.withdrawn_registrations
            where user_id = :user_id order by withdrawn_at
            """
        ),
    ),
    Dataset(
        "accommodations",
        "Extra time that exams granted you, with the reason that was given.",
        text(
            """
            select exam_id, extra_seconds, reason, created_at from ias.accommodations
            where user_id = :user_id order by id
            """
        ),
    ),
    Dataset(
        "notifications",
        "The notifications in your inbox.",
        text(
            """
            select id, kind, title, body, data, created_at, read_at from ias.notifications
            where user_id = :user_id order by id
            """
        ),
    ),
    Dataset(
        "deliveries",
        "Where notifications were sent in the last weeks: to which address or device.",
        text(
            """
            select notification_id, channel, target, status, deliveries.created_at, sent_at
            from ias.deliveries join ias.notifications on notifications.id = notification_id
            where user_id = :user_id order by deliveries.created_at, channel, target
            """
        ),
    ),
    Dataset(
        "devices",
        "The devices that receive push messages for you.",
        text(
            """
            select token, platform, language, seen_at from ias.devices
            where user_id = :user_id order by seen_at
            """
        ),
    ),
    Dataset(
        "notification_settings",
        "Which notifications you do not want, and your quiet hours.",
        text(
            """
            select muted, quiet_from, quiet_until from ias.notification_settings
            where user_id = :user_id
            """
        ),
    ),
    Dataset(
        "dismissed_recommendations",
        "The recommendations that you have dismissed.",
        text(
            """
            select recommendation_id, dismissed_at from ias.dismissals
            where user_id = :user_id order by dismissed_at, recommendation_id
            """
        ),
    ),
    Dataset(
        "audit",
        "What staff did to your account and your attempts, or you did as staff. Other people are not named,"
        " and the reasons that others gave for what they did to attempts are left out.",
        text(
            """
            select created_at, action, subject_kind, exam_id, attempt_id,
              case when attempt_id is null or actor_id = :user_id then reason end as reason,
              case when actor_id = :user_id then 'you' else 'staff' end as by
            from ias.audit_entries
            where subject_id = :user_id or actor_id = :user_id
              or attempt_id in (select id from ias.attempts where user_id = :user_id)
            order by id
            """
        ),
    ),
)
"""The datasets that are plain rows.

`app/services/account_exports/contents.py` adds attempts, standing answers and official results, because what
is shown of them depends on the embargo.
"""


class ExportRepository(Repository):
    """Exports of one person, and what goes into them."""

    async def add(self, export: AccountExport) -> None:
        """Add an export."""
        self._session.add(export)
        await self._session.flush()

    async def current(self, user_id: UUID, now: datetime) -> AccountExport | None:
        """The newest export of a person that has not expired."""
        statement = _current(user_id, now).order_by(AccountExport.id.desc()).limit(1)
        return (await self._session.scalars(statement)).one_or_none()

    async def find(self, user_id: UUID, export_id: UUID, now: datetime) -> AccountExport | None:
        """One export of a person that has not expired."""
        statement = _current(user_id, now).where(AccountExport.id == export_id)
        return (await self._session.scalars(statement)).one_or_none()

    async def waiting(self, export_id: UUID) -> AccountExport | None:
        """An export that is not made yet, of a person who is neither banned nor deleted."""
        statement = (
            select(AccountExport)
            .join(User, User.id == AccountExport.user_id)
            .where(AccountExport.id == export_id, AccountExport.status == ExportStatus.WAITING, User.active)
        )
        return (await self._session.scalars(statement)).one_or_none()

    async def mark_ready(self, export_id: UUID, size_bytes: int, now: datetime, expires_at: datetime) -> bool:
        """Record that the file is stored. Returns False if nobody waits for it any more."""
        statement = (
            update(AccountExport)
            .where(
                AccountExport.id == export_id,
                AccountExport.status == ExportStatus.WAITING,
                select(User.id).where(User.id == AccountExport.user_id, User.active).exists(),
            )
            .values(status=ExportStatus.READY, ready_at=now, size_bytes=size_bytes, expires_at=expires_at)
            .returning(AccountExport.id)
        )
        return await self._session.scalar(statement) is not None

    async def begin_download(self, export_id: UUID, now: datetime, expires_at: datetime) -> None:
        """Record the first download. Later ones change nothing."""
        first = update(AccountExport).where(
            AccountExport.id == export_id, AccountExport.downloaded_at.is_(None)
        )
        await self._session.execute(first.values(downloaded_at=now, expires_at=expires_at))

    async def expire(self, user_id: UUID, now: datetime) -> None:
        """End all exports of a person."""
        await self._session.execute(
            update(AccountExport).where(AccountExport.user_id == user_id).values(expires_at=now)
        )

    async def of(self, user_id: UUID) -> Sequence[UUID]:
        """The ids of all exports of a person."""
        statement = select(AccountExport.id).where(AccountExport.user_id == user_id)
        return (await self._session.scalars(statement)).all()

    async def expired(self, now: datetime, limit: int) -> Sequence[UUID]:
        """Expired exports, whose files are to be deleted."""
        statement = select(AccountExport.id).where(AccountExport.expires_at <= now)
        return (await self._session.scalars(statement.order_by(AccountExport.expires_at).limit(limit))).all()

    async def delete(self, export_ids: Sequence[UUID]) -> None:
        """Delete exports whose files are deleted."""
        await self._session.execute(delete(AccountExport).where(AccountExport.id.in_(export_ids)))

    async def rows(self, dataset: Dataset, user_id: UUID) -> AsyncIterator[Mapping[str, Any]]:
        """The rows of a dataset, a few hundred at a time."""
        found = await self._session.stream(dataset.statement, {"user_id": user_id})
        async for row in found.mappings().yield_per(ROWS_AT_ONCE):
            yield dict(row)


def _current(user_id: UUID, now: datetime) -> Any:
    return select(AccountExport).where(AccountExport.user_id == user_id, AccountExport.expires_at > now)
