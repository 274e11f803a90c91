"""The merit list."""

from typing import Self

from app.engine.merit import ExamOutcome
from app.repositories.exams import MeritRow
from app.schemas.common import Out
from app.schemas.exams.exams import CutoffOut, PaperResultOut
from app.schemas.users import Category


class MeritRowOut(Out):
    """A candidate in the merit list. `rank` is null unless `outcome` is `ranked`.

    `pwbd_rank` is the rank among the candidates with a benchmark disability.
    `total` is null for whoever missed a paper that counts. A paper that was missed or voided has no score.
    """

    rank: int | None
    roll_number: str
    name: str
    category: Category
    outcome: ExamOutcome
    category_rank: int | None
    pwbd: int | None
    pwbd_rank: int | None
    total: str | None
    percentile: float | None
    cutoff: CutoffOut | None
    papers: list[PaperResultOut]

    @classmethod
    def of(cls, row: MeritRow) -> Self:
        """A row of the merit list."""
        return cls.model_validate(row)
