"""Types and base classes that several schemas share.

Pydantic builds a model when it is used for the first time (`defer_build`): a process never uses most of them.
"""

from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    StringConstraints,
)
from pydantic_core import CoreSchema
from typing_extensions import TypeAliasType

from app.core.names import MAX_TITLE_LENGTH, checked, checked_lines
from app.engine.marks import parse_marks
from app.schemas.strict import strict
from app.sentences import Sentence

Item = TypeVar("Item", bound=BaseModel)


class In(BaseModel):
    """A request body. Texts are trimmed; unknown fields and values of another JSON type are refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Validate values strictly: see `schemas/strict.py`."""
        return strict(handler(source))


class NothingIn(In):
    """The body of a request without content: an empty object."""


_MAX_DEPTH = 4


def trimmed(value: Any, depth: int = 0) -> Any:
    """JSON with spaces taken from both ends of its texts, as `In` does for fields of a known type."""
    if depth > _MAX_DEPTH:
        raise ValueError("This value is nested too deeply.")
    if isinstance(value, list):
        return [trimmed(each, depth + 1) for each in value]
    if isinstance(value, dict):
        return {name.strip(): trimmed(each, depth + 1) for name, each in value.items()}
    return value.strip() if isinstance(value, str) else value


class Out(BaseModel):
    """A response, read from the attributes of the service's return value.

    All fields are sent, so that the OpenAPI document calls them required, also where they have defaults.
    """

    model_config = ConfigDict(
        from_attributes=True, json_schema_serialization_defaults_required=True, defer_build=True
    )


LocalizedText = TypeAliasType(
    "LocalizedText",
    Annotated[
        dict[str, str],
        Field(
            description="A text by language: the keys are BCP 47 tags",
            examples=[{"en": "Polity", "hi": "राजव्यवस्था"}],
        ),
    ],
)
"""A text in an answer. It has a name of its own in the OpenAPI document."""


class Named(Out):
    """Something that another object refers to, with its name."""

    id: UUID
    name: LocalizedText


class PageOut(Out, Generic[Item]):
    """One page of a list. Request the next with `cursor=next_cursor`, until it is null."""

    items: list[Item]
    next_cursor: str | None


MAX_LANGUAGES = 30
LanguageTag = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)]


Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=100)]
OptionId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,20}$")]


LocalizedTextIn = TypeAliasType(
    "LocalizedTextIn",
    Annotated[
        str | LocalizedText,
        Field(description="A text by language. A plain string means English", examples=[{"en": "Polity"}]),
    ],
)
"""A text in a request as the OpenAPI document describes it."""


def _english(value: Any) -> Any:
    # Checked here, because `max_length` would validate all of them first.
    if isinstance(value, dict) and len(value) > MAX_LANGUAGES:
        raise ValueError(Sentence("Write it in at most {most} languages.", most=MAX_LANGUAGES))
    return {"en": value} if isinstance(value, str) else value


ONE_LINE = AfterValidator(checked)
"""One line with at least one visible character. Limit its length with `StringConstraints`."""

SEVERAL_LINES = AfterValidator(checked_lines)
"""Several lines, without control characters."""

LocalizedName = Annotated[
    dict[
        LanguageTag,
        Annotated[
            str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_TITLE_LENGTH), ONE_LINE
        ],
    ],
    Field(min_length=1, max_length=MAX_LANGUAGES),
    BeforeValidator(_english, json_schema_input_type=LocalizedTextIn),
]
"""A short text by language; a plain string means English."""

Localized = Annotated[
    dict[
        LanguageTag, Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]
    ],
    Field(min_length=1, max_length=MAX_LANGUAGES),
    BeforeValidator(_english, json_schema_input_type=LocalizedTextIn),
]
"""A long text by language; a plain string means English."""


def _exact(value: str) -> str:
    parse_marks(value)
    return value


Marks = Annotated[str, AfterValidator(_exact), Field(max_length=24, examples=["2", "-2/3", "0.25"])]
"""An exact number of marks."""


def _percent(value: str) -> str:
    if Decimal(value) > 100:
        raise ValueError("A percentage is at most 100.")
    return value


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Percent = Annotated[
    str,
    BeforeValidator(_as_text),
    StringConstraints(pattern=r"^[0-9]{1,3}(\.[0-9]{1,2})?$"),
    AfterValidator(_percent),
]
"""A percentage with at most two decimals, documented as text. A number is accepted too."""
