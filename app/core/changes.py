"""Changes of stored things as typed commands: a field that is not given stays as it is.

A command is a frozen dataclass whose fields have the default UNCHANGED. None is a value: it empties a field.
"""

from dataclasses import fields
from enum import Enum
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")


class Unchanged(Enum):
    """The type of UNCHANGED."""

    UNCHANGED = "unchanged"


UNCHANGED: Final = Unchanged.UNCHANGED


def changed(given: T | Unchanged, current: T) -> T:
    """The value of a field after a change."""
    return current if isinstance(given, Unchanged) else given


def changed_fields(changes: "DataclassInstance") -> list[str]:
    """The names of the fields that a command gives, sorted."""
    return sorted(
        field.name for field in fields(changes) if not isinstance(getattr(changes, field.name), Unchanged)
    )
