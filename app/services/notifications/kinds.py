"""The rules of each kind of notification."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from app.engine.notices import Reminder
from app.models import Channel, Kind


class Topic(StrEnum):
    """Topics that users can unsubscribe from. Kinds without a topic are always sent by mail."""

    REMINDERS = "reminders"
    RESULTS = "results"


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one kind."""

    topic: Topic | None = None
    """None for kinds that are always sent by mail."""
    deferrable: bool = False
    """Whether it is postponed to the end of quiet hours, and sent after urgent deliveries."""
    reminder: Reminder | None = None


RULES = {
    Kind.WELCOME: Rules(),
    Kind.REGISTERED: Rules(),
    Kind.SUBMITTED: Rules(),
    Kind.POSTPONED: Rules(),
    Kind.CANCELLED: Rules(),
    Kind.EXTRA_TIME: Rules(),
    Kind.REGISTRATION_CHANGED: Rules(),
    Kind.ENROLMENT_CHANGED: Rules(),
    Kind.OPENS_IN_24_HOURS: Rules(
        Topic.REMINDERS,
        deferrable=True,
        # It is not sent any more when the next reminder is due.
        reminder=Reminder(timedelta(hours=24), timedelta(hours=6), worth=timedelta(minutes=15)),
    ),
    Kind.OPENS_IN_15_MINUTES: Rules(
        Topic.REMINDERS, reminder=Reminder(timedelta(minutes=15), timedelta(minutes=10), worth=timedelta())
    ),
    Kind.RESULTS_RELEASED: Rules(Topic.RESULTS, deferrable=True),
    Kind.KEY_REVISED: Rules(Topic.RESULTS, deferrable=True),
    Kind.KEY_SHOWN: Rules(Topic.RESULTS, deferrable=True),
    Kind.OBJECTION_DECIDED: Rules(deferrable=True),
}


def mute_key(kind: Kind, channel: Channel) -> str:
    """The name of a kind on a channel in `NotificationSettings.muted`."""
    return f"{kind}:{channel}"


def may_be_muted(kind: Kind, channel: Channel) -> bool:
    """Whether users may turn this kind off on this channel. The inbox always has it."""
    return channel is Channel.PUSH or RULES[kind].topic is not None


def kinds_of(topic: Topic) -> list[Kind]:
    """The kinds of a topic."""
    return [kind for kind, rules in RULES.items() if rules.topic is topic]
