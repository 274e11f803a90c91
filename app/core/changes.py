"""Helpers for commands that change some fields of a stored object.

A command is a frozen dataclass whose fields have the default UNCHANGED. The value None clears a field.
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
    """The new value of a field: the given one, or the current one if none is given."""
    return current if isinstance(given, Unchanged) else given


def changed_fields(changes: "DataclassInstance") -> list[str]:
    """The sorted names of the fields that a command changes."""
    return sorted(
        field.name for field in fields(changes) if not isinstance(getattr(changes, field.name), Unchanged)
    )
