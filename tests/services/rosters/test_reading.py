"""Rosters as people make them, and what is wrong with others."""

import pytest

from app.services.rosters.reading import RosterRow, read_roster
from app.sheets.errors import UnreadableSheet
from tests.builders.workbooks import workbook


def errors_of(text: str) -> list[tuple[int, str]]:
    return [(error.row, error.field) for error in read_roster(text.encode()).errors]


class TestRows:
    def test_every_column(self) -> None:
        sheet = read_roster(
            b"Roll No.,Candidate Name,E-mail ID,Category,PwBD,Batch\n"
            b"0017,Asha Rao,Asha@Example.ORG,OBC,2,2027-A\n"
        )
        assert sheet.errors == []
        assert sheet.rows == [RosterRow(2, "asha@example.org", "Asha Rao", "0017", "obc", 2, "2027-A")]

    def test_hindi_headers(self) -> None:
        sheet = read_roster("ईमेल,नाम,श्रेणी\na@example.org,आशा,UR\n".encode())
        assert sheet.rows == [RosterRow(2, "a@example.org", "आशा", None, "general")]

    def test_a_workbook(self) -> None:
        sheet = read_roster(workbook(["email", "name"], ["a@example.org", "Asha"]))
        assert [row.email for row in sheet.rows] == ["a@example.org"]

    def test_empty_cells_say_nothing(self) -> None:
        sheet = read_roster(b"email,name,category,pwbd,batch,roll_number\na@example.org,,,,,\n")
        assert sheet.rows == [RosterRow(2, "a@example.org", None)]


class TestErrors:
    @pytest.mark.parametrize(
        ("text", "errors"),
        [
            ("Roster\n\nemail,name\nnot an address,Asha\n", [(4, "email")]),
            ("name\nAsha\n", [(1, "email")]),
            ("email,name,phone\n", [(1, "phone")]),
            ("email,e-mail,name\n", [(1, "e-mail")]),
            ("email,name\nnot an address,Asha\n", [(2, "email")]),
            ("email,name\n,Asha\n", [(2, "email")]),
            ("email,name,category\na@example.org,A,none\n", [(2, "category")]),
            ("email,name,pwbd\na@example.org,A,6\n", [(2, "pwbd")]),
            ("email,name\na@example.org,A\nA@example.org,B\n", [(3, "email")]),
            ("email,name,roll\na@example.org,A,1\nb@example.org,B,1\n", [(3, "roll_number")]),
            (f"email,name,batch\na@example.org,A,{'x' * 51}\n", [(2, "batch")]),
        ],
    )
    def test_each_names_its_cell(self, text: str, errors: list[tuple[int, str]]) -> None:
        assert errors_of(text) == errors

    def test_too_many(self) -> None:
        rows = "".join(f"{number}@example.org,A\n" for number in range(2_001))
        with pytest.raises(UnreadableSheet):
            read_roster(f"email,name\n{rows}".encode())
