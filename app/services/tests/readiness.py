"""Errors that prevent the publication of a draft, and texts that are missing in its languages."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.core.errors import FieldError
from app.engine.question_types import Reason, UnreadableQuestion, question_type
from app.engine.scoring import key_of
from app.models import Question, QuestionVersion, Test
from app.sentences import Sentence
from app.services.questions.content import reading_question
from app.services.tests.compiling import Material, answer_key_of, kept_of, rules_of, sources
from app.services.tests.papers import paper_key


def obstacles(material: Material, withheld: Container[UUID] = ()) -> list[FieldError]:
    """All errors that prevent publication.

    A question that is `withheld` from the author is an error. The keys are not checked then, because the
    result of the check would reveal something about the keys.
    """
    held = _withheld(material, withheld)
    found = [*held, *_unfit(material), *_lost_images(material)]
    return found or _unreadable(material) or _contradictions(material)


def language_gaps(material: Material) -> list[FieldError]:
    """Texts that are missing in a language of the test."""
    return [
        FieldError(f"{place}.{language}", Sentence("There is no text in {language}.", language=language))
        for place, text in _texts(material)
        for language in material.test.languages
        if language not in text
    ]


@dataclass(frozen=True, slots=True)
class KeptQuestion:
    """A question whose options are not all shuffled: those that keep their places, and why."""

    question_id: UUID
    number: int
    """The place in the paper, counted from 1."""
    option_ids: Sequence[str]
    reasons: Sequence[Reason]


def kept_questions(material: Material) -> list[KeptQuestion]:
    """The questions with options that keep their places; none if the test does not shuffle options."""
    places = [entry for section in material.test.sections for entry in section.questions]
    found = []
    for number, entry in enumerate(places, start=1):
        kept = kept_of(material.test, material.bank[entry.question_id][1])
        if kept.ids:
            found.append(KeptQuestion(entry.question_id, number, kept.ids, kept.reasons))
    return found


def prevailing_gaps(material: Material) -> list[FieldError]:
    """Texts that are missing in the prevailing language. They prevent publication."""
    prevailing = material.test.languages[0]
    return [gap for gap in language_gaps(material) if gap.field.endswith(f".{prevailing}")]


def _withheld(material: Material, withheld: Container[UUID]) -> list[FieldError]:
    return [
        FieldError(
            f"sections.{number}.question_ids.{place}", "The question is in an exam that is not released yet."
        )
        for number, section in enumerate(material.test.sections)
        for place, entry in enumerate(section.questions)
        if entry.question_id in withheld
    ]


def _unfit(material: Material) -> list[FieldError]:
    test, found = material.test, []
    if not any(section.questions for section in test.sections):
        found.append(FieldError("sections", "A test needs at least one question."))
    for number, section in enumerate(test.sections):
        if not section.questions:
            found.append(FieldError(f"sections.{number}.question_ids", "The section has no question."))
        for place, entry in enumerate(section.questions):
            if sentence := _unusable(test, *material.bank[entry.question_id]):
                found.append(FieldError(f"sections.{number}.question_ids.{place}", sentence))
    timed = [section.duration_seconds for section in test.sections if section.duration_seconds]
    if sum(timed) > test.duration_seconds:
        found.append(FieldError("duration_seconds", "The timed sections take longer than the test."))
    return found


_NOT_ACTIVE = {
    "draft": Sentence("The question is a draft. Complete it first."),
    "retired": Sentence("The question is retired."),
}


def _unusable(test: Test, question: Question, version: QuestionVersion) -> str | None:
    if question.status != "active":
        return _NOT_ACTIVE.get(question.status, Sentence("The question is not active."))
    try:
        kind = question_type(version.type)
        if not kind.is_marked:
            return Sentence("A {type} question cannot be marked yet.", type=Sentence(kind.title))
    except UnreadableQuestion as error:
        return str(error)
    option_id = test.marking.get("not_attempted_option")
    if kind.takes_not_attempted and option_id in kind.option_ids(version.options):
        return Sentence(
            'The question has an option "{option_id}", which would mean "not attempted". Choose another id.',
            option_id=option_id,
        )
    return None


def _unreadable(material: Material) -> list[FieldError]:
    """Questions whose stored key their type does not know."""
    found = []
    for number, section in enumerate(material.test.sections):
        for place, entry in enumerate(section.questions):
            _, version = material.bank[entry.question_id]
            try:
                key_of(version.type, version.key)
            except UnreadableQuestion as error:
                found.append(FieldError(f"sections.{number}.question_ids.{place}", str(error)))
    return found


def _lost_images(material: Material) -> list[FieldError]:
    return [
        FieldError(f"{path}.media", "There is no such image.")
        for path, source in sources(material.bank, material.passages).items()
        if any(UUID(media_id) not in material.images for media_id in source.media)
    ]


def _contradictions(material: Material) -> list[FieldError]:
    try:
        paper_key(rules_of(material), answer_key_of(material))
    except ValueError as error:
        return [FieldError("sections", str(error))]
    return []


def _texts(material: Material) -> Iterable[tuple[str, Mapping[str, str]]]:
    test = material.test
    yield "title", test.title
    for number, section in enumerate(test.sections):
        yield f"sections.{number}.name", section.name
        for place, entry in enumerate(section.questions):
            version = material.bank[entry.question_id][1]
            path = f"sections.{number}.questions.{place}"
            yield f"{path}.text", version.text
            with reading_question(version.question_id):
                kind = question_type(version.type)
            for name, text in kind.texts(version.options):
                yield f"{path}.{name}", text
    for passage_id, passage in material.passages.items():
        yield f"passages.{passage_id}", passage.text
