"""The domain errors of a release of results. `core/errors.py` has their tree."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from app.core.errors import Conflict
from app.sentences import Sentence


class PapersNotOver(Conflict):
    """Results and keys are not published while the window of a paper has not ended.

    Results can be released early, with a reason. `papers` has id, code and end of each such paper.
    """

    code, title = "papers_not_over", "Papers not over"

    def __init__(self, papers: Sequence[tuple[UUID, str, datetime]], *, of_release: bool = True) -> None:
        ends = ", ".join(f"{code}: {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" for _, code, at in papers)
        if of_release:
            sentence = Sentence(
                "Papers that are not over, and when they end: {ends}. A release ends the whole exam. Wait,"
                " or send `early: true` with a `reason`.",
                ends=ends,
            )
        else:
            sentence = Sentence(
                "Papers that are not over, and when they end: {ends}. Keys are shown after all papers.",
                ends=ends,
            )
        super().__init__(
            sentence, papers=[{"paper_id": id_, "code": code, "ends_at": at} for id_, code, at in papers]
        )


class AttemptsInProgress(Conflict):
    """Results and keys are not published while attempts are in progress.

    `running` counts those that are paused too. `last_deadline_at` is null if all are paused.
    """

    code, title = "attempts_in_progress", "Attempts in progress"

    def __init__(self, running: int, paused: int = 0, last_deadline_at: datetime | None = None) -> None:
        sentences = [Sentence("Attempts in progress: {running}.", running=running)]
        if last_deadline_at:
            until = f"{last_deadline_at.astimezone(UTC):%H:%M:%S}"
            sentences.append(Sentence("The last deadline is at {until} UTC.", until=until))
        if paused:
            sentences.append(Sentence("Paused: {paused}; these do not end by themselves.", paused=paused))
        sentences.append(Sentence("Wait for their deadlines, or end them first."))
        super().__init__(
            Sentence.joined(*sentences),
            running=running,
            paused=paused,
            last_deadline_at=last_deadline_at,
        )
