"""The schema of errors: RFC 9457 problem documents."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class ProblemField(BaseModel):
    """An error in one field of the request."""

    field: str = Field(
        description="The path in the body as it was sent, or the name of a parameter or header;"
        " `body` for the body as a whole",
        examples=["responses.3.answer"],
    )
    message: str = Field(
        description="What is wrong and how to correct it, in the language of `Content-Language`",
        examples=["This field is required."],
    )
    question_id: UUID | None = Field(
        default=None, description="The question whose response is wrong, when answers are saved."
    )


class Problem(BaseModel):
    """An error, for programs (`code`) and for people. Some codes have additional members.

    `title`, `detail` and messages are in English or Hindi, by the request's `Accept-Language`.
    """

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:ias:problem:not_found"])
    title: str = Field(examples=["Not found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["There is no such test, or you may not see it."])
    code: str = Field(examples=["not_found"])
    request_id: str | None = Field(description="Include this when you report the problem.")
    errors: list[ProblemField] | None = Field(default=None, description="Errors by field.")
