"""Images."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from app.models import Media
from app.schemas.common import Out
from app.services.questions.media import url_of


def _canonical(value: str) -> str:
    try:
        return str(UUID(value))
    except ValueError:
        raise ValueError("Send the id of an image: a UUID with hyphens.") from None


def _distinct(media_ids: list[str]) -> list[str]:
    if len(set(media_ids)) < len(media_ids):
        raise ValueError("List each image only once.")
    return media_ids


MediaId = Annotated[
    str,
    StringConstraints(strip_whitespace=False, min_length=36, max_length=36),
    AfterValidator(_canonical),
    Field(json_schema_extra={"format": "uuid"}),
]
MediaIds = Annotated[
    list[MediaId],
    Field(max_length=20, description="Images by id, in the order in which they are shown"),
    AfterValidator(_distinct),
]


class MediaOut(Out):
    """A stored image. `url` begins with `/v1`, after the server's address."""

    id: UUID
    content_type: str
    width: int
    height: int
    size_bytes: int
    url: str

    @classmethod
    def of(cls, media: Media) -> Self:
        """The image with its URL."""
        names = set(cls.model_fields) - {"url"}
        return cls(**{name: getattr(media, name) for name in names}, url=url_of(media))
