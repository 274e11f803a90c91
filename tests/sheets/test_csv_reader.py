"""CSV with other delimiters than commas, and in other encodings than UTF-8."""

import pytest

from app.sheets.csv_reader import read_csv
from app.sheets.errors import UnreadableSheet


class TestDelimiters:
    @pytest.mark.parametrize(
        ("text", "cells"),
        [
            ("a,b\n1,2;3\n", [["a", "b"], ["1", "2;3"]]),
            ("a;b\n1,5;2\n", [["a", "b"], ["1,5", "2"]]),
            ("a\tb\n1\t2\n", [["a", "b"], ["1", "2"]]),
            ('"a;x",b\n1,2\n', [["a;x", "b"], ["1", "2"]]),
            ('"a,x";b\n1;2\n', [["a,x", "b"], ["1", "2"]]),
            ("sep=;\na;b\n1;2\n", [["a", "b"], ["1", "2"]]),
            ("sep=|\na|b,c\n", [["a", "b,c"]]),
            ("\n\na;b\n", [[], [], ["a", "b"]]),
            ("key\nb;d\n", [["key"], ["b;d"]]),
            ("sep=;", []),
        ],
    )
    def test_the_first_line_with_text_decides(self, text: str, cells: list[list[str]]) -> None:
        assert [record.cells for record in read_csv(text.encode())] == cells


class TestEncodings:
    @pytest.mark.parametrize("sign", ["é", "“", "–"])
    def test_windows_1252_is_named_with_the_sign_and_the_mend(self, sign: str) -> None:
        with pytest.raises(
            UnreadableSheet, match=f"probably in Windows-1252, with the sign {sign} in line 2"
        ):
            list(read_csv(f"question,key\nCaf{sign},a\n".encode("cp1252")))

    @pytest.mark.parametrize("file", [b"\x89PNG\r\n\x1a\n\x00", b"question,key\n\x81,a\n"])
    def test_other_bytes_are_not_said_to_be_text(self, file: bytes) -> None:
        with pytest.raises(UnreadableSheet, match=r"not in UTF-8 \(see its line"):
            list(read_csv(file))
