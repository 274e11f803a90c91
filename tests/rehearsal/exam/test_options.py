"""The usual duration of a rehearsed paper."""

from rehearsal.exam.options import usual_minutes


def test_papers_for_more_candidates_are_longer() -> None:
    usual = {candidates: usual_minutes(candidates) for candidates in (1, 300, 1000, 2000, 5000)}
    assert usual == {1: 2, 300: 2, 1000: 2, 2000: 4, 5000: 10}
