"""The domain errors of saving answers. `core/errors.py` has their tree."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from app.core.errors import Conflict
from app.sentences import Sentence

NOT_IN_PROGRESS = {
    "submitted": "The attempt is submitted. It accepts no answers.",
    "paused": "The attempt is paused. It accepts no answers.",
    "void": "The attempt is void. It accepts no answers.",
}
_OTHER_STATUS = Sentence("The attempt is not in progress. It accepts no answers.")


class AttemptNotInProgress(Conflict):
    """The attempt is submitted, ended by staff or paused, so that it accepts no answers.

    `known` is the number of answers in the request that had been saved before.
    """

    code, title = "attempt_not_in_progress", "Attempt not in progress"

    def __init__(self, status: str, *, known: int = 0) -> None:
        sentence = NOT_IN_PROGRESS.get(status, _OTHER_STATUS)
        detail = Sentence.joined(Sentence(sentence), *_known_sentences(known))
        super().__init__(detail, attempt_status=status, known=known)


class DeadlinePassed(Conflict):
    """The deadline and the grace period have passed.

    `recorded` says whether answers of the request are stored as late, by it or by an earlier one. `known` is
    the number of answers in the request that had already been saved in time; these count.
    """

    code, title = "deadline_passed", "Time is up"

    def __init__(self, deadline_at: datetime, *, recorded: bool, known: int = 0) -> None:
        sentences = [Sentence("The attempt's time is up.")]
        if recorded:
            sentences.append(Sentence("The late answers were stored, but they do not count."))
        if known:
            counted = "{known} of the answers had been saved in time before. They count."
            sentences.append(Sentence(counted, known=known))
        detail = Sentence.joined(*sentences)
        super().__init__(detail, deadline_at=deadline_at, recorded=recorded, known=known)


_SECTION_OVER = "The section's time is up. None of the answers was saved."
_SECTION_NOT_STARTED = "The section has not started. None of the answers was saved."


class SectionClosed(Conflict):
    """All answers of the request are new and belong to timed sections that have ended or have not started.

    `section_id` and `at` describe the section of the first answer: when it ended, or when it starts.
    `closed` names each answer's question and section.
    """

    code, title = "section_closed", "Section not open"

    def __init__(
        self,
        section_id: UUID,
        at: datetime,
        *,
        opened: bool = True,
        closed: Sequence[Mapping[str, UUID]] = (),
    ) -> None:
        super().__init__(
            _SECTION_OVER if opened else _SECTION_NOT_STARTED,
            section_id=section_id,
            at=at,
            closed=[dict(each) for each in closed],
        )


class SaveLimitReached(Conflict):
    """The attempt has the largest number of saved answers. A correct client never reaches this limit.

    `known` is the number of answers in the request that had been saved before.
    """

    code, title = "save_limit_reached", "Too many answers saved"

    def __init__(self, *, known: int = 0) -> None:
        sentence = Sentence("This attempt has reached the limit of saved answers. It accepts no new ones.")
        super().__init__(Sentence.joined(sentence, *_known_sentences(known)), known=known)


def _known_sentences(known: int) -> list[str]:
    return [Sentence("{known} of the answers had been saved before.", known=known)] if known else []
