"""What kinds of notifications there are, and the rules that hold for each."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from app.engine.notices import Reminder
from app.models import Channel, Kind


class Topic(StrEnum):
    """What a reader of our mails may unsubscribe from; the rest belongs to what they asked for themselves."""

    REMINDERS = "reminders"
    RESULTS = "results"


@dataclass(frozen=True, slots=True)
class Rules:
    """How a kind is treated."""

    topic: Topic | None = None
    """Without one it is transactional: its mails are always sent."""
    patient: bool = False
    """It waits for quiet hours to end, and lets what is urgent go first."""
    reminder: Reminder | None = None


RULES = {
    Kind.WELCOME: Rules(),
    Kind.REGISTERED: Rules(),
    Kind.SUBMITTED: Rules(),
    Kind.POSTPONED: Rules(),
    Kind.CANCELLED: Rules(),
    Kind.OPENS_IN_24_HOURS: Rules(
        Topic.REMINDERS,
        patient=True,
        # When the next reminder is due, this one has nothing to add.
        reminder=Reminder(timedelta(hours=24), timedelta(hours=6), worth=timedelta(minutes=15)),
    ),
    Kind.OPENS_IN_15_MINUTES: Rules(
        Topic.REMINDERS, reminder=Reminder(timedelta(minutes=15), timedelta(minutes=10), worth=timedelta())
    ),
    Kind.RESULTS_RELEASED: Rules(Topic.RESULTS, patient=True),
}


def muting(kind: Kind, channel: Channel) -> str:
    """How a person's wishes name a kind on a channel."""
    return f"{kind}:{channel}"


def may_be_muted(kind: Kind, channel: Channel) -> bool:
    """Whether a person may do without it. The inbox has everything in any case."""
    return channel is Channel.PUSH or RULES[kind].topic is not None


def kinds_of(topic: Topic) -> list[Kind]:
    """What somebody unsubscribes from at once."""
    return [kind for kind, rules in RULES.items() if rules.topic is topic]
