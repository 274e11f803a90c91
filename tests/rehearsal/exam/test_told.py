"""What sockets told: each way of telling it wrongly is seen."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from rehearsal.exam.told import Record, mismatches

OPENED = ("paper_opened", "paper")
SAID = ("announcement", "said")
NOON = datetime(2027, 5, 23, 12, tzinfo=UTC)
COMMON = {OPENED: None, SAID: NOON}


def message(id_: str, kind: str, about: str, at: str = "12:00") -> dict[str, Any]:
    name = {"announcement": "announcement_id", "paper_opened": "paper_id"}.get(kind, "attempt_id")
    return {"id": id_, "type": kind, "at": at, "data": {name: about}}


FIRST, SECOND = message("1-0", *OPENED), message("2-0", *SAID)


def told(*messages: dict[str, Any]) -> Record:
    record = Record()
    record.begin(NOON - timedelta(minutes=1), gap=False)
    for each in messages:
        record.take(each)
    return record


def found(*records: Record, own: Counter[tuple[str, str]] | None = None) -> list[str]:
    """What is wrong with these, the last of which has the attempt `mine`."""
    numbered = dict(enumerate(records, start=1))
    last = len(records)
    return mismatches(numbered, COMMON, {last: own or Counter()}, {last: {"mine"}})


class TestMismatches:
    def test_everything_once_and_in_order_is_right(self) -> None:
        assert found(told(FIRST, SECOND), told(FIRST, SECOND)) == []

    def test_a_message_that_never_came(self) -> None:
        assert found(told(FIRST)) == ["Candidate 1: socket: announcement was not told"]

    def test_a_message_twice(self) -> None:
        wrong = found(told(FIRST, SECOND, SECOND))

        assert wrong == [
            "Candidate 1: socket: announcement was told twice under id 2-0",
            "Candidate 1: socket: announcement was told 2 times",
        ]

    def test_a_message_again_under_another_id(self) -> None:
        again = SECOND | {"id": "9-0"}

        assert "Candidate 1: socket: announcement was told twice under id 9-0" in found(
            told(FIRST, SECOND, again)
        )

    def test_after_a_gap_the_server_may_repeat_itself(self) -> None:
        record = told(FIRST)
        record.begin(NOON, gap=True)
        assert [record.take(each) for each in (FIRST | {"id": "8-0"}, SECOND)] == [False, True]

        assert found(record) == []

    def test_without_a_gap_it_may_not(self) -> None:
        record = told(FIRST, SECOND)
        record.begin(NOON - timedelta(minutes=1), gap=False)
        record.take(SECOND)

        assert "Candidate 1: socket: announcement was told twice under id 2-0" in found(record)

    def test_another_order_than_others(self) -> None:
        wrong = found(told(FIRST, SECOND), told(SECOND, FIRST), told(FIRST, SECOND))

        assert wrong == ["Candidate 2: socket: messages came in another order than to others"]

    def test_ones_own(self) -> None:
        own = Counter([("extended", "mine")])
        extended = message("3-0", "extended", "mine")

        assert found(told(FIRST, SECOND, extended), own=own) == []
        assert found(told(FIRST, SECOND), own=own) == [
            "Candidate 1: socket: 1 × extended about their attempt was not told"
        ]
        assert found(told(FIRST, SECOND, extended)) == [
            "Candidate 1: socket: 1 × extended about their attempt was told too often"
        ]

    def test_what_was_said_before_they_came_is_not_missed(self) -> None:
        late = Record()
        late.begin(NOON + timedelta(minutes=1), gap=False)
        late.take(FIRST)

        assert found(told(FIRST, SECOND), late) == []

    def test_the_order_is_that_of_those_who_heard_everything(self) -> None:
        late = [Record(), Record()]
        for record in late:
            record.begin(NOON + timedelta(minutes=1), gap=False)
            record.take(FIRST)

        assert found(*late, told(FIRST, SECOND)) == []

    def test_somebody_elses(self) -> None:
        assert found(told(FIRST, SECOND, message("3-0", "paused", "theirs"))) == [
            "Candidate 1: socket: paused is about somebody else's attempt theirs"
        ]
