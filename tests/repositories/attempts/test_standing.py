"""What stands in the log of responses: the statement equals the pure rule."""

from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from app.core.ids import uuid7
from app.engine.responses import Event, standing_answers
from app.models import ResponseEvent
from app.services.unit_of_work import UnitOfWork
from tests.thorough import count

QUESTIONS = [UUID(int=number) for number in range(4)]
Log = dict[tuple[UUID, int, int], tuple[Any, bool]]
"""By question, lease and revision: the answer, and whether it came too late."""

# Few leases and revisions, so that they meet; revisions of two digits, which are no texts.
logs = st.dictionaries(
    st.tuples(st.sampled_from(QUESTIONS), st.integers(1, 3), st.sampled_from([1, 2, 9, 10, 11])),
    st.tuples(st.sampled_from([["a"], ["b"], ["b", "a"], "3.14", None]), st.booleans()),
    max_size=30,
)


async def write(uow: UnitOfWork, log: Log) -> UUID:
    """A new attempt's id, under which the log has these events."""
    attempt_id = uuid7()
    rows = [
        {
            "attempt_id": attempt_id,
            "question_id": question_id,
            "lease": lease,
            "revision": revision,
            "answer": answer,
            "late": late,
        }
        for (question_id, lease, revision), (answer, late) in log.items()
    ]
    if rows:
        await uow.session.execute(insert(ResponseEvent), rows)
    return attempt_id


def expected(log: Log) -> dict[UUID, tuple[int, int, Any]]:
    """What stands by the pure rule, which late events are no part of."""
    in_time = [
        Event(question_id, lease, revision, tuple(answer) if isinstance(answer, list) else answer)
        for (question_id, lease, revision), (answer, late) in log.items()
        if not late
    ]
    return {
        question_id: (event.lease, event.revision, event.answer)
        for question_id, event in standing_answers(in_time).items()
    }


def as_rule(answer: Any) -> Any:
    return tuple(answer) if isinstance(answer, list) else answer


@settings(
    max_examples=count(25, 100),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # each example has attempts of its own
)
@given(written=st.lists(logs, min_size=1, max_size=3))
async def test_the_statement_equals_the_rule(uow: UnitOfWork, written: list[Log]) -> None:
    ids = [await write(uow, log) for log in written]
    gathered = await uow.grading.answers(ids)
    assert list(gathered) == ids
    for attempt_id, log in zip(ids, written, strict=True):
        rows = await uow.attempts.standing(attempt_id)
        standing = {row.question_id: (row.lease, row.revision, as_rule(row.answer)) for row in rows}
        assert standing == expected(log)
        answers = {UUID(question_id): as_rule(answer) for question_id, answer in gathered[attempt_id].items()}
        assert answers == {
            question_id: answer for question_id, (_, _, answer) in standing.items() if answer is not None
        }
