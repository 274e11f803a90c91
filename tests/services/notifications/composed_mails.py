"""Mails of each kind as they are composed, and a reader of their HTML."""

from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

from app.core.ids import uuid7
from app.models import Kind, Notification, User
from app.services.components import Components
from app.services.notifications import mails
from app.services.notifications.creating import build_notice
from tests.builders.exams import PAPER_TITLE
from tests.builders.notifications import TITLE

THE_PAPER: dict[str, Any] = {
    "id": str(UUID(int=1)),
    "code": "GS1",
    "title": PAPER_TITLE,
    "starts_at": "2026-11-26T04:00:00Z",
    "entry_closes_at": "2026-11-26T04:30:00Z",
    "ends_at": "2026-11-26T07:40:00Z",
    "extra_seconds": 2400,
    "reminders": ["opens_in_24_hours", "opens_in_15_minutes"],
}
NOW = datetime(2026, 11, 26, 3, 40, tzinfo=UTC)
"""When the mails are sent: 20 minutes before the paper opens."""
EXAM = {"exam_id": str(UUID(int=2)), "exam_title": TITLE}
DATA: dict[Kind, dict[str, Any]] = {
    Kind.WELCOME: {},
    Kind.REGISTERED: EXAM | {"roll_number": "R-17", "papers": [THE_PAPER]},
    Kind.OPENS_IN_24_HOURS: EXAM | {"paper": THE_PAPER},
    Kind.OPENS_IN_15_MINUTES: EXAM | {"paper": THE_PAPER},
    Kind.SUBMITTED: EXAM
    | {
        "paper": THE_PAPER,
        "attempt_id": str(UUID(int=3)),
        "submitted_at": "2026-11-26T06:58:13Z",
        "closed_by": "candidate",
    },
    Kind.RESULTS_RELEASED: EXAM | {"version": 1, "revised": False},
    Kind.KEY_REVISED: {
        "title": TITLE,
        "test_id": str(UUID(int=4)),
        "attempt_id": str(UUID(int=3)),
        "number": 1,
        "questions": [12, 80],
        "reason": "Both b and c are right.",
        "score_before": "84.66",
        "score_after": "87.34",
        "rank_before": 14,
        "rank_after": 9,
    },
    Kind.POSTPONED: EXAM | {"papers": [THE_PAPER]},
    Kind.CANCELLED: EXAM,
    Kind.EXTRA_TIME: EXAM | {"extra_seconds": 2400, "previous_extra_seconds": 600, "papers": [THE_PAPER]},
    Kind.ENROLMENT_CHANGED: {"enrolled": True, "batches": [], "until_at": "2026-11-26T04:00:00Z"},
    Kind.KEY_SHOWN: EXAM
    | {
        "stage": "provisional_key",
        "opens_at": "2026-11-26T04:00:00Z",
        "closes_at": "2026-11-27T04:00:00Z",
        "sources_required": 3,
    },
    Kind.OBJECTION_DECIDED: {
        "test_title": TITLE,
        "question_number": 80,
        "accepted": True,
        "reason": "Article 368 says so.",
    },
    Kind.REGISTRATION_CHANGED: EXAM
    | {
        "roll_number": "R-17",
        "fields": ["category", "pwbd"],
        "extra_seconds": 2400,
        "previous_extra_seconds": 0,
        "papers": [THE_PAPER],
    },
}


class Reader(HTMLParser):
    """What a mail program shows of HTML, and whether its tags fit together."""

    VOID = ("meta", "br")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.links: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def user(**values: Any) -> User:
    base = {
        "id": uuid7(),
        "email": "asha@example.org",
        "name": "Asha Rao",
        "language": "en",
        "timezone": "Asia/Kolkata",
    }
    return User(**base | values)


def composed(
    parts: Components, kind: Kind, reader: User, data: dict[str, Any] | None = None, now: datetime = NOW
) -> mails.Mail:
    notice = build_notice(kind, "fact", DATA[kind] if data is None else data)
    told = Notification(id=uuid7(), kind=kind.value, title=notice.title, body=notice.body, data=notice.data)
    mail = mails.compose(parts, told, reader, UUID(int=9), now)
    return mails.Mail(plain(mail.subject), plain(mail.text), plain(mail.html), mail.handling)


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")
