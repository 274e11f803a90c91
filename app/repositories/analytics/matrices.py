"""The results of a cohort at one paper in bulk, for statistics of tests.

`matrix_arrays.py` makes numpy arrays of them. It is imported when results are loaded: the API imports this
module, and has no other use for numpy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import text

from app.engine.question_types import QuestionType
from app.engine.scoring import PaperKey
from app.repositories.analytics.marked_again import GroupMarker
from app.repositories.base import Repository

if TYPE_CHECKING:
    from app.repositories.analytics.matrix_arrays import Matrix

ROWS_AT_ONCE = 2_000

# `number > 0` opens an index: see `Attempt`. `array_send` is the binary form of an array. There is no order:
# PostgreSQL would sort rows of more than a kilobyte each on disk. `MatrixBuilder` sorts the arrays.
RESULTS = text(
    """
    select attempt.id, result.key_id, result.marks, result.marks_denominator, result.outcomes,
      result.answers::text as answers,
      coalesce(registration.category, account.category) as category,
      case when registration.id is null then account.pwbd else registration.pwbd end is not null as pwbd,
      figures.language, array_send(figures.spent_ms) as spent_ms
    from ias.attempts as attempt
    join ias.results as result on result.attempt_id = attempt.id
    left join ias.registrations as registration on registration.id = attempt.registration_id
    left join ias.users as account on account.id = attempt.user_id
    left join ias.attempt_figures as figures on figures.attempt_id = attempt.id
    where attempt.test_id = :test_id and attempt.number > 0 and attempt.paper_id = :paper_id
      and result.cohort_id = :cohort_id and result.counted
      and mod(abs(hashtext(attempt.id::text)::bigint), :parts) = 0
    """
)


@dataclass(frozen=True, slots=True)
class Group:
    """The results of one cohort at one paper, and the latest version of the key that has marked one of them.

    They are the first official results of candidates: no practice, nothing void, nobody of the staff.
    """

    test_id: UUID
    cohort_id: UUID
    paper_id: UUID
    key_id: UUID
    results: int


@dataclass(frozen=True, slots=True)
class Column:
    """A question of the paper: its type, and its options in the order of the paper."""

    question_id: UUID
    type: QuestionType
    option_ids: tuple[str, ...]

    @property
    def choices(self) -> Sequence[str]:
        """The options that are counted; none if an answer is not a choice of options."""
        return self.type.choices(self.option_ids)


class MatrixRepository(Repository):
    """Results in bulk. The caller asks the embargo before anything of them is shown."""

    async def load(
        self, group: Group, columns: Sequence[Column], rules: PaperKey, most: int = 100_000
    ) -> "Matrix":
        """The results of a group, all marked by its key, `rules`.

        Of more than `most`, an even sample of about as many.
        """
        from app.repositories.analytics.matrix_arrays import MatrixBuilder  # noqa: PLC0415 -- numpy

        builder, marker = MatrixBuilder(columns), GroupMarker(group.key_id, rules)
        values = {
            "test_id": group.test_id,
            "paper_id": group.paper_id,
            "cohort_id": group.cohort_id,
            "parts": -(-group.results // most) or 1,
        }
        stream = await self._session.stream(RESULTS.execution_options(yield_per=ROWS_AT_ONCE), values)
        async for rows in stream.partitions(ROWS_AT_ONCE):
            builder.add(rows, await marker.marked(rows))
        return builder.matrix()
