"""What stands in the log of responses. `engine/responses.py` is the same rule without a database."""

from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.dialects.postgresql import distinct_on

from app.models import ResponseEvent


def standing_events(event: type[ResponseEvent], condition: ColumnElement[bool]) -> Select[Any]:
    """Of each question of each attempt, the event of the highest (lease, revision) that was not late.

    A cleared answer stands as well: it is null. The condition names the attempts, so that PostgreSQL reads
    only their partitions. `event` is `ResponseEvent`, or `LoggedEvent` for attempts that may be packed.
    """
    question = event.attempt_id, event.question_id
    return (
        select(event)
        .where(condition, event.late.is_(False))
        .ext(distinct_on(*question))
        .order_by(*question, event.lease.desc(), event.revision.desc())
    )
