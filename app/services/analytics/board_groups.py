"""Groups of a leaderboard: which are shown, and under which aliases people appear in them."""

from collections.abc import Mapping
from uuid import UUID, uuid5

MIN_GROUP_SIZE = 5
"""Fewer people of one group could be recognized by their scores."""
CATEGORIES_BY_SIZE = ("st", "ews", "sc", "obc", "general")


def shown_categories(participants: Mapping[str, int]) -> set[str]:
    """The categories whose places are shown, if they have so many participants.

    A small category is not shown. The whole board without all other categories would be the small one, so if
    there is a small one, one of the others is not shown either. It is the first of a fixed order, because
    the numbers of a live board change: with the smallest one, two boards at different times would show all.
    """
    shown = [each for each in CATEGORIES_BY_SIZE if participants.get(each, 0) >= MIN_GROUP_SIZE]
    some_are_small = any(0 < count < MIN_GROUP_SIZE for count in participants.values())
    return set(shown[1:] if some_are_small else shown)


def board_of_group(board_id: UUID, group: str | None) -> UUID:
    """The board by which aliases are made: each group has its own, so that nobody is followed into it."""
    return board_id if group is None else uuid5(board_id, group)
