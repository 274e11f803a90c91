"""What a blank counts as: how often a blind guess at a question of the bank is right."""

from collections.abc import Sequence

from sqlalchemy import func, literal_column
from sqlalchemy.dialects.postgresql import JSONB

from app.engine.question_types import question_type
from app.models import QuestionVersion

OPTION_IDS = func.jsonb_path_query_array(QuestionVersion.options, literal_column("'$[*].id'"), type_=JSONB)
"""The ids of the options that a version of a question has, as a column."""


def guess_share(type_name: str, option_ids: Sequence[str]) -> float:
    """How often a blind guess at a question of the bank is right, by its type and `OPTION_IDS`."""
    kind = question_type(type_name)
    return kind.guess_share(kind.option_ids([{"id": option_id} for option_id in option_ids]))
