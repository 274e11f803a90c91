"""The answers of a group of results in bulk, for comparing candidates with each other."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, text

from app.engine.scoring import PaperKey
from app.models import PSEUDONYM
from app.repositories.analytics.marked_again import GroupMarker
from app.repositories.analytics.matrices import ROWS_AT_ONCE, Group
from app.repositories.base import Repository

# `number > 0` opens an index: see `Attempt`. An answer sheet on paper has no times of its own.
SHEETS = text(
    """
    select attempt.id, result.key_id, result.answers::text as answers, result.outcomes,
      (result.raw_numerator::float8 / result.raw_denominator::float8) as score,
      case when attempt.device <> 'paper' then attempt.device end as device,
      case when attempt.closed_by = 'candidate' then attempt.submitted_at end as submitted_at,
      registration.roll_number
    from ias.attempts as attempt
    join ias.results as result on result.attempt_id = attempt.id
    left join ias.registrations as registration on registration.id = attempt.registration_id
    where attempt.test_id = :test_id and attempt.number > 0 and attempt.paper_id = :paper_id
      and result.cohort_id = :cohort_id and result.counted
      and mod(abs(hashtext(attempt.id::text)::bigint), :parts) = 0
    order by attempt.id
    """
)
PEOPLE = text(
    """
    select attempt.id, attempt.user_id, registration.roll_number,
      coalesce(registration.name, case when account.deleted_at is null then account.name else :pseudonym end)
        as name
    from ias.attempts as attempt
    left join ias.registrations as registration on registration.id = attempt.registration_id
    left join ias.users as account on account.id = attempt.user_id
    where attempt.id = any(:attempts)
    """
).bindparams(bindparam("attempts", type_=ARRAY(Uuid)))


@dataclass(slots=True)
class SheetsInBulk:
    """Answer sheets, in lists of equal length except `answers`."""

    attempt_ids: list[UUID] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)
    """JSON lists of some thousand sheets each, in this order. They are parsed in a child process."""
    outcomes: list[str] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    devices: list[str | None] = field(default_factory=list)
    submitted_at: list[datetime | None] = field(default_factory=list)
    """When the candidate ended the attempt; None if the deadline or staff did, or it was on paper."""
    roll_numbers: list[str | None] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PersonOfAttempt:
    """Whose attempt it is, as staff see it in the list of attempts."""

    attempt_id: UUID
    user_id: UUID | None
    roll_number: str | None
    name: str | None


class AnswerSheetsInBulkRepository(Repository):
    """Answers of whole groups. The caller asks the embargo before anything of them is shown."""

    async def load(self, group: Group, rules: PaperKey, most: int) -> SheetsInBulk:
        """The answer sheets of a group, all marked by its key, `rules`.

        Of more than `most`, an even sample of about as many.
        """
        sheets, marker = SheetsInBulk(), GroupMarker(group.key_id, rules)
        values = {
            "test_id": group.test_id,
            "paper_id": group.paper_id,
            "cohort_id": group.cohort_id,
            "parts": -(-group.results // most) or 1,
        }
        stream = await self._session.stream(SHEETS.execution_options(yield_per=ROWS_AT_ONCE), values)
        async for rows in stream.partitions(ROWS_AT_ONCE):
            marked = await marker.marked(rows)
            sheets.answers.append(f"[{','.join([row.answers for row in rows])}]".encode())
            sheets.attempt_ids += [row.id for row in rows]
            sheets.outcomes += [marked[row.id].outcomes if row.id in marked else row.outcomes for row in rows]
            sheets.scores += [float(marked[row.id].raw) if row.id in marked else row.score for row in rows]
            sheets.devices += [row.device for row in rows]
            sheets.submitted_at += [row.submitted_at for row in rows]
            sheets.roll_numbers += [row.roll_number for row in rows]
        return sheets

    async def people(self, attempt_ids: Collection[UUID]) -> Mapping[UUID, PersonOfAttempt]:
        """Whose attempts these are."""
        values = {"attempts": list(attempt_ids), "pseudonym": PSEUDONYM}
        rows = await self._session.execute(PEOPLE, values)
        return {row.id: PersonOfAttempt(row.id, row.user_id, row.roll_number, row.name) for row in rows}
