"""Tests over HTTP: lists, drafts and publication, and attempts."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Body, Depends, Query, Request, Response
from pydantic import Field, WithJsonSchema

from app.api.attempts import (
    PAPER_ANSWERS,
    AcceptEncoding,
    attempt_of,
    paper_id_at_test,
    paper_response,
    refuse_banned,
    save_sent,
    standing_attempt,
)
from app.api.deps import (
    AttemptHolder,
    CurrentAuthor,
    CurrentCandidate,
    KnownEtag,
    Now,
    Paging,
    Parts,
    Reads,
    ReadsWithLag,
    Uow,
    personal_turn,
    takes_nothing,
)
from app.api.disconnects import while_connected
from app.api.idempotency import OnceUow
from app.api.problems import problems
from app.api.routing import PrefixRouter
from app.core.attempt_scope import AttemptScope
from app.core.errors import (
    AttemptsExhausted,
    Forbidden,
    Invalid,
    NotAvailable,
    NotFound,
    NotGradedYet,
    NotPublishable,
    QuestionUnreadable,
    TooComplex,
    Unavailable,
)
from app.core.revision_errors import KeyRevisionRunning
from app.core.saving_errors import AttemptNotInProgress, DeadlinePassed, SaveLimitReached, SectionClosed
from app.repositories.attempts import RUNNING
from app.repositories.base import page_of
from app.repositories.tests import TestFilter, TestSort
from app.schemas.attempts import (
    ResponsesIn,
    SavedOut,
    StandingAttemptOut,
    StartedOut,
    StartIn,
    SubmitIn,
)
from app.schemas.common import PageOut
from app.schemas.results import ResultOut, SubmittedOut
from app.schemas.test_catalog import StaffTestOut, TestOut
from app.schemas.tests import (
    ConsentOut,
    ConsentsOut,
    Kind,
    PreviewOut,
    PublishedOut,
    PublishIn,
    TestChangesIn,
    TestDraftOut,
    TestIn,
)
from app.services import attempts, tests
from app.services.printing import PrintLanguage
from app.services.tests import Preview, Printout, PrintPart
from app.services.unit_of_work import reading

router = PrefixRouter(prefix="/tests", tags=["tests"])

TestStatus = Literal["draft", "published", "archived"]
PaperVersion = Annotated[int, Field(ge=1, le=2**31 - 1)]


@router.get("")
async def list_tests(
    user: CurrentCandidate,
    reads: ReadsWithLag,
    now: Now,
    paging: Paging,
    subject_id: Annotated[UUID | None, Query(description="Only tests of this subject")] = None,
    kind: Annotated[Kind | None, Query(description="Only tests of this kind")] = None,
    query: Annotated[str | None, Query(max_length=200, description="Part of the title")] = None,
    taken: Annotated[bool | None, Query(description="Whether you have an attempt that is not void")] = None,
    status: Annotated[list[TestStatus] | None, Query(max_length=3, description="Any of these")] = None,
    sort: Annotated[TestSort, Query(description="The order of the tests")] = TestSort.NEWEST,
) -> PageOut[TestOut]:
    """The tests that you may take now. Staff see drafts and archived tests too.

    With `taken=true`, the tests that you have taken, also those that you may not take any more. `title` sorts
    by the title in the language of your profile, `popular` by the number of ranked candidates, which is
    counted every few minutes.
    """
    wanted = TestFilter(subject_id, kind, query, taken, status or ())
    page = await tests.page(reads, user, now, wanted, paging, sort)
    return PageOut(items=[TestOut.of(listed) for listed in page.items], next_cursor=page.next_cursor)


@router.get("/{test_id}")
async def get_test(test_id: UUID, user: CurrentCandidate, reads: Reads, now: Now) -> StaffTestOut | TestOut:
    """One test that you may take or have taken.

    Staff also get its `draft` if it differs from the published paper, and `warnings` of keys to look at.
    """
    listed = await tests.find(reads, user, test_id, now)
    if not user.is_staff:
        return TestOut.of(listed)
    draft = await tests.pending_draft(reads, user, listed)
    return StaffTestOut.of_both(listed, draft, await tests.key_warnings(reads, user, listed))


@router.post("", status_code=201)
async def create_test(body: TestIn, author: CurrentAuthor, uow: OnceUow) -> TestDraftOut:
    """Create a test. Candidates see it once it is published."""
    return TestDraftOut.of(await tests.create(uow, author, body.draft()))


@router.patch("/{test_id}")
async def change_test(test_id: UUID, body: TestChangesIn, author: CurrentAuthor, uow: Uow) -> TestDraftOut:
    """Change the draft. Texts, sections, marks, duration and languages take effect with the next publication.
    Kind, subject, access, availability, allowed attempts and review take effect at once."""
    return TestDraftOut.of(await tests.change(uow, author, test_id, body.changes()))


@router.post("/{test_id}/publish", responses=problems(NotPublishable, KeyRevisionRunning))
async def publish_test(
    test_id: UUID,
    author: CurrentAuthor,
    uow: OnceUow,
    now: Now,
    body: Annotated[PublishIn | None, Body()] = None,
) -> PublishedOut:
    """Publish the draft as the next paper version. Running attempts keep theirs.

    Attempts at versions with the same questions, marks and keys are ranked together. A version with another
    marking has ranks of its own, unless `ranked_with` names the version to join. The `ranked_with` of the
    answer lists the older versions that share the ranks. 409 `key_revision_running` while a revision of the
    test's key is being published.
    """
    ranked_with = body.ranked_with if body is not None else None
    published = await tests.publish(uow, author, test_id, now, ranked_with=ranked_with)
    return PublishedOut.of_published(published)


@router.post("/{test_id}/archive", dependencies=[Depends(takes_nothing)])
async def archive_test(test_id: UUID, author: CurrentAuthor, uow: Uow) -> TestDraftOut:
    """Remove a test from the lists. Running attempts continue, and results remain."""
    return TestDraftOut.of(await tests.archive(uow, author, test_id))


@router.post("/{test_id}/clone", status_code=201, dependencies=[Depends(takes_nothing)])
async def clone_test(test_id: UUID, author: CurrentAuthor, uow: OnceUow) -> TestDraftOut:
    """Create a draft with the same sections, marks and options. Its title says that it is a copy."""
    return TestDraftOut.of(await tests.clone(uow, author, test_id))


async def _preview(test_id: UUID, author: CurrentAuthor, parts: Parts) -> Preview:
    async with reading(parts.engine) as reads:  # Reading formulas may wait for a child process.
        return await tests.preview(reads, author, test_id)


@router.get("/{test_id}/preview", responses=problems(TooComplex, Unavailable))
async def preview_test(
    preview: Annotated[Preview, Depends(_preview)], author: CurrentAuthor, parts: Parts
) -> PreviewOut:
    """The paper that candidates would get if you published the draft now, and the errors that prevent it."""
    return PreviewOut.of(await tests.with_formulas(preview, parts.files, author))


@router.get("/{test_id}/consents", responses=problems(Forbidden))
async def list_consents(
    test_id: UUID, author: CurrentAuthor, reads: Reads, paging: Paging
) -> PageOut[ConsentOut]:
    """Authors who may place your test in an exam, in addition to you and admins. The oldest consent first."""
    page = page_of(await tests.consents(reads, author, test_id), lambda consent: consent.user_id, paging)
    return PageOut(
        items=[ConsentOut.model_validate(each) for each in page.items], next_cursor=page.next_cursor
    )


@router.put("/{test_id}/consents/{user_id}", responses=problems(Forbidden, Invalid))
async def give_consent(test_id: UUID, user_id: UUID, author: CurrentAuthor, uow: Uow) -> ConsentsOut:
    """Let another author place your test in their own exams. Idempotent.

    When they release the results, scores and keys become visible, unless the questions are in another
    unreleased exam.
    """
    return ConsentsOut.of(await tests.consent(uow, author, test_id, user_id))


@router.delete("/{test_id}/consents/{user_id}", status_code=204, responses=problems(Forbidden))
async def withdraw_consent(test_id: UUID, user_id: UUID, author: CurrentAuthor, uow: Uow) -> None:
    """Withdraw a consent. An exam that is already published keeps the test."""
    await tests.withdraw_consent(uow, author, test_id, user_id)


async def _printout(
    test_id: UUID,
    author: CurrentAuthor,
    parts: Parts,
    part: Annotated[PrintPart, Query(description="The paper, or its solutions")] = "paper",
    language: Annotated[PrintLanguage, Query(description="The language of the texts")] = "en",
    version: Annotated[
        PaperVersion | Literal["draft"] | None,
        Query(description="A version, or `draft`. By default the published version"),
        WithJsonSchema({"type": "string", "pattern": "^([1-9][0-9]{0,9}|draft)$"}),
    ] = None,
) -> Printout:
    # A separate transaction: typesetting is slow, and other requests need the connection in the meantime.
    async with reading(parts.engine) as reads:
        return await tests.printout(reads, author, test_id, part, language, version)


@router.get(
    "/{test_id}/print",
    response_class=Response,
    responses={
        200: {"content": {"application/pdf": {}}, "description": "The paper or its solutions, for A4"},
        **problems(NotAvailable, NotPublishable, QuestionUnreadable, Invalid, TooComplex, Unavailable),
    },
)
async def print_test(
    printout: Annotated[Printout, Depends(_printout)],
    author: CurrentAuthor,
    request: Request,
    parts: Parts,
    now: Now,
) -> Response:
    """The paper, or its solutions, as PDF for printing.

    The paper contains no key. If its questions are in an unreleased exam, only the author of the exam's test
    and admins may print solutions (403 for others). If typesetting needs too much time or memory, the
    response is 422 `too_complex`. If too many others print at the same time, it is 503 with `Retry-After`.
    """
    headers = {
        "Cache-Control": "private, no-store",
        "Content-Disposition": f'inline; filename="{printout.file_name}"',
    }
    work = tests.pdf(printout, parts.media, parts.files, author, now)
    content = await while_connected(request, work)
    return Response(content, media_type="application/pdf", headers=headers)


@router.post(
    "/{test_id}/start",
    status_code=201,
    responses={
        200: {"model": StartedOut, "description": "The attempt in progress, with a new lease"},
        **problems(AttemptsExhausted, NotAvailable, QuestionUnreadable),
    },
)
async def start_test(
    test_id: UUID,
    response: Response,
    candidate: CurrentCandidate,
    uow: Uow,
    parts: Parts,
    body: Annotated[StartIn | None, Body()] = None,
) -> StartedOut:
    """Start an attempt (201), or resume the one in progress with a new lease (200).

    Store `attempt_token`: it is valid for this attempt, even without a session, until a day after the
    deadline.
    """
    device = (body or StartIn()).device
    started = await attempts.start(uow, parts, candidate, test_id, device, parts.clock.now())
    if not started.is_new:
        response.status_code = 200
    return StartedOut.of_start(started, parts.clock)


@router.get(
    "/{test_id}/questions",
    response_class=Response,
    responses=PAPER_ANSWERS,
)
async def get_questions(
    test_id: UUID,
    holder: AttemptHolder,
    reads: Reads,
    parts: Parts,
    attempt_id: Annotated[
        UUID | None, Query(description="By default your attempt in progress, else the latest")
    ] = None,
    if_none_match: KnownEtag = None,
    accept_encoding: AcceptEncoding = "",
) -> Response:
    """The paper version of your attempt, in all languages and in the author's order. It has no key.

    By default it is that of the attempt in progress, else of the latest. `attempt_id` names another one, also
    an attempt in an exam whose results are released. Your order of questions and options is in `start`, and
    in `attempt` while the attempt is in progress. A void attempt has no paper.
    """
    paper = await parts.papers.get(reads, await paper_id_at_test(reads, holder, test_id, attempt_id))
    return paper_response(paper, if_none_match, accept_encoding)


@router.get("/{test_id}/attempt")
async def get_test_attempt(
    test_id: UUID, holder: AttemptHolder, reads: Reads, parts: Parts
) -> StandingAttemptOut:
    """Your attempt in progress, or paused, with its answers. It gives no new lease, so other devices go on.

    404 if no attempt is in progress. With an attempt token it is the attempt of the token.
    """
    attempt = await standing_attempt(reads, holder, AttemptScope(test_id))
    if attempt.status not in RUNNING:
        raise NotFound("attempt")
    return StandingAttemptOut.of_state(await attempts.view(reads, parts, attempt), parts.clock.now())


@router.post(
    "/{test_id}/responses",
    responses=problems(
        AttemptNotInProgress, DeadlinePassed, SectionClosed, SaveLimitReached, QuestionUnreadable, Invalid
    ),
)
async def save_responses(
    request: Request, test_id: UUID, body: ResponsesIn, holder: AttemptHolder, parts: Parts, now: Now
) -> SavedOut:
    """Save answers. After a 200 they are stored and will be graded.

    Queued answers may be sent in any order and repeatedly. Answers that are stored already are counted as
    known, and an older revision never replaces a newer one. `superseded` and `conflicts` contain the standing
    answers of questions for which yours do not stand. `closed` names the answers that were not stored because
    their timed section takes none now; the others are saved.

    If a response is wrong (422), nothing is saved. `errors` names every wrong response. Leave these out and
    send the others again.
    """
    async with personal_turn(request, parts):
        return await save_sent(parts, holder, AttemptScope(test_id), body, now)


@router.post("/{test_id}/submit")
async def submit_test(
    test_id: UUID, body: SubmitIn, holder: AttemptHolder, uow: Uow, parts: Parts, now: Now
) -> SubmittedOut:
    """Submit the attempt and grade it. Submitting again returns the same attempt.

    `result` is what `GET …/results` shows, without `questions`. It is null while the result is withheld.
    The status is `submitted` instead of `graded` while the key of the test is revised, or an exam withholds
    the result: results are 409 `not_graded_yet` until then.
    """
    attempt = attempt_of(holder, body.attempt_id, AttemptScope(test_id))
    await refuse_banned(uow, holder)
    submitted = await attempts.submit(uow, parts, attempt, now)
    return SubmittedOut.of_submit(submitted, await attempts.submitted_result(uow, parts, submitted))


@router.get("/{test_id}/results", responses=problems(NotGradedYet))
async def get_results(
    test_id: UUID,
    user: CurrentCandidate,
    reads: Reads,
    parts: Parts,
    attempt_id: Annotated[UUID | None, Query(description="By default your latest attempt")] = None,
) -> ResultOut:
    """The result of your attempt, by default the latest."""
    return ResultOut.of(await attempts.result(reads, parts, user, test_id, attempt_id))
