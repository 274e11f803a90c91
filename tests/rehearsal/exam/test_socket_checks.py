"""Checks of the messages that sockets received: each error is reported."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from rehearsal.exam.socket_checks import MessageLog, OwnMessages, Subject, mismatches

OPENED = ("paper_opened", "paper")
SAID = ("announcement", "said")
NOON = datetime(2027, 5, 23, 12, tzinfo=UTC)
COMMON = {OPENED: None, SAID: NOON}


def message(id_: str, kind: str, about: str, at: str = "12:00") -> dict[str, Any]:
    name = {"announcement": "announcement_id", "paper_opened": "paper_id"}.get(kind, "attempt_id")
    return {"id": id_, "type": kind, "at": at, "data": {name: about}}


FIRST, SECOND = message("1-0", *OPENED), message("2-0", *SAID)


def received(*messages: dict[str, Any]) -> MessageLog:
    log = MessageLog()
    log.begin_connection(NOON - timedelta(minutes=1), gap=False)
    for each in messages:
        log.add(each)
    return log


def found(
    *logs: MessageLog, own: Counter[Subject] | None = None, optional: Counter[Subject] | None = None
) -> list[str]:
    """The mismatches of these logs. The attempt of the last one is `mine`."""
    messages = OwnMessages(frozenset({"mine"}), own or Counter(), optional or Counter())
    return mismatches(dict(enumerate(logs, start=1)), COMMON, {len(logs): messages})


class TestMismatches:
    def test_everything_once_and_in_order_is_right(self) -> None:
        assert found(received(FIRST, SECOND), received(FIRST, SECOND)) == []

    def test_a_message_that_never_came(self) -> None:
        assert found(received(FIRST)) == ["Candidate 1: socket: announcement was not received"]

    def test_a_message_twice(self) -> None:
        wrong = found(received(FIRST, SECOND, SECOND))

        assert wrong == [
            "Candidate 1: socket: announcement was received twice under id 2-0",
            "Candidate 1: socket: announcement was received 2 times",
        ]

    def test_a_message_again_under_another_id(self) -> None:
        again = SECOND | {"id": "9-0"}

        assert "Candidate 1: socket: announcement was received twice under id 9-0" in found(
            received(FIRST, SECOND, again)
        )

    def test_after_a_gap_the_server_may_repeat_messages(self) -> None:
        log = received(FIRST)
        log.begin_connection(NOON, gap=True)
        assert [log.add(each) for each in (FIRST | {"id": "8-0"}, SECOND)] == [False, True]

        assert found(log) == []

    def test_without_a_gap_a_repetition_is_an_error(self) -> None:
        log = received(FIRST, SECOND)
        log.begin_connection(NOON - timedelta(minutes=1), gap=False)
        log.add(SECOND)

        assert "Candidate 1: socket: announcement was received twice under id 2-0" in found(log)

    def test_another_order_than_others(self) -> None:
        wrong = found(received(FIRST, SECOND), received(SECOND, FIRST), received(FIRST, SECOND))

        assert wrong == ["Candidate 2: socket: messages came in another order than to others"]

    def test_own_messages(self) -> None:
        own = Counter([("extended", "mine")])
        extended = message("3-0", "extended", "mine")

        assert found(received(FIRST, SECOND, extended), own=own) == []
        assert found(received(FIRST, SECOND), own=own) == [
            "Candidate 1: socket: 1 × extended about their attempt was not received"
        ]
        assert found(received(FIRST, SECOND, extended)) == [
            "Candidate 1: socket: 1 × extended about their attempt was received too often"
        ]

    def test_a_message_that_may_come_is_no_error(self) -> None:
        optional = Counter([("extended", "mine")])
        extended = message("3-0", "extended", "mine")

        assert found(received(FIRST, SECOND, extended), optional=optional) == []
        assert found(received(FIRST, SECOND), optional=optional) == []

    def test_a_message_from_before_the_connection_may_be_missing(self) -> None:
        late = MessageLog()
        late.begin_connection(NOON + timedelta(minutes=1), gap=False)
        late.add(FIRST)

        assert found(received(FIRST, SECOND), late) == []

    def test_the_order_is_that_of_the_candidates_who_received_everything(self) -> None:
        late = [MessageLog(), MessageLog()]
        for log in late:
            log.begin_connection(NOON + timedelta(minutes=1), gap=False)
            log.add(FIRST)

        assert found(*late, received(FIRST, SECOND)) == []

    def test_messages_about_other_attempts(self) -> None:
        assert found(received(FIRST, SECOND, message("3-0", "paused", "theirs"))) == [
            "Candidate 1: socket: paused is about somebody else's attempt theirs"
        ]
