"""What sockets told: each way of telling it wrongly is seen."""

from collections import Counter
from typing import Any

from app.cli.rehearsal.exam.told import Record, mismatches

OPENED = ("paper_opened", "paper")
SAID = ("announcement", "said")
COMMON = Counter([OPENED, SAID])


def message(id_: str, kind: str, about: str, at: str = "12:00") -> dict[str, Any]:
    name = {"announcement": "announcement_id", "paper_opened": "paper_id"}.get(kind, "attempt_id")
    return {"id": id_, "type": kind, "at": at, "data": {name: about}}


FIRST, SECOND = message("1-0", *OPENED), message("2-0", *SAID)


def told(*messages: dict[str, Any]) -> Record:
    record = Record()
    record.begin(gap=False)
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
        assert found(told(FIRST)) == ["Candidate 1: socket: 1 × announcement was not told"]

    def test_a_message_twice(self) -> None:
        wrong = found(told(FIRST, SECOND, SECOND))

        assert wrong == [
            "Candidate 1: socket: announcement was told twice under id 2-0",
            "Candidate 1: socket: 1 × announcement was told too often",
        ]

    def test_a_message_again_under_another_id(self) -> None:
        again = SECOND | {"id": "9-0"}

        assert "Candidate 1: socket: announcement was told twice under id 9-0" in found(
            told(FIRST, SECOND, again)
        )

    def test_after_a_gap_the_server_may_repeat_itself(self) -> None:
        record = told(FIRST)
        record.begin(gap=True)
        assert [record.take(each) for each in (FIRST | {"id": "8-0"}, SECOND)] == [False, True]

        assert found(record) == []

    def test_without_a_gap_it_may_not(self) -> None:
        record = told(FIRST, SECOND)
        record.begin(gap=False)
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

    def test_somebody_elses(self) -> None:
        assert found(told(FIRST, SECOND, message("3-0", "paused", "theirs"))) == [
            "Candidate 1: socket: paused is about somebody else's attempt theirs"
        ]
