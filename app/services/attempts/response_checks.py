"""Checks of the responses of one save against the paper, before the database is asked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.core.errors import FieldError, Invalid, QuestionUnreadable
from app.engine.question_types import UnreadableQuestion, question_type
from app.repositories.attempts import NewEvent
from app.sentences import Sentence
from app.services.questions.content import reading_question
from app.services.tests.papers import FrozenPaper, FrozenQuestion

Response = NewEvent
"""One response as a device sends it. All responses of a request have the request's lease."""


@dataclass(frozen=True, slots=True)
class UnreadableResponse:
    """A response that does not have the form of one. It keeps its place among the others."""

    errors: tuple[FieldError, ...]


SentResponse = Response | UnreadableResponse


def checked(paper: FrozenPaper, sent: Sequence[SentResponse]) -> Sequence[Response]:
    """The responses, if each of them can be saved.

    Raises Invalid, which names every response that is wrong. Raises QuestionUnreadable if no response is
    wrong, but some questions have stored data that cannot be read; it names every response to these.
    """
    mistakes: list[FieldError] = []
    unreadable: list[FieldError] = []
    first_unreadable: UUID | None = None
    reason = ""
    valid: list[Response] = []
    for place, response in enumerate(sent):
        if isinstance(response, UnreadableResponse):
            mistakes += response.errors
            continue
        try:
            mistakes += _mistakes(paper, place, response)
        except QuestionUnreadable as error:
            unreadable.append(_cannot_be_read(place, response))
            if first_unreadable is None:
                first_unreadable, reason = response.question_id, error.reason
        valid.append(response)
    if mistakes:
        raise Invalid(_LEAVE_OUT, errors=mistakes)
    if first_unreadable is not None:
        raise QuestionUnreadable(first_unreadable, Sentence.joined(reason, _LEAVE_OUT), errors=unreadable)
    return valid


_LEAVE_OUT = Sentence(
    "This request saved nothing. Leave out the responses that `errors` names and send the others again."
)


def _mistakes(paper: FrozenPaper, place: int, response: Response) -> Iterator[FieldError]:
    question = paper.questions.get(response.question_id)
    if question is None:
        yield _error(place, response, "question_id", Sentence("This question is not in the paper."))
        return
    if response.language is not None and response.language not in paper.languages:
        yield _error(place, response, "language", _only_in(paper))
    if response.answer is not None and (sentence := _answer_problem(question, response.answer)):
        yield _error(place, response, "answer", sentence)


def _only_in(paper: FrozenPaper) -> str:
    return Sentence("Send a language of the paper: {languages}.", languages=", ".join(paper.languages))


def _answer_problem(question: FrozenQuestion, answer: Any) -> str | None:
    """Why an answer cannot be one to this question. Two options of a single choice can: they are wrong."""
    try:
        return question_type(question.type).answer_problem(answer, question.options)
    except UnreadableQuestion:
        # Entered only for the error: each response of each save passes here.
        with reading_question(question.id):
            raise


def _cannot_be_read(place: int, response: Response) -> FieldError:
    return _error(
        place,
        response,
        "question_id",
        Sentence("This question cannot be read now. Keep the answer and send it later."),
    )


def _error(place: int, response: Response, field: str, message: str) -> FieldError:
    return FieldError(f"responses.{place}.{field}", message, response.question_id)
