"""Warnings about updates that replace the key or most options of a question: it may be another question."""

import re
from collections.abc import Iterator
from fractions import Fraction

from app.core.comparable_text import exact
from app.engine.dropped_keys import dropped_to_cell
from app.models import Question
from app.services.questions.content import Content, Option
from app.sheets.reports import RowPlace, RowWarning

_MAX_SHOWN_LENGTH = 60
_NUMBER = re.compile(
    r"(?:₹|Rs\.?|\$)?\s*(?P<number>-?[0-9][0-9,]{0,30}(?:\.[0-9]{1,30})?)\s*(?P<percent>%)?", re.ASCII
)


def replacements(question: Question, before: Content, now: Content, row: RowPlace) -> Iterator[RowWarning]:
    """Warn of a replaced key, and of options of which more than half are replaced, with both versions."""
    if before.has_key and now.key != before.key:
        message = f"the key changes from {_key(before)} to {_key(now)}"
        yield row.warning("key", message, question.id)
    if before.options and 2 * _replaced(before.options, now.options) > len(before.options):
        message = (
            f"most options are replaced: {_shown(before.options)} becomes {_shown(now.options)}; if this is"
            " another question, give it another external_id, or another number"
        )
        column = next(iter(now.kind.column_of.values()), "question")
        yield row.warning(column, message, question.id)
    for column, was, said in _texts(before, now):
        if was != said and (value := _value(was)) is not None and value == _value(said):
            message = (
                f'"{was}" becomes "{said}": the same number in another form; if a spreadsheet has changed it,'
                " format the cell as text and type it again"
            )
            yield row.warning(column, message, question.id)


def _texts(before: Content, now: Content) -> Iterator[tuple[str, str, str]]:
    """The texts of options that both have, and their columns."""
    options = {option["id"]: option["text"] for option in before.options}
    for option in now.options:
        name = now.kind.column_of[option["id"]]
        for language, said in option["text"].items():
            if was := options.get(option["id"], {}).get(language):
                yield name if language == "en" else f"{name}_{language}", was, said


def _value(text: str) -> Fraction | None:
    """`001`, `1,00,000`, `₹500` and `41%` as numbers; None for any other text."""
    found = _NUMBER.fullmatch(text.strip())
    if found is None:
        return None
    number = Fraction(found["number"].replace(",", ""))
    return number / 100 if found["percent"] else number


def _key(content: Content) -> str:
    if content.is_dropped:
        return dropped_to_cell(content.key)
    return content.kind.key_to_cell(content.key) if content.has_key else "none"


def _replaced(before: list[Option], now: list[Option]) -> int:
    """How many options have none of their texts any more, in whichever place."""
    texts = {exact(text) for option in now for text in option["text"].values()}
    return sum(not any(exact(text) in texts for text in option["text"].values()) for option in before)


def _shown(options: list[Option]) -> str:
    texts = (option["text"].get("en") or next(iter(option["text"].values())) for option in options)
    return " / ".join(text[:_MAX_SHOWN_LENGTH] for text in texts)
