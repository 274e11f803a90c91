"""The statement that saves responses of many attempts at once, and what it found and did for each of them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import orjson

from app.core.attempt_scope import AttemptRef
from app.models import Attempt

# The reasons are in docs/decisions/0012, docs/decisions/0088 and docs/decisions/0097.
SAVE = """
with request as materialized (
  select * from unnest($1::int[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::int[],
    $7::timestamptz[], $8::timestamptz[], $9::boolean[], $10::text[])
    as request(place, attempt_id, test_id, exam_paper_id, user_id, lease, arrived_at, earliest_deadline,
      takes_new, given_time)
  order by attempt_id
), attempt as materialized (
  -- Locked in the order of their ids, before anything is inserted. Whoever ends an attempt takes FOR UPDATE:
  -- an answer is either committed before the attempt is graded, or its statement waits, reads the row again
  -- and sees that the attempt is closed. Whoever moves the deadline of a running attempt takes FOR NO KEY
  -- UPDATE, and saves do not wait for that.
  select request.*, row.status, row.deadline_at, case
    when not (select active from ias.users where users.id = request.user_id) then 'banned'
    when request.lease > row.lease then 'unknown_lease'
    when status in ('graded', 'void')
      -- Not EXISTS, for which the planner may read the whole table once instead.
      and (select true from ias.packed_logs where packed_logs.attempt_id = request.attempt_id) then 'packed'
    when status in ('paused', 'void')
      or status <> 'in_progress' and closed_by is distinct from 'deadline' then 'closed'
    when status <> 'in_progress' or deadline_at < earliest_deadline then 'late'
    -- Time was given after the process has read the attempt, so that other sections may be closed than it
    -- says. Nothing is stored, and the process reads the attempt again.
    when given_time::jsonb <> jsonb_build_array(accommodation_seconds, additions) then 'moved'
    else 'open' end as decision
  from request cross join lateral (
    select status, closed_by, lease, deadline_at, accommodation_seconds, additions
    from ias.attempts
    where id = request.attempt_id and test_id = request.test_id and user_id = request.user_id
      and exam_paper_id is not distinct from request.exam_paper_id
    for key share
  ) as row
), incoming as materialized (
  -- An open attempt takes nothing new for the questions of closed sections. Their log is read all the same.
  select attempt.attempt_id, attempt.lease, attempt.arrived_at, attempt.decision, event.*,
    takes_new and (decision = 'late' or decision = 'open' and not section_closed) as is_taken
  from unnest($11::int[], $12::uuid[], $13::int[], $14::text[], $15::boolean[], $16::int[], $17::text[],
    $18::text[], $19::boolean[])
    as event(place, question_id, revision, answer, marked_for_review, time_spent_ms, confidence, language,
      section_closed)
  join attempt using (place)
), inserted as (
  insert into ias.response_events (
    attempt_id, question_id, lease, revision, answer, marked_for_review, time_spent_ms,
    confidence, language, late, received_at)
  select attempt_id, question_id, lease, revision, answer::jsonb, marked_for_review, time_spent_ms,
    confidence, language, decision = 'late', arrived_at
  from incoming where is_taken
  -- Two transactions that insert the same rows in opposite order would wait for each other.
  order by attempt_id, question_id, revision
  -- What was late and arrives again in time, because the deadline was moved, is stored as new.
  on conflict (attempt_id, question_id, lease, revision) do update
    set answer = excluded.answer, marked_for_review = excluded.marked_for_review,
      time_spent_ms = excluded.time_spent_ms, confidence = excluded.confidence,
      language = excluded.language, late = false, received_at = excluded.received_at
    where response_events.late and not excluded.late
  returning attempt_id, question_id, revision
), inserted_of as (
  select attempt_id, array_agg(question_id) as questions, array_agg(revision) as revisions
  from inserted group by attempt_id
), found_of as (
  -- The events that the new ones are compared with, as they were before the insert: at most two for each
  -- response, so that a long log does not make saves slower. They are joined: no sub-select of a statement
  -- that locks rows may read partitions (docs/decisions/0104).
  select incoming.attempt_id, jsonb_agg(event) filter (where event is not null)::text as log
  from incoming
  -- The standing answer of the question, if it is as new as the response or newer.
  left join lateral (
    select * from ias.response_events
    where attempt_id = incoming.attempt_id and question_id = incoming.question_id and not late
      and (lease, revision) >= (incoming.lease, incoming.revision)
    order by lease desc, revision desc limit 1
  ) as latest on true
  -- The event of the same lease and revision. Read only for late attempts, or if an event that is as new or
  -- newer stands and this one is not kept as late.
  left join lateral (
    select * from ias.response_events
    where attempt_id = incoming.attempt_id and question_id = incoming.question_id
      and lease = incoming.lease and revision = incoming.revision
    limit 1
  ) as same on incoming.decision = 'late' or not same.late and latest.attempt_id is not null
  cross join lateral (values (to_jsonb(latest)), (to_jsonb(same))) as compared(event)
  group by incoming.attempt_id
)
select place, decision, status, deadline_at, questions, revisions, log
from attempt left join inserted_of using (attempt_id) left join found_of using (attempt_id)
"""

SAVE_SKIP_LOCKED = SAVE.replace("for key share", "for key share skip locked")
"""The same for attempts that nobody has locked for a change. The others have no row in the result."""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """One response as it goes into the log."""

    question_id: UUID
    revision: int
    answer: Any
    marked_for_review: bool
    time_spent_ms: int
    confidence: str | None
    language: str | None


@dataclass(frozen=True, slots=True)
class SaveRequest:
    """Which attempt takes which responses, under which lease, and when they arrived.

    An attempt that is open takes no new responses to `closed_questions`: their sections are closed. Without
    `takes_new` none is stored at all; the outcome still says what the log has. `given_time` is what
    `closed_questions` was computed from (`given_time_of`); None if the paper has no timed sections.
    """

    attempt: AttemptRef
    lease: int
    events: Sequence[NewEvent]
    arrived_at: datetime
    grace: timedelta
    closed_questions: Collection[UUID] = ()
    takes_new: bool = True
    given_time: str | None = None


Identity = tuple[UUID, int, int]
"""Question, lease and revision: what makes an event the same event, within its attempt."""


Decision = Literal["open", "late", "closed", "packed", "moved", "unknown_lease", "banned"]
"""How an attempt takes the responses of a request. Only open and late attempts store any.

`packed` is a closed attempt whose log is packed. A `moved` attempt has another extra time than the
`given_time` of the request says. `unknown_lease` is a lease that no device has got. `banned` is the person.
"""


@dataclass(frozen=True, slots=True)
class SaveOutcome:
    """What the statement found and did.

    `log` has the events that the responses are compared with. Older ones are left out. Of a packed log it has
    nothing: see `AttemptRepository.packed_log`. `late` has those of the same lease and revision that had been
    kept as late before; it is empty unless the decision is late.
    """

    decision: Decision
    status: str
    deadline_at: datetime
    inserted: frozenset[Identity]
    log: Sequence[Mapping[str, Any]]
    late: Sequence[Mapping[str, Any]] = ()


def given_time_of(attempt: Attempt) -> str:
    """The extra time and the additions of an attempt, in the form in which the statement compares them."""
    return orjson.dumps([attempt.accommodation_seconds, attempt.additions]).decode()


def arguments_of(requests: Sequence[SaveRequest]) -> list[list[Any]]:
    """The arguments of the statement, for requests of different attempts."""
    attempts = [
        (
            place,
            request.attempt.id,
            request.attempt.scope.test_id,
            request.attempt.scope.exam_paper_id,
            request.attempt.user_id,
            request.lease,
            request.arrived_at,
            request.arrived_at - request.grace,  # An attempt whose deadline is before this is over.
            request.takes_new,
            request.given_time,
        )
        for place, request in enumerate(requests)
    ]
    events = [
        (
            place,
            event.question_id,
            event.revision,
            None if event.answer is None else orjson.dumps(event.answer).decode(),
            event.marked_for_review,
            event.time_spent_ms,
            event.confidence,
            event.language,
            event.question_id in request.closed_questions,
        )
        for place, request in enumerate(requests)
        for event in _distinct(request.events)
    ]
    return [list(column) for rows in (attempts, events) for column in zip(*rows, strict=True)]


def outcomes_of(requests: Sequence[SaveRequest], rows: Iterable[Any]) -> list[SaveOutcome | None]:
    """The outcome of each request; None where the statement has found no such attempt."""
    outcomes: list[SaveOutcome | None] = [None] * len(requests)
    for row in rows:
        place, decision, status, deadline_at, questions, revisions, log = row
        lease = requests[place].lease
        inserted = zip(questions or (), revisions or (), strict=True)
        found = orjson.loads(log) if log else ()
        outcomes[place] = SaveOutcome(
            decision,
            status,
            deadline_at,
            frozenset((question, lease, revision) for question, revision in inserted),
            [entry for entry in found if not entry["late"]],
            [entry for entry in found if entry["late"]],
        )
    return outcomes


def has_events_of_others(request: SaveRequest, outcome: SaveOutcome) -> bool:
    """Whether another request stored some of these events after the snapshot. Then run the statement again.

    Such an event was neither inserted nor found: the insert has waited for the other request.
    """
    if not request.takes_new or outcome.decision not in ("open", "late"):
        return False
    closed_questions = request.closed_questions if outcome.decision == "open" else ()
    known = outcome.inserted.union(map(identity, outcome.log), map(identity, outcome.late))
    return any(
        (event.question_id, request.lease, event.revision) not in known
        for event in request.events
        if event.question_id not in closed_questions
    )


def merged(first: SaveOutcome, second: SaveOutcome | None) -> SaveOutcome | None:
    """The outcome of a request whose statement ran twice.

    What the first run inserted is new, although the second run finds it in the log.
    """
    if second is None or second.decision != first.decision:
        return second
    log, late = (
        [entry for entry in entries if identity(entry) not in first.inserted]
        for entries in (second.log, second.late)
    )
    return replace(
        first,
        inserted=first.inserted | second.inserted,
        log=[*first.log, *log],
        late=[*first.late, *late],
    )


def identity(entry: Mapping[str, Any]) -> Identity:
    """The identity of an event of `SaveOutcome.log`."""
    return UUID(entry["question_id"]), entry["lease"], entry["revision"]


def _distinct(events: Sequence[NewEvent]) -> Sequence[NewEvent]:
    """The first of each question and revision: what is sent twice in one request is logged once."""
    if len(events) == 1:
        return events
    return list({(event.question_id, event.revision): event for event in reversed(events)}.values())[::-1]
