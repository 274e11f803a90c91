"""Warnings about updates that replace the key or most options of a question: it may be another question."""

from collections.abc import Iterator

from app.core.comparable_text import exact
from app.engine.dropped_keys import dropped_to_cell
from app.models import Question
from app.services.questions.content import Content, Option
from app.sheets.reports import RowWarning

_LONGEST_SHOWN = 60


def replacements(question: Question, before: Content, now: Content, row: int) -> Iterator[RowWarning]:
    """Warn of a replaced key, and of options of which more than half are replaced, with both versions."""
    if before.has_key and now.key != before.key:
        message = f"the key changes from {_key(before)} to {_key(now)}"
        yield RowWarning(row, "key", message, question.id)
    if before.options and 2 * _replaced(before.options, now.options) > len(before.options):
        message = (
            f"most options are replaced: {_shown(before.options)} becomes {_shown(now.options)}; if this is"
            " another question, give it another external_id, or another number"
        )
        column = next(iter(now.kind.column_of.values()), "question")
        yield RowWarning(row, column, message, question.id)


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
    return " / ".join(text[:_LONGEST_SHOWN] for text in texts)
