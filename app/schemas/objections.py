"""Objections to keys: settings, keys that candidates see, objections, clusters and decisions."""

from datetime import datetime
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from app.models import Objection, ObjectionCluster
from app.repositories.objections import CountedCluster, OwnObjection
from app.schemas.attempts import Answer
from app.schemas.common import ONE_LINE, SEVERAL_LINES, In, Out
from app.schemas.exams.staff_actions import DryRun, Switch
from app.schemas.exams.steering import Reason
from app.schemas.objection_rules import MAX_SOURCES, ObjectionRulesOut
from app.schemas.question_keys import Key, KeyIn
from app.services.exams import KeyOfPaper, KeyStage, KeyStageView
from app.services.objections import ClusterView, Decided, NewObjection, Verdict

Status = Literal["open", "accepted", "rejected"]


class KeyStageIn(In):
    """The body may be left out."""

    dry_run: DryRun = False


class WindowOut(Out):
    """When candidates may object."""

    opens_at: datetime
    closes_at: datetime


class ShownKeyOut(Out):
    """The key of one paper that candidates see.

    `dropped` are the numbers of dropped questions, `changed` those whose final key differs from the
    provisional one; null if you may not know the keys before candidates do.
    """

    paper_id: UUID
    code: str
    version: int
    questions: int
    dropped: list[int] | None
    changed: list[int] | None


class KeyStageOut(Out):
    """What candidates see in the stage. `undecided` counts claimed keys without a decision."""

    exam_id: UUID
    status: KeyStage
    dry_run: bool
    keys: list[ShownKeyOut]
    candidates: int
    objections: WindowOut | None
    undecided: int

    @classmethod
    def of(cls, view: KeyStageView, *, dry_run: bool) -> Self:
        """The answer to a change of stage, or to its dry run."""
        return cls(
            exam_id=view.exam_id,
            status=view.stage,
            dry_run=dry_run,
            keys=[ShownKeyOut.model_validate(each) for each in view.keys],
            candidates=view.candidates,
            objections=WindowOut.model_validate(view.objections) if view.objections else None,
            undecided=view.undecided,
        )


class KeyOfQuestionOut(Out):
    """A question with your answer and its keys. A key that is not published is null."""

    question_id: UUID
    number: int
    section_id: UUID
    answer: Answer
    provisional_key: Key | None
    final_key: Key | None


class DecisionOut(Out):
    """A decision on objections. It names nobody."""

    question_id: UUID
    number: int
    claimed_key: Key
    accepted: bool
    reason: str
    decided_at: datetime


class KeyOfPaperOut(Out):
    """The keys of a paper beside your own answers. No marks and no score are in it.

    `decisions` are those on objections to the paper, once the final key is published.
    """

    exam_id: UUID
    paper_id: UUID
    test_id: UUID
    status: KeyStage
    attempt_id: UUID
    objections: ObjectionRulesOut | None
    questions: list[KeyOfQuestionOut]
    decisions: list[DecisionOut]

    @classmethod
    def of(cls, view: KeyOfPaper) -> Self:
        """What a candidate sees of a paper's keys."""
        return cls(
            exam_id=view.exam.id,
            paper_id=view.paper.id,
            test_id=view.paper.test_id,
            status=KeyStage(view.exam.key_stage or ""),
            attempt_id=view.attempt.id,
            objections=ObjectionRulesOut.model_validate(view.rules) if view.rules else None,
            questions=[KeyOfQuestionOut.model_validate(each) for each in view.questions],
            decisions=[DecisionOut.model_validate(each) for each in view.decisions],
        )


def _web_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("Send an address that begins with https:// or http://.")
    return url


WebAddress = Annotated[
    str, StringConstraints(min_length=1, max_length=1000), ONE_LINE, AfterValidator(_web_address)
]


