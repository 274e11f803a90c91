"""Roll numbers that are almost registered: a table, and a search by plain edit distance."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.exams.answer_sheets.roll_numbers import RegisteredNumbers, read_alike

REGISTERED = ["0012", "PT-10010", "PT-10011", "PT-10020", "IA77"]


class TestTable:
    @pytest.mark.parametrize(
        ("roll_number", "numbers", "reads_alike"),
        [
            pytest.param("12", ("0012",), True, id="lost leading zeros"),
            pytest.param("12.0", ("0012",), True, id="a number of a spreadsheet"),
            pytest.param("OO12", ("0012",), True, id="O for 0"),
            pytest.param("PT-1OO1O", ("PT-10010",), True, id="O for 0 within"),
            pytest.param("1A77", ("IA77",), True, id="1 for I"),
            pytest.param("la77", ("IA77",), True, id="l for I, in lower case"),
            pytest.param("pt 10020", ("PT-10020",), True, id="a blank for the hyphen"),
            pytest.param("PT-10012", ("PT-10010", "PT-10011"), False, id="a digit changed"),
            pytest.param("PT-1002", ("PT-10020",), False, id="a digit left out"),
            pytest.param("PT-100200", ("PT-10020",), False, id="a digit added"),
            pytest.param("PT-10002", ("PT-10020",), False, id="two digits exchanged"),
            pytest.param("PT-99999", (), False, id="nothing similar"),
        ],
    )
    def test_what_a_number_resembles(
        self, roll_number: str, numbers: tuple[str, ...], reads_alike: bool
    ) -> None:
        found = RegisteredNumbers(REGISTERED, set()).resembling(roll_number)
        assert set(numbers) <= set(found.numbers)
        assert bool(found.numbers) == bool(numbers)
        assert found.reads_alike is reads_alike

    def test_numbers_without_a_sheet_come_first_and_three_are_enough(self) -> None:
        registered = [f"10{digit}" for digit in range(6)]
        found = RegisteredNumbers(registered, {"100", "101", "102"}).resembling("109")
        assert found.numbers == ("103", "104", "105")


def distance(one: str, two: str) -> int:
    """Edit distance with exchanges of neighbors, by the textbook."""
    rows = [list(range(len(two) + 1))]
    for i, a in enumerate(one, 1):
        rows.append([i])
        for j, b in enumerate(two, 1):
            costs = [rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (a != b)]
            if i > 1 and j > 1 and a == two[j - 2] and one[i - 2] == b:
                costs.append(rows[i - 2][j - 2] + 1)
            rows[i].append(min(costs))
    return rows[-1][-1]


numbers = st.text("12345AB", min_size=1, max_size=5)


class TestAgainstTheTextbook:
    @given(st.sets(numbers, max_size=8), numbers)
    def test_it_finds_what_is_one_edit_away(self, registered: set[str], roll_number: str) -> None:
        found = RegisteredNumbers(registered, set()).resembling(roll_number)
        if any(read_alike(each) == read_alike(roll_number) for each in registered):
            assert found.reads_alike
            return
        near = sorted(each for each in registered if distance(read_alike(each), read_alike(roll_number)) == 1)
        assert list(found.numbers) == near[:3]
