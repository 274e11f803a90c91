"""Mutated files of other programs are read or refused (tests/fuzz_interchange.py)."""

from app.interchange.formats import FORMATS
from tests.fuzz_interchange import attacks, attacks_of_qti, bases, case, outcome, read
from tests.thorough import count


def test_each_base_can_be_read() -> None:
    assert {name for name, file in bases().items() if read(name, file).items} == {*FORMATS}


def test_readers_read_or_refuse() -> None:
    first = len(attacks()) + len(attacks_of_qti())
    found = [outcome(*case(2, number)) for number in range(first, first + count(30, 400))]
    assert [each for each in found if each.is_failure] == []
    assert {each.word for each in found} == {"read", "refused"}
