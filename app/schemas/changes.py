"""Base class for the body of a PATCH."""

from typing import Any, ClassVar, Self

from pydantic import model_validator

from app.schemas.common import In
from app.sentences import Sentence


class Changes(In):
    """Fields to change. Fields that are left out do not change; null clears an optional field."""

    may_be_null: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="after")
    def _nothing_required_is_emptied(self) -> Self:
        for name in sorted(self.model_fields_set - self.may_be_null):
            if getattr(self, name) is None:
                raise ValueError(
                    Sentence("{name} cannot be null. Leave it out to keep its value.", name=name)
                )
        return self

    def sent_fields(self) -> dict[str, Any]:
        """The fields that were sent."""
        return self.model_dump(exclude_unset=True)
