"""Results that another version of the key has marked than the others of their group.

A revision of a key with `keep: "higher"` leaves such results, whose score would have fallen. Statistics of
the group mark their answers by the group's key: without them, the revision would decide who is counted.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row

from app.engine.answers import answer_of
from app.engine.grading import GradedAttempt, Grader
from app.engine.scoring import PaperKey


class GroupMarker:
    """Marks by the key of a group what another version has marked. For one load."""

    def __init__(self, key_id: UUID, rules: PaperKey) -> None:
        self._key_id, self._grader = key_id, Grader(rules)

    async def marked(self, rows: Sequence[Row[Any]]) -> Mapping[UUID, GradedAttempt]:
        """The sheets, by attempt, of those rows (`id`, `key_id`, `answers`) that need it. In a thread."""
        others = [row for row in rows if row.key_id != self._key_id]
        return await asyncio.to_thread(self._grade, others) if others else {}

    def _grade(self, rows: Sequence[Row[Any]]) -> Mapping[UUID, GradedAttempt]:
        return {
            row.id: self._grader.grade([answer_of(each) for each in orjson.loads(row.answers)])
            for row in rows
        }
