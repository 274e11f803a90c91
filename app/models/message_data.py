"""The `data` of messages about exams, tests and notifications, by type (docs/decisions/0011).

Messages are built from these classes alone, and the AsyncAPI document is generated from them.
"""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.core.realtime.payloads import MessageData
from app.models.attempts import Attempt, AttemptRow, AttemptStatus
from app.models.base import LocalizedText
from app.models.notifications import Kind

Count = Annotated[int, Field(ge=0)]


class AnnouncementData(MessageData):
    """Staff have announced something to everybody in the exam."""

    type: ClassVar[str] = "announcement"

    announcement_id: Annotated[
        UUID,
        Field(
            description="The announcement's id. Send it in `ack` when the candidate has seen the text. "
            "`monitor` and `GET /v1/exams/{exam_id}/announcements` have the same id"
        ),
    ]
    text: Annotated[LocalizedText, Field(description="The text by language")]


class AttemptData(MessageData):
    """The state of one of your attempts. Only the sockets of its candidate receive it."""

    attempt_id: Annotated[UUID, Field(description="The attempt")]
    paper_id: Annotated[UUID, Field(description="The exam paper of the attempt")]
    status: Annotated[AttemptStatus, Field(description="The status of the attempt now")]
    deadline_at: Annotated[datetime, Field(description="The deadline of the attempt now")]


def attempt_fields(attempt: Attempt | AttemptRow) -> dict[str, Any]:
    """The fields of `AttemptData` for an attempt at an exam."""
    return {
        "attempt_id": attempt.id,
        "paper_id": attempt.exam_paper_id,
        "status": attempt.status,
        "deadline_at": attempt.deadline_at,
    }


class ExtendedData(AttemptData):
    """The deadline of your attempt is later."""

    type: ClassVar[str] = "extended"

    seconds: Annotated[int, Field(gt=0, description="The seconds by which the deadline is later")]


class PausedData(AttemptData):
    """Your attempt is paused and takes no answers."""

    type: ClassVar[str] = "paused"


class ResumedData(AttemptData):
    """Your attempt goes on."""

    type: ClassVar[str] = "resumed"


class ForceSubmittedData(AttemptData):
    """Staff have ended your attempt. It is submitted."""

    type: ClassVar[str] = "force_submitted"


class AttemptChangedData(AttemptData):
    """Your attempt has changed in another way. Call `GET /v1/exams/{exam_id}/papers/{paper_id}/attempt`."""

    type: ClassVar[str] = "attempt_changed"

    lease: Annotated[
        int | None,
        Field(
            description="Present if a device has resumed the attempt: the lease of that device. After this "
            "message, sockets of your other sessions are closed with 4403"
        ),
    ] = None
    change: Annotated[
        Literal["deadline_earlier"] | None,
        Field(description="Present if extra time was reduced or taken back"),
    ] = None
    seconds: Annotated[
        int | None, Field(description="With `change`: the seconds by which the deadline is earlier")
    ] = None


class PaperWindowData(MessageData):
    """The window of a paper, the same for everybody in the exam."""

    paper_id: Annotated[UUID, Field(description="The exam paper")]
    code: Annotated[str, Field(description="The paper's code, such as GS1")]
    entry_closes_at: Annotated[datetime, Field(description="Until then the paper can be started")]
    ends_at: Annotated[datetime, Field(description="The end of the window, without extra time")]


class PaperOpenedData(PaperWindowData):
    """A paper of the exam can be started."""

    type: ClassVar[str] = "paper_opened"


class PaperClosedData(PaperWindowData):
    """The window of a paper has ended."""

    type: ClassVar[str] = "paper_closed"


class ResultsReleasedData(MessageData):
    """The results of the exam are released."""

    type: ClassVar[str] = "results_released"

    exam_id: Annotated[UUID, Field(description="The exam")]


class LeaderboardData(MessageData):
    """How many candidates are ranked. It is sent after `hello`, and when the number has changed."""

    type: ClassVar[str] = "leaderboard"

    participants: Annotated[
        Count,
        Field(description="The ranked candidates of the published version and of those with its marking"),
    ]
    paper_version: Annotated[int, Field(description="The published version of the test")]


class NotificationHint(MessageData):
    """What the messages about one notice to many users have in common."""

    kind: Annotated[Kind, Field(description="What it is about")]
    title: Annotated[LocalizedText, Field(description="The title by language")]
    created_at: Annotated[datetime, Field(description="When it was created")]


class NotificationData(NotificationHint):
    """You have a new notification. `GET /v1/notifications` has its text."""

    type: ClassVar[str] = "notification"

    id: Annotated[UUID, Field(description="The notification")]


class _Part(BaseModel):
    """A part of the `data` of a message."""

    model_config = ConfigDict(frozen=True)


class AcknowledgedAnnouncement(_Part):
    """How many people have acknowledged an announcement."""

    id: Annotated[UUID, Field(description="The announcement's id, `announcement_id` in its message")]
    acknowledged: Annotated[Count, Field(description="The number of people who have acknowledged it")]


class PaperProgress(_Part):
    """The number of official attempts at a paper by status."""

    paper_id: Annotated[UUID, Field(description="The exam paper")]
    code: Annotated[str, Field(description="The paper's code")]
    in_progress: Annotated[Count, Field(description="Attempts that are running")]
    paused: Annotated[Count, Field(description="Attempts that are paused")]
    submitted: Annotated[Count, Field(description="Attempts that have ended, without official result")]
    graded: Annotated[Count, Field(description="Attempts whose result is released")]
    void: Annotated[Count, Field(description="Attempts that do not count")]


class MonitorData(MessageData):
    """The progress of the exam. It is sent to staff after `hello`, and when a figure has changed."""

    type: ClassVar[str] = "monitor"

    registered: Annotated[Count, Field(description="The number of registrations")]
    connected: Annotated[
        int | None,
        Field(description="The number of candidates with an open socket; null while Redis does not answer"),
    ]
    announcements: Annotated[
        list[AcknowledgedAnnouncement],
        Field(description="The last ten announcements, oldest first; empty while Redis does not answer"),
    ]
    papers: Annotated[list[PaperProgress], Field(description="The papers by start")]
