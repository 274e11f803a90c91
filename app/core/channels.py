"""How a channel, such as mail or push, says that a message is not out, and why."""

from datetime import timedelta


class NotSent(Exception):
    """The message is not out. The text says why and holds nothing of the message."""


class DeadTarget(NotSent):
    """Nobody is to be reached at this address or device any more: never try it again."""


class Refused(NotSent):
    """This message will never be taken. It says nothing about whom it was for."""


class NotNow(NotSent):
    """Nobody is to blame for long: try again, after `rest` at the earliest where the server asked for one."""

    def __init__(self, why: str, rest: timedelta | None = None) -> None:
        super().__init__(why)
        self.rest = rest
