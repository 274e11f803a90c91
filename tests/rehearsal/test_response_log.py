"""The log of a candidate's responses."""

from uuid import UUID

from rehearsal.response_log import RehearsedLog, ResponseEvent

FIRST, SECOND = UUID(int=1), UUID(int=2)


def event(question_id: UUID, lease: int, revision: int, *options: str, spent: int = 0) -> ResponseEvent:
    return ResponseEvent(question_id, lease, revision, options or None, time_spent_ms=spent)


class TestPossible:
    def test_what_was_acknowledged_last_stands(self) -> None:
        log = RehearsedLog()
        log.acknowledge([event(FIRST, 1, 2, "a"), event(FIRST, 2, 1, "b"), event(FIRST, 1, 3, "c")])

        assert log.possible() == {FIRST: {("b",)}}

    def test_a_later_answer_of_which_nothing_was_heard_may_stand_too(self) -> None:
        log = RehearsedLog()
        log.acknowledge([event(FIRST, 1, 2, "a")])
        log.refuse(
            [event(FIRST, 1, 1, "b"), event(FIRST, 1, 3, "c"), event(SECOND, 1, 1, "d")], maybe_processed=True
        )

        assert log.possible() == {FIRST: {("a",), ("c",)}, SECOND: {None, ("d",)}}

    def test_a_refused_answer_may_not(self) -> None:
        log = RehearsedLog()
        log.refuse([event(FIRST, 1, 1, "a")], maybe_processed=False)

        assert log.possible() == {}

    def test_nothing_may_be_saved_once_a_result_was_seen(self) -> None:
        log = RehearsedLog(graded=True)
        log.refuse([event(FIRST, 1, 1, "a")], maybe_processed=True)

        assert log.possible() == {}

    def test_what_was_heard_of_in_the_end_is_certain(self) -> None:
        log = RehearsedLog()
        log.refuse([event(FIRST, 1, 1, "a")], maybe_processed=True)
        log.acknowledge([event(FIRST, 1, 1, "a")])

        assert (log.possible(), log.lost_anything(late=0)) == ({FIRST: {("a",)}}, False)


class TestTimeSpent:
    def test_devices_add_up(self) -> None:
        log = RehearsedLog()
        log.acknowledge(
            [event(FIRST, 1, 1, spent=10), event(FIRST, 1, 2, spent=30), event(FIRST, 3, 1, spent=5)]
        )

        assert log.time_spent() == {FIRST: 35}


class TestLose:
    def test_who_gives_up_cannot_say_what_was_saved(self) -> None:
        log = RehearsedLog()
        log.acknowledge([event(FIRST, 1, 1, "a")])
        log.mark_unconfirmed([event(FIRST, 1, 1, "a"), event(FIRST, 1, 2, "b")])

        assert log.possible() == {FIRST: {("a",), ("b",)}}


class TestAdmit:
    def test_late_answers_count_once_they_are_admitted(self) -> None:
        log = RehearsedLog(graded=True)
        log.refuse([event(FIRST, 1, 1, "a")], maybe_processed=False)
        log.keep_late([event(FIRST, 1, 1, "a")])
        assert log.possible() == {}

        log.admit()
        assert (log.possible(), log.late) == ({FIRST: {("a",)}}, {})
