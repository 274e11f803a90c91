"""A document as candidates are served it, and its key, for printing."""

from typing import Any

Json = dict[str, Any]


def question(number: int, **changes: Any) -> Json:
    """A question with two options."""
    options = [{"id": name, "text": {"en": f"Option {name}", "hi": f"विकल्प {name}"}} for name in "ab"]
    return {
        "id": f"q{number}",
        "number": number,
        "type": "single_choice",
        "text": {"en": f"Question {number}?", "hi": f"प्रश्न {number}?"},
        "options": options,
        "marks": "2",
        "negative_marks": "-2/3",
        "passage_id": None,
        "media": [],
    } | changes


def section(name: str, questions: list[Json], **changes: Any) -> Json:
    ids = [each["id"] for each in questions]
    return {
        "id": name,
        "name": {"en": name},
        "duration_seconds": None,
        "choose": None,
        "question_ids": ids,
    } | changes


def document(*sections: tuple[list[Json], Json], **changes: Any) -> Json:
    """A paper of these sections, each given by its questions and what is special about it."""
    return {
        "paper_version": 3,
        "title": {"en": "Mock", "hi": "मॉक"},
        "languages": ["en", "hi"],
        "duration_seconds": 7200,
        "sections": [
            section(f"Section {position}", questions, **special)
            for position, (questions, special) in enumerate(sections, start=1)
        ],
        "passages": [],
        "questions": [each for questions, _ in sections for each in questions],
    } | changes


def keyed(*keys: Json) -> Json:
    """The key of questions 1, 2, …"""
    return {
        f"q{number}": {"key": key, "explanation": {"en": f"Because {number}."}}
        for number, key in enumerate(keys, start=1)
    }
