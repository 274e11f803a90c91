"""Corrections of registrations by staff."""

from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from app.schemas.auth import Name
from app.schemas.changes import Changes
from app.schemas.common import PageOut
from app.schemas.exams.exams import RegistrationOut
from app.schemas.exams.steering import Reason, RegrantedOut
from app.schemas.users import Category
from app.services.exams import Corrected, Correction


class RegistrationChangesIn(Changes):
    """What to correct, and why. `pwbd: null` means no benchmark disability."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"category": "obc", "reason": "Certificate 4711 was checked"}]}
    )
    may_be_null = frozenset({"pwbd"})

    name: Name | None = None
    category: Category | None = None
    pwbd: Annotated[int, Field(ge=1, le=5, description="Benchmark disability, 1 to 5")] | None = None
    reason: Reason

    @model_validator(mode="after")
    def _something_changes(self) -> Self:
        if self.model_fields_set == {"reason"}:
            raise ValueError("Send at least one of name, category and pwbd.")
        return self

    def correction(self) -> Correction:
        """The command for the service."""
        return Correction(**self.sent_fields())


class NoShowsOut(PageOut[RegistrationOut]):
    """A page of candidates who have started nothing. `count` is their number in all, for any `query`."""

    count: int


class CorrectedRegistrationOut(RegistrationOut):
    """A corrected registration. `attempts` lists those whose extra time has changed with the disability."""

    attempts: list[RegrantedOut]

    @classmethod
    def of_correction(cls, done: Corrected) -> Self:
        """The result of a correction."""
        attempts = [RegrantedOut.model_validate(each) for each in done.attempts]
        return cls(**dict(RegistrationOut.of(done.registration)), attempts=attempts)
