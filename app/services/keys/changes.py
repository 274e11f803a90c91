"""The changes of a key revision: checked against each version of the paper that has the questions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from app.core.errors import FieldError, Invalid
from app.models import KeyRevision, KeyVersion, Paper, QuestionVersion
from app.sentences import Sentence
from app.services.questions.content import content_of, problems_of
from app.services.tests.papers import paper_key
from app.services.unit_of_work import Reading

Key = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class KeyChange:
    """The new key of a question."""

    question_id: UUID
    key: Key


@dataclass(frozen=True, slots=True)
class RevisedPaper:
    """A version of a paper: the key that holds, and what it would be."""

    paper: Paper
    current: KeyVersion
    key: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ShownChange:
    """A change beside the key that it replaces, and the number of the question in the newest version."""

    question_id: UUID
    number: int
    key_before: Key
    key: Key

    def stored(self) -> dict[str, Any]:
        """The change as `KeyRevision.changes` has it."""
        return {
            "question_id": str(self.question_id),
            "number": self.number,
            "key_before": self.key_before,
            "key": self.key,
        }


async def revised_papers(
    reads: Reading, test_id: UUID, changes: Sequence[KeyChange]
) -> Sequence[RevisedPaper]:
    """The versions of the paper whose key the changes would make another one, the newest first.

    Raises Invalid for a question that no version has, or that is named twice, for a key that does not belong
    to the type or the options of its question, for keys that drop every question, and if nothing changes.
    """
    papers = await reads.key_revisions.papers(test_id, [change.question_id for change in changes])
    _check_questions(papers, changes)
    checked = await _checked_keys(reads, papers, changes)
    found = []
    for paper in papers:
        current = await reads.keys.current(paper.id)
        key = {
            question_id: {**entry, "key": checked.get((paper.id, question_id), entry["key"])}
            for question_id, entry in current.key.items()
        }
        if key != current.key:
            _check_marks(paper, key)
            found.append(RevisedPaper(paper, current, key))
    if not found:
        raise Invalid.field("changes", "The questions have these keys already.")
    return found


def shown_changes(revised: Sequence[RevisedPaper], changes: Sequence[KeyChange]) -> list[ShownChange]:
    """The changes as staff compare them, in the order of the newest version that has the question."""
    shown = []
    for change in changes:
        question_id = str(change.question_id)
        for each in revised:
            if question_id in each.key:
                number = _ids_of(each.paper).index(question_id) + 1
                before, after = each.current.key[question_id]["key"], each.key[question_id]["key"]
                shown.append(ShownChange(change.question_id, number, before, after))
                break
    return sorted(shown, key=lambda change: change.number)


def changes_of(revision: KeyRevision) -> list[KeyChange]:
    """The stored changes of a revision."""
    return [KeyChange(UUID(change["question_id"]), change["key"]) for change in revision.changes]


def _check_questions(papers: Sequence[Paper], changes: Sequence[KeyChange]) -> None:
    known = {question_id for paper in papers for question_id in _ids_of(paper)}
    errors, seen = [], set[UUID]()
    for place, change in enumerate(changes):
        field = f"changes.{place}.question_id"
        if str(change.question_id) not in known:
            errors.append(FieldError(field, "No published version of the test has this question."))
        elif change.question_id in seen:
            errors.append(FieldError(field, "The question is named twice."))
        seen.add(change.question_id)
    if errors:
        raise Invalid("The changes are not valid.", errors=errors)


async def _checked_keys(
    reads: Reading, papers: Sequence[Paper], changes: Sequence[KeyChange]
) -> Mapping[tuple[UUID, str], Key]:
    """The new keys in normal form, by paper and question."""
    frozen = {
        (paper.id, entry["id"]): UUID(entry["version_id"])
        for paper in papers
        for entry in paper.rules["questions"]
    }
    wanted = {str(change.question_id): (place, change.key) for place, change in enumerate(changes)}
    of_changes = {place: id_ for place, id_ in frozen.items() if place[1] in wanted}
    versions = await reads.key_revisions.question_versions(of_changes.values())
    keys: dict[tuple[UUID, str], Key] = {}
    errors: list[FieldError] = []
    for (paper_id, question_id), version_id in of_changes.items():
        place, key = wanted[question_id]
        found = list(_problems(versions[version_id], place, key))
        errors += [error for error in found if error not in errors]
        if not found:
            keys[paper_id, question_id] = _normalized(versions[version_id], key)
    if errors:
        raise Invalid("The changes are not valid.", errors=errors)
    return keys


def _problems(version: QuestionVersion, place: int, key: Key) -> Iterator[FieldError]:
    content = replace(content_of(version), key=dict(key))
    for problem in problems_of(content, needs_key=True):
        yield replace(problem, field=f"changes.{place}.{problem.field}")


def _normalized(version: QuestionVersion, key: Key) -> Key:
    return replace(content_of(version), key=dict(key)).normalized().key


def _check_marks(paper: Paper, key: Mapping[str, Any]) -> None:
    try:
        paper_key(paper.rules, key)
    except ValueError as error:
        template = "Version {version} of the paper: {problem}"
        sentence = Sentence(template, version=paper.version, problem=Sentence(str(error)))
        raise Invalid.field("changes", sentence) from None


def _ids_of(paper: Paper) -> list[str]:
    return [entry["id"] for entry in paper.rules["questions"]]