class SourceIn(In):
    """A source: a book, an official document, a page of the web."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=300), ONE_LINE]
    page: Annotated[str, StringConstraints(min_length=1, max_length=60), ONE_LINE] | None = None
    url: WebAddress | None = None


class ObjectionIn(In):
    """An objection: the key that you think is right, why, and sources.

    `claimed_key` has the form of the question's key. `{"dropped": true}` says that no answer, or no single
    answer, is right.
    """

    question_id: UUID
    claimed_key: KeyIn
    explanation: Annotated[str, StringConstraints(min_length=1, max_length=4000), SEVERAL_LINES]
    sources: Annotated[list[SourceIn], Field(max_length=MAX_SOURCES, default_factory=list)]

    def new(self) -> NewObjection:
        """The command for the service."""
        sources = [source.model_dump(exclude_none=True) for source in self.sources]
        return NewObjection(self.question_id, self.claimed_key, self.explanation, sources)


class SourceOut(Out):
    """A source of an objection."""

    title: str
    page: str | None = None
    url: str | None = None


class ObjectionTextOut(Out):
    """What an objection says. Staff are not told who made it."""

    id: UUID
    explanation: str
    sources: list[SourceOut]
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of_text(cls, objection: Objection) -> Self:
        """An objection in a cluster."""
        return cls.model_validate(objection)


class ObjectionOut(ObjectionTextOut):
    """Your objection. `reason` is why it was accepted or rejected."""

    test_id: UUID
    question_id: UUID
    number: int
    claimed_key: Key
    status: Status
    reason: str | None
    decided_at: datetime | None

    @classmethod
    def of(cls, own: OwnObjection) -> Self:
        """An objection with its decision."""
        cluster = own.cluster
        return cls(
            **dict(ObjectionTextOut.of_text(own.objection)),
            test_id=cluster.test_id,
            question_id=cluster.question_id,
            number=cluster.number,
            claimed_key=cluster.claimed_key,
            status=_status(cluster),
            reason=cluster.reason,
            decided_at=cluster.decided_at,
        )


class DecidedClusterOut(Out):
    """All objections to a question that claim the same key, and the decision on them."""

    id: UUID
    question_id: UUID
    number: int
    claimed_key: Key
    objections: int
    status: Status
    reason: str | None
    decided_at: datetime | None

    @classmethod
    def of_count(cls, counted: CountedCluster) -> Self:
        """A cluster and its number of objections."""
        cluster = counted.cluster
        return cls(
            id=cluster.id,
            question_id=cluster.question_id,
            number=cluster.number,
            claimed_key=cluster.claimed_key,
            objections=counted.objections,
            status=_status(cluster),
            reason=cluster.reason,
            decided_at=cluster.decided_at,
        )


class ObjectionClusterOut(DecidedClusterOut):
    """A cluster with its first objections. `key` is the key as it is now, null where you may not know it.

    `answered_so` counts the ranked candidates whose answer the claimed key would mark correct. It is null
    unless you ask for one question, and for a question that is to be dropped.
    """

    key: Key | None
    answered_so: int | None
    first: list[ObjectionTextOut]

    @classmethod
    def of(cls, view: ClusterView) -> Self:
        """A cluster as staff see it in the list."""
        counted = DecidedClusterOut.of_count(CountedCluster(view.cluster, view.objections))
        first = [ObjectionTextOut.of_text(objection) for objection in view.first]
        return cls(**dict(counted), key=view.key, answered_so=view.answered_so, first=first)


class DecideIn(In):
    """The decision on all objections to a question with this claimed key; without one, on all undecided ones.

    Every objector reads the reason. `replace` changes an earlier decision.
    """

    question_id: UUID
    claimed_key: KeyIn | None = None
    accept: Switch
    reason: Reason
    replace: Switch = False

    def verdict(self) -> Verdict:
        """The command for the service."""
        return Verdict(self.question_id, self.claimed_key, self.accept, self.reason, self.replace)


class AcceptedKeyOut(Out):
    """A new key of a question."""

    question_id: UUID
    key: Key


class RevisionBodyOut(Out):
    """The body of the request for a key revision."""

    changes: list[AcceptedKeyOut]
    reason: str
    keep: Literal["new", "higher"]


class RevisionCallOut(Out):
    """The request that changes the key. Nothing has been changed yet."""

    method: Literal["POST"]
    path: str
    body: RevisionBodyOut


class DecidedOut(Out):
    """The decided clusters. `told` counts the objectors who are notified: none if nothing was changed.

    `revision` is the request for a key with all accepted claims; null if the key has them all.
    """

    clusters: list[DecidedClusterOut]
    told: int
    revision: RevisionCallOut | None

    @classmethod
    def of(cls, decided: Decided) -> Self:
        """A decision."""
        call = decided.revision
        revision = None
        if call is not None:
            body = RevisionBodyOut.model_validate(call)
            revision = RevisionCallOut(method="POST", path=call.path, body=body)
        return cls(
            clusters=[DecidedClusterOut.of_count(each) for each in decided.clusters],
            told=decided.told,
            revision=revision,
        )


def _status(cluster: ObjectionCluster) -> Status:
    if cluster.accepted is None:
        return "open"
    return "accepted" if cluster.accepted else "rejected"
