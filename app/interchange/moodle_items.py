"""What the formats of Moodle have in common: categories, names, and the parts of a question that is read."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.engine.question_types import NO_KEY, Interaction
from app.interchange.errors import UnsupportedQuestion
from app.interchange.items import Choice, Item, Place, Remark, Texts
from app.interchange.moodle_answers import Answered
from app.interchange.moodle_texts import read_text

_ROOTS = ("$course$", "$system$", "$cat1$", "$category$", "$module$", "top")
_SEPARATOR = re.compile(r"(?<!/)/(?!/)")
_MAX_LEVELS = 2

Extra = dict[str, Any]
"""What Moodle has no place for, as JSON: see `extra_of`."""


@dataclass(slots=True)
class MoodleReading:
    """The reading of one question: texts are read through it, and it keeps what was lost."""

    language: str
    format: str
    images: list[str] = field(default_factory=list)
    not_kept: list[str] = field(default_factory=list)

    def text(self, raw: str, text_format: str | None = None, *, images: bool = False) -> Texts:
        """Read a text. Raises UnsupportedQuestion if the bank cannot hold a part of it."""
        found = read_text(raw, text_format or self.format, self.language)
        if found.not_held:
            raise UnsupportedQuestion(f"it has {', '.join(found.not_held)}")
        if found.images and not images:
            raise UnsupportedQuestion(f'it has the image "{found.images[0]}" in an option or an explanation')
        self.images += (name for name in found.images if name not in self.images)
        self.not_kept += (what for what in found.not_kept if what not in self.not_kept)
        return found.texts


def categories_of(path: str) -> list[str]:
    """The names of a category's path. A slash within a name is written twice."""
    names = [name.replace("//", "/").strip() for name in _SEPARATOR.split(path)]
    while names and names[0].casefold() in _ROOTS:
        del names[0]
    return [name for name in names if name]


def path_of(categories: Sequence[str]) -> str:
    """The path of a category as Moodle writes it. Raises UnsupportedQuestion if it would read otherwise."""
    path = "/".join(["top", *(name.replace("/", "//") for name in categories)])
    if categories_of(path) != list(categories) or "\n" in path:
        raise UnsupportedQuestion(f'Moodle cannot have the category "{path[4:60]}"')
    return path


def subject_and_chapter(categories: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """The two levels that a question has, and a remark if there are more."""
    if len(categories) <= _MAX_LEVELS:
        return categories, []
    between = ", ".join(categories[1:-1])
    return (categories[0], categories[-1]), [f"the categories between subject and chapter ({between[:100]})"]


def check_key(item: Item) -> None:
    """Raise UnsupportedQuestion if a marked question has no key."""
    if item.interaction is not Interaction.ESSAY and (item.key == NO_KEY or "dropped" in item.key):
        raise UnsupportedQuestion("it has no key, or is dropped")


def extra_of(item: Item, **others: Any) -> Extra:
    """What Moodle has no place for. Moodle ignores it, and an import into the bank reads it."""
    fixed = [choice.id for choice in item.choices if choice.is_fixed]
    said = {
        "difficulty": item.difficulty,
        "status": item.status if item.status != "active" else None,
        "source": item.source,
        "number": item.source_number,
        "fixed": fixed,
        **others,
    }
    return {name: value for name, value in said.items() if value not in (None, [])}


def read_extra(text: str) -> Extra:
    """Read what `extra_of` has made; empty for anything else."""
    try:
        extra = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return (
        {name: extra[name] for name in _EXTRA if _EXTRA[name](extra.get(name))}
        if isinstance(extra, dict)
        else {}
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_ranges(value: Any) -> bool:
    return isinstance(value, list) and all(_is_texts(each) and len(each) == 2 for each in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


_EXTRA = {
    "difficulty": _is_text,
    "status": _is_text,
    "source": _is_text,
    "number": _is_number,
    "fixed": _is_texts,
    "order": _is_texts,
    "ranges": _is_ranges,
    "passage": _is_text,
}


def item_of(
    place: Place,
    answered: Answered,
    text: Texts,
    reading: MoodleReading,
    extra: Mapping[str, Any],
    **values: Any,
) -> Item:
    """The item of a question that was read."""
    fixed = extra.get("fixed", ())
    choices = [_fixed(choice, fixed) for choice in answered.choices]
    return Item(
        place,
        answered.interaction,
        text,
        choices,
        answered.key,
        difficulty=extra.get("difficulty"),
        source=extra.get("source"),
        source_number=extra.get("number"),
        images=reading.images,
        **values,
    )


def _fixed(choice: Choice, fixed: Sequence[str]) -> Choice:
    return replace(choice, is_fixed=True) if choice.id in fixed else choice


def title_remark(item: Item) -> Remark | None:
    """Say that the name of a question is not kept, unless its text or its id says the same."""
    title = " ".join(item.place.title.split()).rstrip(".… ")
    texts = [" ".join(text.split()) for text in item.text.values()]
    if not title or title == item.external_id or any(text.startswith(title) for text in texts):
        return None
    return Remark(item.place, "names of questions, such as this one")
