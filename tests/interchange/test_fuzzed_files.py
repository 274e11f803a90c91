"""Mutated files of other programs are read or refused (tests/fuzz_interchange.py)."""

from app.interchange.formats import FORMATS
from tests.fuzz_interchange import bases, drawn, outcome, read
from tests.thorough import count


def test_each_base_can_be_read() -> None:
    assert {name for name, file in bases().items() if read(name, file).items} == {*FORMATS}


def test_readers_read_or_refuse() -> None:
    found = [outcome(*drawn(2, number)) for number in range(count(30, 400))]
    assert [each for each in found if each.is_failure] == []
    assert {each.word for each in found} == {"read", "refused"}
