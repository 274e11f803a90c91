"""What stands in the log of responses. `engine/responses.py` is the same rule without a database."""

from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.dialects.postgresql import distinct_on

from app.models import ResponseEvent


def standing_events(condition: ColumnElement[bool]) -> Select[Any]:
    """Of each question of each attempt, the event of the highest (lease, revision) that was not late.

    A cleared answer stands as well: it is null. The condition names the attempts, so that PostgreSQL reads
    only their partitions.
    """
    question = ResponseEvent.attempt_id, ResponseEvent.question_id
    return (
        select(ResponseEvent)
        .where(condition, ResponseEvent.late.is_(False))
        .ext(distinct_on(*question))
        .order_by(*question, ResponseEvent.lease.desc(), ResponseEvent.revision.desc())
    )
