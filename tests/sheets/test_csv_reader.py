"""CSV with other delimiters than commas."""

import pytest

from app.sheets.csv_reader import read_csv


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
