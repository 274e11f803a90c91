"""The institute."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from app.schemas.common import ONE_LINE, In, Out
from app.services.institutes import MAX_NAME_LENGTH


class InstituteChanges(In):
    """What may change in an institute."""

    name: Annotated[
        str,
        StringConstraints(min_length=1, max_length=MAX_NAME_LENGTH),
        ONE_LINE,
        Field(examples=["Saraswati IAS Academy"]),
    ]


class InstituteOut(Out):
    """The institute. `name` is printed on certificates, merit lists, result sheets and response sheets."""

    id: UUID
    name: str
