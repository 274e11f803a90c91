"""Roll numbers that nobody has: which registered ones they resemble."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

UnknownRollNumbers = Literal["auto", "accept", "error"]
"""What becomes of an answer sheet whose roll number is not registered: a new registration, or an error.

With `auto` it is an error if anybody is registered for the exam otherwise than by an answer sheet.
"""

MAX_LISTED = 3
_CONFUSED = str.maketrans({"o": "0", "i": "1", "l": "1", "|": "1", **dict.fromkeys(" -_/.", "")})


def read_alike(roll_number: str) -> str:
    """Return a form that is equal for numbers that people and spreadsheets confuse.

    They confuse O and 0, I or l and 1, write hyphens or not, lose leading zeros, and write 1001 as 1001.0.
    """
    text = roll_number.casefold().strip()
    whole = text.removesuffix(".0") if text.removesuffix(".0").isdigit() else text
    return whole.translate(_CONFUSED).lstrip("0") or "0"


@dataclass(frozen=True, slots=True)
class Resemblance:
    """Registered roll numbers that a wrong one may stand for: it reads like them, or differs in one place."""

    numbers: tuple[str, ...]
    reads_alike: bool


class RegisteredNumbers:
    """The roll numbers of an exam, found by numbers that are almost the same."""

    def __init__(self, registered: Collection[str], in_file: Collection[str]) -> None:
        """`in_file` are the roll numbers of the file. Those that it lacks are named first."""
        self._in_file = in_file
        self._alike: dict[str, list[str]] = {}
        self._shortened: dict[str, set[str]] = {}
        for number in registered:
            self._alike.setdefault(read_alike(number), []).append(number)
        for form in self._alike:
            for short in _shortened(form):
                self._shortened.setdefault(short, set()).add(form)

    def resembling(self, roll_number: str) -> Resemblance:
        """Return what an unknown number resembles.

        Two numbers differ in one place if one character was changed, added, left out, or exchanged with the
        next one. Then they are equal once one character of each is left out.
        """
        form = read_alike(roll_number)
        if alike := self._alike.get(form):
            return Resemblance(self._named(alike), reads_alike=True)
        near = set().union(*(self._shortened.get(short, ()) for short in _shortened(form)))
        found = [number for each in near if _differ_once(form, each) for number in self._alike[each]]
        return Resemblance(self._named(found), reads_alike=False)

    def _named(self, numbers: Collection[str]) -> tuple[str, ...]:
        return tuple(sorted(numbers, key=lambda number: (number in self._in_file, number))[:MAX_LISTED])


def _shortened(form: str) -> Iterator[str]:
    """Yield the form itself, and the form without each of its characters."""
    yield form
    for place in range(len(form)):
        yield form[:place] + form[place + 1 :]


def _differ_once(one: str, two: str) -> bool:
    """Whether one edit turns one into two: the rest behind the first difference is equal."""
    place = next(
        (at for at, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), min(len(one), len(two))
    )
    rest, other = one[place:], two[place:]
    exchanged = len(rest) > 1 and rest[1] + rest[0] + rest[2:] == other
    return rest[1:] == other or rest == other[1:] or rest[1:] == other[1:] or exchanged
