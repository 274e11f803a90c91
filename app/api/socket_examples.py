"""An example of each message, for the AsyncAPI document."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.core.realtime.payloads import HelloData, MessageData, ReconnectData, TimeData
from app.models import AttemptStatus, Kind
from app.models.message_data import (
    AcknowledgedAnnouncement,
    AnnouncementData,
    AttemptChangedData,
    ExtendedData,
    ForceSubmittedData,
    LeaderboardData,
    MonitorData,
    NotificationData,
    PaperClosedData,
    PaperOpenedData,
    PaperProgress,
    PausedData,
    ResultsReleasedData,
    ResumedData,
)

_NOW = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)
_CLOSES, _ENDS = datetime(2026, 6, 7, 4, 30, tzinfo=UTC), datetime(2026, 6, 7, 6, 0, tzinfo=UTC)
_EXAM, _PAPER, _ATTEMPT, _ANNOUNCEMENT, _NOTIFICATION = (
    UUID(f"0197490a-0000-7000-8000-00000000000{number}") for number in range(1, 6)
)
_RUNNING: dict[str, Any] = {
    "attempt_id": _ATTEMPT,
    "paper_id": _PAPER,
    "status": AttemptStatus.IN_PROGRESS,
    "deadline_at": _ENDS,
}
_WINDOW: dict[str, Any] = {
    "paper_id": _PAPER,
    "code": "GS1",
    "entry_closes_at": _CLOSES,
    "ends_at": _ENDS,
}

_ALL: tuple[MessageData, ...] = (
    HelloData(
        room=f"exam:{_EXAM}",
        server_time=_NOW,
        heartbeat_seconds=15,
        cursor="1795623503799-0",
        replayed=0,
        gap=False,
    ),
    TimeData(server_time=_NOW),
    ReconnectData(after_ms=1200),
    AnnouncementData(announcement_id=_ANNOUNCEMENT, text={"en": "Question 7 has two correct options."}),
    ExtendedData(**_RUNNING, seconds=600),
    PausedData(**_RUNNING | {"status": AttemptStatus.PAUSED}),
    ResumedData(**_RUNNING),
    ForceSubmittedData(**_RUNNING | {"status": AttemptStatus.SUBMITTED}),
    AttemptChangedData(**_RUNNING, lease=2),
    PaperOpenedData(**_WINDOW),
    PaperClosedData(**_WINDOW),
    ResultsReleasedData(exam_id=_EXAM),
    LeaderboardData(participants=412, paper_version=1),
    MonitorData(
        registered=2,
        connected=2,
        announcements=[AcknowledgedAnnouncement(id=_ANNOUNCEMENT, acknowledged=1)],
        papers=[
            PaperProgress(paper_id=_PAPER, code="GS1", in_progress=1, paused=0, submitted=1, graded=0, void=0)
        ],
    ),
    NotificationData(
        id=_NOTIFICATION,
        kind=Kind.RESULTS_RELEASED,
        title={"en": "Results are released"},
        created_at=_NOW,
    ),
)
EXAMPLES = {data.type: data for data in _ALL}
"""The data of an example by the type of the message."""

CLIENT_EXAMPLES: dict[str, dict[str, Any]] = {
    "ping": {"type": "ping"},
    "ack": {"type": "ack", "id": str(_ANNOUNCEMENT)},
}
"""An example of each message of a client by its type."""
