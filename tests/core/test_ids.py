"""Ids are UUIDs of version 7, as objects and as texts."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from app.core.ids import first_uuid7, uuid7, uuid7_text


def test_ids_have_the_version_and_the_time() -> None:
    before, after = datetime.now(UTC), datetime.now(UTC) + timedelta(seconds=60)
    for made in (uuid7(), UUID(uuid7_text()), uuid7(before)):
        assert made.version == 7
        assert first_uuid7(before) <= made < first_uuid7(after)


def test_a_text_is_written_as_that_of_an_object() -> None:
    text = uuid7_text()
    assert str(UUID(text)) == text
