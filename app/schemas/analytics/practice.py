"""What somebody wants to practise."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from app.schemas.common import In
from app.services.analytics.practice import PracticeRequest


class PracticeIn(In):
    """A practice test of your own: of a recommendation, or of a subject or a chapter of it.

    Without `count` it has 10 questions, or those of the recommendation, or fewer if there are fewer. With
    `adaptive` the questions suit your ability; a revision has the questions that are due in any case.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"subject_id": "01970000-0000-7000-8000-000000000001", "count": 10, "adaptive": True}
            ]
        }
    )

    recommendation_id: UUID | None = None
    subject_id: UUID | None = None
    chapter_id: UUID | None = None
    count: Annotated[int | None, Field(ge=1, le=50)] = None
    adaptive: bool = False

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if (self.recommendation_id is None) == (self.subject_id is None):
            raise ValueError("Send either recommendation_id or subject_id.")
        if self.chapter_id is not None and self.subject_id is None:
            raise ValueError("Send chapter_id only together with subject_id.")
        return self

    def request(self) -> PracticeRequest:
        """The command for the service."""
        return PracticeRequest(
            self.recommendation_id, self.subject_id, self.chapter_id, self.count, self.adaptive
        )
