"""The shape of every error: RFC 9457 problem documents."""

from pydantic import BaseModel, ConfigDict, Field


class ProblemField(BaseModel):
    """One thing wrong with one field of the request."""

    field: str = Field(examples=["responses.3.answer"])
    message: str = Field(examples=["This field is required."])


class Problem(BaseModel):
    """What went wrong, for programs (`code`) and for people (`detail`). Some codes add members."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:ias:problem:not_found"])
    title: str = Field(examples=["Not found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["There is no such test, or you may not see it."])
    code: str = Field(examples=["not_found"])
    request_id: str | None = Field(description="Tell us this when you ask for help.")
    errors: list[ProblemField] | None = Field(default=None, description="What is wrong with which field.")
