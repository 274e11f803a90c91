"""Errors of channels such as mail and push: a message was not sent, and why."""

from datetime import timedelta


class NotSent(Exception):
    """The message was not sent. The text says why and contains no part of the message."""


class DeadTarget(NotSent):
    """The address or device does not exist. No message is sent to it again."""


class MessageRejected(NotSent):
    """The message was rejected permanently. The address or device may be valid."""


class NotNow(NotSent):
    """A temporary failure. Try again, after `retry_after` if the server asked for a pause."""

    def __init__(self, reason: str, retry_after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
