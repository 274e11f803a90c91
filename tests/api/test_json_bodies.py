"""JSON bodies: bounded before they are parsed, and without what cannot be stored."""

import json

import pytest

from app.api.json_bodies import MAX_FIELDS, MAX_VALUES, is_suspicious, read_json
from app.core.errors import Invalid


class TestReadJson:
    def test_what_can_be_stored_is_read_as_it_is(self) -> None:
        values: list[object] = ["न", "\\u0000", "NaN and Infinity", 2**63 - 1, -(2**63) + 1, 1.5e300, [[]]]
        for value in values:
            assert read_json(json.dumps({"value": value}).encode()) == {"value": value}, value

    def test_what_cannot_be_stored_is_named(self) -> None:
        for body, field in [
            (rb'{"a": "\u0000"}', "a"),
            (rb'{"a": [1, {"b": "x\uD800"}]}', "a.1.b"),
            (rb'{"a": "\uDFFFx"}', "a"),
            (b'{"a": NaN}', "a"),
            (b'{"a": -Infinity}', "a"),
            (b'{"a": 1e999}', "a"),
            (b'{"a": 1E+0400}', "a"),
            (b'{"a": 9223372036854775808}', "a"),
            (b'{"a": ' + b"1" * 400 + b".0}", "a"),
            (rb'{"\u0000": 1}', "body"),
        ]:
            with pytest.raises(Invalid) as refused:
                read_json(body)
            assert [error.field for error in refused.value.errors] == [field], body

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(b"[" * 1_000_000, id="a megabyte of open lists"),
            pytest.param(b"[" * 40_000, id="deeper than Python reads"),
            pytest.param(b'{"a":' * 40_000, id="deep objects"),
            pytest.param(b"[" + b"[],[]," * 100_000 + b"1]", id="very many empty lists"),
            pytest.param(b"[" + b"1," * 500_000 + b"1]", id="half a million numbers"),
            pytest.param(b"[" + b"1," * MAX_VALUES + b"1]", id="more values than are checked quickly"),
            pytest.param(
                json.dumps({f"a{number}": 1 for number in range(MAX_FIELDS + 1)}).encode(), id="many fields"
            ),
            pytest.param(b'{"a": ' + b"9" * 100_000 + b"}", id="a number of 100,000 digits"),
            pytest.param(b'{"a": "\xed\xa0\x80"}', id="a surrogate in bytes"),
            pytest.param(b'{"a": "\xe9"}', id="Latin-1"),
            pytest.param('{"a": 1}'.encode("utf-16"), id="UTF-16"),
        ],
    )
    def test_what_would_take_long_is_refused(self, body: bytes) -> None:
        with pytest.raises(Invalid):
            read_json(body)

    def test_no_json(self) -> None:
        for body in [b"", b"{", b"nul", b"[1,]", b"{'a': 1}", b'{"a": "\x00"}']:
            with pytest.raises(json.JSONDecodeError):
                read_json(body)

    def test_many_innocent_values_pass(self) -> None:
        values = [None] * (MAX_VALUES - 1)
        assert read_json(json.dumps(values).encode()) == values

    def test_a_text_may_have_more_commas_than_a_body_has_values(self) -> None:
        assert read_json(json.dumps({"a": "," * 2 * MAX_VALUES}).encode())

    def test_the_caller_says_how_many_values_there_may_be(self) -> None:
        assert read_json(b'{"a": [1, 2]}', most_values=4)
        with pytest.raises(Invalid, match="at most 3"):
            read_json(b'{"a": [1, 2]}', most_values=3)

    def test_innocent_bodies_are_not_walked(self) -> None:
        text = json.dumps({"answer": ["b"], "revision": 12, "time_spent_ms": 61200, "text": "नमस्ते 12e5"})
        assert not is_suspicious(text)
