"""What types with options have in common: the options of a question, and marks on an answer sheet."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from app.engine.question_types.base import AnswerReader, ContentProblem, Option
from app.sentences import Sentence

MAX_OPTIONS = 20
MAX_ID_LENGTH = 20

_SEPARATORS = re.compile(r"[\s,;|/+&]+")


def repeated_ids(options: Sequence[Option]) -> Iterator[ContentProblem]:
    """Options that have the id of an option before them."""
    seen: Counter[str] = Counter()
    for place, option in enumerate(options):
        seen[option["id"]] += 1
        if seen[option["id"]] > 1:
            yield ContentProblem(
                f"options.{place}.id", Sentence('Another option has the id "{id}".', id=option["id"])
            )


def no_options(title: str, options: Sequence[Option]) -> Iterator[ContentProblem]:
    """The problem of options in a type that has none."""
    if options:
        yield ContentProblem(
            "options",
            Sentence(
                "A {type} question has no options of its own. Delete them, or choose another type.",
                type=Sentence(title),
            ),
        )


def marks_reader(option_ids: Sequence[str], other_names: dict[str, str]) -> AnswerReader:
    """Reads `BD`, `b,d` or `d b` as the marked options; `other_names` are names beside the ids."""
    names = {option_id.casefold(): option_id for option_id in option_ids} | other_names
    has_letters = any(len(name) == 1 for name in names)
    known = ", ".join(option_ids)

    def read(text: str) -> tuple[str, ...]:
        marked: list[str] = []
        for part in _SEPARATORS.split(text.casefold()):
            # "bd" is two letters, unless an option has this id.
            marked += [part] if part in names or not has_letters else list(part)
        if unknown := [name for name in marked if name not in names]:
            sentence = 'There is no option "{unknown}". The question has: {known}.'
            raise ValueError(Sentence(sentence, unknown=unknown[0][:20], known=known))
        options = [names[name] for name in marked]
        if not options:
            raise ValueError(
                Sentence(
                    "Write the marked options, of {known}. Write NA where nothing is marked.", known=known
                )
            )
        if len(set(options)) < len(options):
            raise ValueError("Name each option only once.")
        return tuple(sorted(options, key=option_ids.index))

    return read
