"""Key revisions as staff send and see them."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field

from app.engine.qualifying import Qualification
from app.models import Keep, KeyRevision, RevisionState
from app.schemas.common import In, LocalizedText, Out, PageOut
from app.schemas.exams.steering import Reason
from app.schemas.question_keys import Key, KeyIn
from app.services.keys.bank import BankOutcome
from app.services.keys.changes import KeyChange
from app.services.keys.revisions import RevisionDraft, RevisionView
from app.services.keys.scales import obstacle_of

MAX_CHANGES = 200


class KeyChangeIn(In):
    """The new key of a question. `{"dropped": true}` drops it, by the rule of the test or by its own."""

    question_id: UUID
    key: KeyIn


class KeyRevisionIn(In):
    """Corrections of the key of a test. The reason is shown to everybody whose result changes.

    With `keep: "higher"` a score never falls.
    """

    changes: Annotated[list[KeyChangeIn], Field(min_length=1, max_length=MAX_CHANGES)]
    reason: Reason
    keep: Keep = Keep.NEW

    def draft(self) -> RevisionDraft:
        """What the service takes."""
        changes = [KeyChange(change.question_id, change.key) for change in self.changes]
        return RevisionDraft(changes, self.reason, self.keep)


class KeyChangeOut(Out):
    """A change. `number` and `key_before` are of the newest version of the paper that has the question."""

    question_id: UUID
    number: int
    key_before: Key
    key: Key


class BiggestChangeOut(Out):
    """An attempt whose result changes much. Ranks are null where it has none."""

    attempt_id: UUID
    score_before: str
    score_after: str
    rank_before: int | None
    rank_after: int | None
    qualification_before: Qualification
    qualification_after: Qualification


class ScoreChangesOut(Out):
    """How many scores change by so many marks, rounded to whole ones."""

    marks: int
    attempts: int


class CohortChangeOut(Out):
    """A version of the test's paper, and the versions with which it is ranked before and after."""

    version: int
    before: list[int]
    after: list[int]


class ImpactOut(Out):
    """What a revision changes. `attempts` are all that are graded, also practice, which has no rank.

    Ranks are those at the test, or at the paper of the exam. `biggest_changes` has at most 20 attempts. If
    the new keys make the marking of two versions equal, their attempts are ranked together, and if they make
    it different, apart: `cohorts` names the versions for which this changes. `other_ranks_changed` counts
    attempts that are not graded again and get another rank by it.
    """

    attempts: int
    scores_changed: int
    ranks_changed: int
    other_ranks_changed: int
    qualified_changed: int
    biggest_changes: list[BiggestChangeOut]
    distribution: list[ScoreChangesOut]
    cohorts: list[CohortChangeOut]
    obstacle: Annotated[
        str | None, Field(description="Why the revision cannot be published, whatever its impact is")
    ]

    @classmethod
    def stored(cls, impact: dict[str, Any]) -> Self:
        """The impact as it is stored. Older ones do not know of cohorts."""
        older: dict[str, Any] = {"other_ranks_changed": 0, "cohorts": []}
        return cls.model_validate(older | impact | {"obstacle": obstacle_of(impact)})


class RegradingProgressOut(Out):
    """How many attempts are graded by the new keys. Those that are graded meanwhile may be added."""

    done: int
    total: int


class RevisedQuestionOut(Out):
    """What the publication did to the question of the bank.

    `changed`: it has a version with the key, and is retired if it was dropped. `same`: it had the key
    already. `kept`: its key or options were changed since, and stay: correct it yourself. `not_allowed`:
    another exam that is not released has the question.
    """

    question_id: UUID
    outcome: BankOutcome
    version: int | None


class RevisedPaperOut(Out):
    """A version of the test's paper that has one of the questions."""

    id: UUID
    version: int


class RevisedExamOut(Out):
    """A paper of an exam that is graded by the new keys. Before the release they are those of the release."""

    exam_id: UUID
    exam_title: LocalizedText
    code: str
    released: bool


class NotRevisedOut(Out):
    """Another test with the question, in a published version or in its draft. It keeps its key."""

    question_id: UUID
    test_id: UUID
    title: LocalizedText


class KeyRevisionSummaryOut(Out):
    """A revision in the list. `computing` is a dry run whose impact is not computed yet."""

    number: int
    status: Literal["computing", "dry_run", "publishing", "published", "withdrawn"]
    changes: list[KeyChangeOut]
    reason: str
    keep: Keep
    impact: Annotated[ImpactOut | None, Field(description="Null while it is computed")]
    progress: RegradingProgressOut
    bank: list[RevisedQuestionOut]
    created_at: datetime
    created_by: UUID | None
    published_at: datetime | None
    published_by: UUID | None
    completed_at: Annotated[
        datetime | None, Field(description="When the results by the new keys replaced the old ones")
    ]

    @classmethod
    def summary(cls, revision: KeyRevision) -> Self:
        """A stored revision."""
        return cls.model_validate(_fields(revision))


class KeyRevisionOut(KeyRevisionSummaryOut):
    """A revision, what it reaches, and the tests with the same questions that it does not reach."""

    papers: list[RevisedPaperOut]
    exams: list[RevisedExamOut]
    not_revised: list[NotRevisedOut]

    @classmethod
    def of(cls, view: RevisionView) -> Self:
        """A revision as the service shows it."""
        reached = {"papers": view.papers, "exams": view.exams, "not_revised": view.not_revised}
        return cls.model_validate(_fields(view.revision) | reached)


class KeyRevisionsOut(PageOut[KeyRevisionSummaryOut]):
    """The revisions of a test, the newest first."""


def _fields(revision: KeyRevision) -> dict[str, Any]:
    is_computing = revision.state == RevisionState.DRY_RUN and revision.impact is None
    names = (
        *("number", "changes", "reason", "keep", "bank", "created_at", "created_by"),
        *("published_at", "published_by", "completed_at"),
    )
    return {name: getattr(revision, name) for name in names} | {
        "impact": ImpactOut.stored(revision.impact) if revision.impact is not None else None,
        "status": "computing" if is_computing else revision.state,
        "progress": {"done": revision.regraded, "total": revision.to_regrade},
    }
