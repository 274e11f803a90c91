"""The question bank over HTTP. Candidates have no business here: they are served papers."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, File, Form, Query, UploadFile, status
from pydantic import StringConstraints

from app.api.deps import CurrentAuthor, CurrentBankReader, Paging, Reads, Uow, takes_nothing
from app.api.problems import problems
from app.core.errors import AlreadyExists, Forbidden, Invalid, NotFound, TooLarge
from app.repositories.questions import QuestionFilter
from app.schemas.common import PageOut
from app.schemas.questions import (
    Difficulty,
    ImportOut,
    QuestionChanges,
    QuestionIn,
    QuestionOut,
    QuestionStatus,
    QuestionWithVersionsOut,
)
from app.services import questions
from app.services.questions import EmptyKey

router = APIRouter(prefix="/questions", tags=["questions"])

SubjectName = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]


def _wanted(
    subject_id: UUID | None = None,
    chapter_id: UUID | None = None,
    tag: Annotated[str | None, Query(max_length=50)] = None,
    difficulty: Difficulty | None = None,
    status: QuestionStatus | None = None,
    query: Annotated[str | None, Query(max_length=200, description="A part of the text")] = None,
) -> QuestionFilter:
    return QuestionFilter(subject_id, chapter_id, [tag] if tag else (), difficulty, status, query)


Wanted = Annotated[QuestionFilter, Depends(_wanted)]


@router.get("", responses=problems(Forbidden, Invalid))
async def list_questions(
    wanted: Wanted, reads: Reads, reader: CurrentBankReader, paging: Paging
) -> PageOut[QuestionOut]:
    """Questions in their current version, the oldest first; filters narrow the list together."""
    page = await questions.page(reads, reader, wanted, paging)
    items = [QuestionOut.of(question) for question in page.items]
    return PageOut(items=items, next_cursor=page.next_cursor)


@router.post("", status_code=status.HTTP_201_CREATED, responses=problems(Forbidden, AlreadyExists, Invalid))
async def create_question(body: QuestionIn, author: CurrentAuthor, uow: Uow) -> QuestionOut:
    """Add a question to the bank. `external_id` is yours, and unique."""
    return QuestionOut.of(await questions.create(uow, author, body.place(), body.content()))


@router.post("/import", responses=problems(Forbidden, TooLarge, Invalid))
async def import_questions(
    author: CurrentAuthor,
    uow: Uow,
    file: Annotated[UploadFile, File(description="CSV in UTF-8, at most 25 MB and 20,000 questions")],
    dry_run: Annotated[bool, Form(description="Only tell what would happen")] = False,
    subject: Annotated[
        SubjectName, Form(description="The subject of all; a row's own subject is then its chapter")
    ] = "",
    empty_key: Annotated[
        EmptyKey, Form(description="What a row without a key is: a mistake, dropped, or a draft")
    ] = EmptyKey.ERROR,
) -> ImportOut:
    """Import a sheet of questions: all of it or nothing.

    The answer is 200 also where rows are wrong: `errors` then names each row (as in a spreadsheet, the
    header is row 1), its column and how to mend it, and nothing was imported. A file that is no sheet of
    questions in CSV and UTF-8 is a 422. Importing the same sheet again changes nothing.

    Columns, in any order: `number, external_id, type, subject, chapter, passage_id, question,
    question_<lang>, option_a … option_f, option_a_<lang> …, key, status, explanation, explanation_<lang>,
    difficulty, tags, source, image`; only `question`, the options and `key` are required. A key is `b`,
    `bd` (exactly both) or `b|d` (either); of a numeric question `3.14` or `3.14±0.01`; of a true/false
    question `true` or `false`. Subjects and chapters that are not there are made.

    A question is known by `external_id`, else by `source` and `number`, else by its subject and text. Where
    it is there already, the sheet speaks for the columns and languages that it has; the rest stays.
    """
    report = await questions.import_questions(
        uow,
        author,
        await file.read(),
        dry_run=dry_run,
        subject=subject or None,
        empty_key=empty_key,
    )
    return ImportOut.model_validate(report)


@router.get("/{question_id}", responses=problems(Forbidden, NotFound))
async def read_question(
    question_id: UUID, reads: Reads, reader: CurrentBankReader
) -> QuestionWithVersionsOut:
    """One question with all its versions."""
    question = await questions.find(reads, reader, question_id)
    history = await questions.versions(reads, question)
    return QuestionWithVersionsOut.with_versions(question, list(history))


@router.patch("/{question_id}", responses=problems(Forbidden, NotFound, AlreadyExists, Invalid))
async def change_question(
    question_id: UUID, body: QuestionChanges, author: CurrentAuthor, uow: Uow
) -> QuestionOut:
    """Change the fields that are sent. What the question says becomes its next version; papers keep theirs.

    The question's place (`subject_id, chapter_id, source, external_id, status`) has no versions. A change
    that changes nothing makes none either. `status: "active"` brings a retired question back.
    """
    return QuestionOut.of(await questions.revise(uow, author, question_id, body.changes()))


@router.post(
    "/{question_id}/retire",
    dependencies=[Depends(takes_nothing)],
    responses=problems(Forbidden, NotFound),
)
async def retire_question(question_id: UUID, author: CurrentAuthor, uow: Uow) -> QuestionOut:
    """Take a question out of use; published papers keep it. Again is harmless."""
    return QuestionOut.of(await questions.retire(uow, author, question_id))
