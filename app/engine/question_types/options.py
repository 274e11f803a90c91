"""What types with options have in common: the options of a question, and marks on an answer sheet."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from app.engine.question_types.base import AnswerReader, ContentProblem, Option

MOST_OPTIONS = 20
LONGEST_ID = 20

_SEPARATORS = re.compile(r"[\s,;|/+&]+")


def repeated_ids(options: Sequence[Option]) -> Iterator[ContentProblem]:
    """Options that have the id of an option before them."""
    seen: Counter[str] = Counter()
    for place, option in enumerate(options):
        seen[option["id"]] += 1
        if seen[option["id"]] > 1:
            yield ContentProblem(f"options.{place}.id", f'another option has the id "{option["id"]}"')


def no_options(title: str, options: Sequence[Option]) -> Iterator[ContentProblem]:
    """The problem of options in a type that has none."""
    if options:
        yield ContentProblem("options", f"a {title} question has no options of its own")


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
            raise ValueError(f'there is no option "{unknown[0][:20]}"; the question has {known}')
        options = [names[name] for name in marked]
        if not options:
            raise ValueError(f"write the marked options, of {known}; NA where nothing is marked")
        if len(set(options)) < len(options):
            raise ValueError("an option is named twice")
        return tuple(sorted(options, key=option_ids.index))

    return read
