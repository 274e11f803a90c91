"""What changed in a question from one version to another."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.core.errors import NotFound
from app.engine.question_types import shown_key
from app.models import LocalizedText
from app.services.questions.bank import find, versions
from app.services.questions.content import Content, content_of
from app.services.unit_of_work import Reading
from app.services.users import Principal

_WITHHELD = ("key", "explanation")


@dataclass(frozen=True, slots=True)
class Change:
    """One field, as it was and as it is; None where it is not there."""

    field: str
    before: Any
    after: Any


async def compare(
    reads: Reading, reader: Principal, question_id: UUID, number: int, against: int
) -> list[Change]:
    """What is otherwise in version `number` than in version `against`."""
    shown = await find(reads, reader, question_id)
    said = {version.number: content_of(version) for version in await versions(reads, shown.question)}
    if number not in said or against not in said:
        raise NotFound("version")
    changes = differences(said[against], said[number])
    if shown.withheld:
        return [change for change in changes if change.field.partition(".")[0] not in _WITHHELD]
    return changes


def differences(before: Content, after: Content) -> list[Change]:
    """The fields that differ, each text by its language."""
    old, new = _flat(before), _flat(after)
    return [
        Change(name, old.get(name), new.get(name))
        for name in dict.fromkeys((*new, *old))
        if old.get(name) != new.get(name)
    ]


def _flat(content: Content) -> dict[str, Any]:
    return {
        "type": content.type,
        **_texts("text", content.text),
        "options": [option["id"] for option in content.options],
        **{
            name: text
            for option in content.options
            for name, text in _texts(f"options.{option['id']}.text", option["text"]).items()
        },
        "fixed_options": [option["id"] for option in content.options if option.get("fixed")],
        "key": shown_key(content.key),
        **_texts("explanation", content.explanation or {}),
        "difficulty": content.difficulty,
        "tags": content.tags,
        "passage_id": content.passage_id,
        "media": content.media,
    }


def _texts(name: str, text: LocalizedText) -> dict[str, str]:
    return {f"{name}.{language}": words for language, words in text.items()}
