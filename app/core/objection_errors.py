"""The domain errors of objections to keys. `core/errors.py` has their tree."""

from datetime import UTC, datetime

from app.core.errors import Conflict
from app.sentences import Sentence


class KeyNotShown(Conflict):
    """Candidates do not see the key now."""

    code, title = "key_not_shown", "Key not shown"

    def __init__(self) -> None:
        super().__init__(
            Sentence(
                "Candidates do not see the key now. It is shown in the stages provisional_key and final_key,"
                " or with the result if the test shows keys."
            )
        )


class ObjectionsClosed(Conflict):
    """Objections are not taken now. The times are null if the test or exam takes none at all."""

    code, title = "objections_closed", "Objections are closed"

    def __init__(self, opens_at: datetime | None, closes_at: datetime | None, now: datetime) -> None:
        if opens_at is None or closes_at is None:
            sentence = Sentence("No objections to this key are taken.")
        elif now < opens_at:
            sentence = Sentence(
                "Objections are taken from {opens} to {closes}.", opens=_utc(opens_at), closes=_utc(closes_at)
            )
        elif now < closes_at:
            sentence = Sentence("The final key is published. It takes no objections.")
        else:
            sentence = Sentence("Objections were taken until {closes}.", closes=_utc(closes_at))
        super().__init__(sentence, opens_at=opens_at, closes_at=closes_at, server_time=now)


class ObjectionLimitReached(Conflict):
    """The candidate has made all objections that the test or exam allows."""

    code, title = "objection_limit_reached", "No objections left"

    def __init__(self, limit: int) -> None:
        template = "You may make {limit} objections. All of them are made. Withdraw one to make another."
        super().__init__(Sentence(template, limit=limit), limit=limit)


class ObjectionDecided(Conflict):
    """Objections with this claimed key are decided. The members say how, why and when."""

    code, title = "objection_decided", "Already decided"

    def __init__(self, accepted: bool, reason: str, decided_at: datetime) -> None:
        if accepted:
            sentence = Sentence("Objections with this claimed key were accepted.")
        else:
            sentence = Sentence("Objections with this claimed key were rejected.")
        super().__init__(sentence, accepted=accepted, reason=reason, decided_at=decided_at)


class ObjectionsOpen(Conflict):
    """The window for objections is still open, and nothing is decided before its end."""

    code, title = "objections_open", "Objections are still open"

    def __init__(self, closes_at: datetime) -> None:
        template = "Candidates may object until {closes}. Wait for it, or change `closes_at`."
        super().__init__(Sentence(template, closes=_utc(closes_at)), closes_at=closes_at)


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
