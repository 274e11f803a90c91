"""Checks of query parameters, form fields and UUIDs that FastAPI does not make.

FastAPI ignores parameters that an operation does not have, and all values but the last of a repeated one. A
filter with a spelling mistake would then return everything, and a misspelled `dry_run` would import.
"""

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Self, get_args, get_origin
from uuid import UUID

from fastapi import Depends
from fastapi.dependencies.models import Dependant
from starlette.datastructures import ImmutableMultiDict
from starlette.requests import Request

from app.api.payloads import MAX_ERRORS, dotted
from app.api.validation_messages import NOT_A_UUID
from app.core.errors import FieldError, Invalid
from app.sentences import Sentence

MAX_LENGTH_FOR_SUGGESTION = 40
"""Names that are longer get no suggestion: the comparison takes time that grows with the square."""
UUID_LENGTH = 36
"""The form with hyphens. Pydantic also accepts forms without hyphens, in braces, and with `urn:uuid:`."""


async def any_query() -> None:
    """Mark an operation that ignores unknown query parameters."""


IGNORES_UNKNOWN_PARAMETERS = Depends(any_query)
"""For operations that other programs call with parameters of their own.

These are health probes, monitoring and mail programs.
"""


@dataclass(frozen=True, slots=True)
class Parameters:
    """The names of an operation's parameters, and which of them may be repeated or are UUIDs."""

    known: Collection[str]
    repeatable: Collection[str]
    uuids: Collection[str]

    @classmethod
    def of(cls, fields: Iterable[Any]) -> Self:
        """The parameters of FastAPI's fields."""
        types = {field.alias: set(_types(field.field_info.annotation)) for field in fields}
        return cls(
            known=tuple(types),
            repeatable=frozenset(name for name, kinds in types.items() if list in kinds),
            uuids=frozenset(name for name, kinds in types.items() if UUID in kinds),
        )

    def errors(self, given: ImmutableMultiDict[str, Any]) -> Iterator[FieldError]:
        """An error for each parameter that is unknown, or is repeated and may not be."""
        counts: dict[str, int] = {}
        for name, _ in given.multi_items():
            counts[name] = counts.get(name, 0) + 1
        for name, count in counts.items():
            if name not in self.known:
                yield FieldError(dotted((name,)), self._unknown(name))
            elif count > 1 and name not in self.repeatable:
                yield FieldError(dotted((name,)), "Send this parameter only once.")

    def uuid_errors(self, given: Mapping[str, Any]) -> Iterator[FieldError]:
        """An error for each UUID that is in another form than the usual one."""
        for name in self.uuids:
            if len(given.get(name, "")) not in (0, UUID_LENGTH):
                yield FieldError(name, NOT_A_UUID)

    def _unknown(self, name: str) -> str:
        if not self.known:
            return Sentence("There is no such parameter. This operation has none.")
        if len(name) <= MAX_LENGTH_FOR_SUGGESTION and (
            near := difflib.get_close_matches(name, self.known, 1)
        ):
            return Sentence("There is no such parameter. Did you mean {name}?", name=near[0])
        known = ", ".join(sorted(self.known))
        return Sentence("There is no such parameter. Known ones: {known}.", known=known)


class ParameterCheck:
    """The check of one operation.

    It runs after authorization, so that only people who may call the operation learn its parameter names.
    """

    def __init__(self, dependant: Dependant) -> None:
        dependants = list(_all(dependant))
        self._query = Parameters.of(field for each in dependants for field in each.query_params)
        self._path = Parameters.of(field for each in dependants for field in each.path_params)
        self.form = Parameters.of(dependant.body_params)
        self._ignores_unknown = any(each.call is any_query for each in dependants)

    def __call__(self, request: Request) -> None:
        """Raise Invalid if a query parameter is unknown or repeated, or a UUID has another form."""
        errors = list(self._path.uuid_errors(request.path_params))
        if request.scope["query_string"]:
            query = request.query_params
            if not self._ignores_unknown:
                errors += islice(self._query.errors(query), MAX_ERRORS)
            if not errors:
                errors += self._query.uuid_errors(query)
        if errors:
            raise Invalid("The request is not valid.", errors=errors)


def _all(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for each in dependant.dependencies:
        yield from _all(each)


def _types(annotation: Any) -> Iterator[Any]:
    """The types of an annotation and of the members of a union."""
    yield get_origin(annotation) or annotation
    for member in get_args(annotation):
        yield get_origin(member) or member
