"""Errors of channels such as mail and push: a message was not sent, and why."""

from datetime import timedelta


class NotSent(Exception):
    """The message was not sent. The text says why and contains no part of the message."""


class DeadTarget(NotSent):
    """The address or device does not exist any more, so that no message is sent to it again."""


class MessageRejected(NotSent):
    """The message was rejected for good. The address or device may be valid."""


class NotNow(NotSent):
    """A temporary failure: try again, not before `rest` if the server asked for a pause."""

    def __init__(self, why: str, rest: timedelta | None = None) -> None:
        super().__init__(why)
        self.rest = rest
