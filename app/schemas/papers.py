"""The paper as candidates are served it. `services/tests/compiling.py` writes the JSON, without these models.

They describe it in the OpenAPI document. A test holds them against papers that are served.
"""

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from app.schemas.common import LocalizedText, Out
from app.schemas.question_keys import QuestionTypeName


def _is_absent(text: str | None) -> bool:
    return text is None


class PaperImage(Out):
    """An image of a question or passage. `url` begins with `/v1`, after the server's address."""

    id: UUID
    content_type: str
    width: int
    height: int
    url: str


class PaperSection(Out):
    """A section. Timed sections have `duration_seconds`. `choose` is how many questions count, if not all."""

    id: UUID
    name: LocalizedText
    duration_seconds: int | None
    locked: bool
    choose: int | None
    question_ids: list[UUID]


class PaperPassage(Out):
    """A text that several questions share."""

    id: UUID
    text: LocalizedText
    media: list[PaperImage]


class PaperOption(Out):
    """An option, in the author's order. The order of your attempt is in its `option_orders`."""

    id: str
    text: LocalizedText


class PaperQuestion(Out):
    """A question without its key. Marks are exact; `negative_marks` are signed."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    id: UUID
    number: int
    type: QuestionTypeName
    text: LocalizedText
    options: list[PaperOption]
    marks: Annotated[str, Field(examples=["2"])]
    negative_marks: Annotated[str, Field(examples=["-2/3"])]
    unattempted_marks: Annotated[
        str | SkipJsonSchema[None],
        Field(description="Absent where no answer means no marks", exclude_if=_is_absent),
    ] = None
    not_attempted_option: Annotated[
        str | SkipJsonSchema[None],
        Field(
            description='The option that means "not attempted". Absent where none does', exclude_if=_is_absent
        ),
    ] = None
    passage_id: UUID | None
    media: list[PaperImage]


class Paper(Out):
    """The paper of an attempt: texts in all languages of the test, and no key."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    test_id: UUID
    paper_version: int
    title: LocalizedText
    languages: list[str]
    duration_seconds: int
    most_unmarked_percent: Annotated[
        str | SkipJsonSchema[None],
        Field(description="Absent where questions may be left without a mark", exclude_if=_is_absent),
    ] = None
    sections: list[PaperSection]
    passages: list[PaperPassage]
    questions: list[PaperQuestion]
