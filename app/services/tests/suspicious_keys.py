"""Keys of a test that an author should look at before publishing: they can be right, but seldom are."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.core.comparable_text import comparable
from app.core.errors import FieldError
from app.models import LocalizedText
from app.sentences import Sentence
from app.services.questions.content import MIN_EQUAL_KEYS, Content, content_of
from app.services.tests.compiling import Material

_MAX_SHOWN_LENGTH = 60


@dataclass(frozen=True, slots=True)
class _Placed:
    """A question of the test whose key names options."""

    number: int
    path: str
    content: Content


def suspicious_keys(material: Material) -> list[FieldError]:
    """Equal questions with different keys, and a test of which all keys are one letter."""
    placed = list(_placed(material))
    return [*_contradicting(placed), *_all_equal(placed)]


def _placed(material: Material) -> Iterator[_Placed]:
    number = 0
    for section_number, section in enumerate(material.test.sections):
        for place, entry in enumerate(section.questions):
            number += 1
            content = content_of(material.bank[entry.question_id][1])
            if content.kind.has_letters_as_key and content.has_accepted_answers:
                path = f"sections.{section_number}.question_ids.{place}"
                yield _Placed(number, path, content)


def _contradicting(placed: list[_Placed]) -> Iterator[FieldError]:
    first: dict[tuple[str, ...], tuple[_Placed, str]] = {}
    for each in placed:
        options = {option["id"]: _text(option["text"]) for option in each.content.options}
        said = (comparable(_text(each.content.text)), *sorted(map(comparable, options.values())))
        right = {options.get(name, name) for answer in each.content.key["accepted"] for name in answer}
        shown = ", ".join(sorted(right))[:_MAX_SHOWN_LENGTH]
        other, before = first.setdefault(said, (each, shown))
        if comparable(before) != comparable(shown):
            sentence = Sentence(
                'The questions {first} and {second} have the same text and options, but the keys "{one}" and'
                ' "{other}". Correct one of them.',
                first=other.number,
                second=each.number,
                one=before,
                other=shown,
            )
            yield FieldError(each.path, sentence)


def _all_equal(placed: list[_Placed]) -> Iterator[FieldError]:
    keys = {each.content.kind.key_to_cell(each.content.key) for each in placed}
    if len(placed) >= MIN_EQUAL_KEYS and len(keys) == 1:
        sentence = Sentence(
            'All {count} keys are "{key}". Compare them with the right answers.',
            count=len(placed),
            key=keys.pop(),
        )
        yield FieldError("sections", sentence)


def _text(text: LocalizedText) -> str:
    return (text.get("en") or next(iter(text.values()), "")).strip()
