"""What a blank counts as: how often a blind guess is right, and whether the question was asked for at all."""

from collections.abc import Sequence

from sqlalchemy import CTE, ColumnElement, Uuid, and_, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import JSONB

from app.engine.question_types import question_type
from app.models import Paper, PaperQuestion, QuestionVersion

OPTION_IDS = func.jsonb_path_query_array(
    QuestionVersion.options, literal_column("'$[*].id'"), type_=JSONB
).label("option_ids")
"""The ids of the options that a version of a question has, as a column."""

_OPTIONAL = "'$.sections[*] ? (@.choose < @.question_ids.size()).question_ids[*]'"


def optional_questions(*papers: ColumnElement[bool]) -> CTE:
    """The questions of sections that ask for fewer than they have, as `paper_id` and `question_id`.

    `papers` are conditions on rows of papers.
    """
    found = func.jsonb_path_query(Paper.rules, literal_column(_OPTIONAL), type_=JSONB).op("#>>")(
        literal_column("'{}'")
    )
    columns = Paper.id.label("paper_id"), cast(found, Uuid).label("question_id")
    return select(*columns).where(*papers).cte("optional")


def is_place(optional: CTE) -> ColumnElement[bool]:
    """The condition that joins `optional_questions` to the questions of papers."""
    return and_(
        optional.c.paper_id == PaperQuestion.paper_id, optional.c.question_id == PaperQuestion.question_id
    )


def guess_share(type_name: str, option_ids: Sequence[str]) -> float:
    """How often a blind guess at a question of the bank is right, by its type and `OPTION_IDS`."""
    kind = question_type(type_name)
    return kind.guess_share(kind.option_ids([{"id": option_id} for option_id in option_ids]))
