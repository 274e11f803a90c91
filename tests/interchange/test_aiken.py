"""Aiken, read and written."""

import pytest

from app.engine.question_types import Interaction
from app.interchange.aiken import is_aiken, read_aiken, write_aiken
from app.interchange.errors import UnreadableFile
from app.interchange.items import Choice, Item, Place

CAPITALS = """What is the capital of India?
A. Mumbai
B. New Delhi
ANSWER: B

Which river flows
through Varanasi?
A) Ganga
B) Narmada
C) Kaveri
answer: a
"""


def river(text: str = "Which river?", **changes: object) -> Item:
    values = {
        "choices": [Choice("a", {"en": "Ganga"}), Choice("b", {"en": "Narmada"})],
        "key": {"accepted": [["a"]]},
        **changes,
    }
    return Item(Place(), Interaction.ONE_OPTION, {"en": text}, **values)  # type: ignore[arg-type]


class TestRead:
    def test_texts_options_and_answers(self) -> None:
        found = read_aiken(CAPITALS.encode(), "en")
        assert (found.errors, found.unsupported) == ([], [])
        first, second = found.items
        assert first.text == {"en": "What is the capital of India?"}
        assert [choice.text["en"] for choice in first.choices] == ["Mumbai", "New Delhi"]
        assert first.key == {"accepted": [["b"]]}
        assert second.text == {"en": "Which river flows\nthrough Varanasi?"}
        assert (second.place.number, second.place.at) == (2, "line 6")

    def test_an_initial_is_no_option(self) -> None:
        found = read_aiken(b"A. R. Rahman was born in\nA. Chennai\nB. Pune\nANSWER: A\n", "en")
        assert [item.text["en"] for item in found.items] == ["A. R. Rahman was born in"]

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("Q?\nA. x\nB. y\n", "missing at the end"),
            ("Q?\nA. x\nB. y\nANSWER: C\n", "none of the options A to B"),
            ("Q?\nA. x\nB. y\nANSWER: A, B\n", "write one letter"),
            ("Q?\nA. x\nC. y\nANSWER: A\n", "option B or the line"),
            ("Q?\nA. x\nANSWER: A\n", "at least two options"),
            ("Q?\nA.\nB. y\nANSWER: A\n", "option A has no text"),
            ("A. x\nB. y\nANSWER: A\n", "at least two options"),
        ],
    )
    def test_a_mistake_names_the_question_and_the_mend(self, text: str, message: str) -> None:
        found = read_aiken(text.encode(), "en")
        assert found.items == []
        assert [message in remark.message for remark in found.errors] == [True]
        assert found.errors[0].place.at == "line 1"

    @pytest.mark.parametrize("file", [b"", b"\n \n", b"Caf\xe9?\nA. x", b"a\0b"])
    def test_what_is_no_text_is_refused(self, file: bytes) -> None:
        with pytest.raises(UnreadableFile):
            read_aiken(file, "en")

    def test_it_is_recognized(self) -> None:
        assert is_aiken(CAPITALS.replace("\n", "\r\n").encode())
        assert not is_aiken(b"question,option_a,option_b,key\nWhich?,x,y,a\n")


class TestWrite:
    def test_it_reads_back_equal(self) -> None:
        items = [river(), river("Which\u00a0other?", key={"accepted": [["b"]]})]
        written = write_aiken(items, {})
        assert (written.count, written.left_out, written.not_kept) == (2, [], [])
        assert read_aiken(written.content, "en").items == items

    @pytest.mark.parametrize(
        ("item", "why"),
        [
            (river("Two\nlines"), "one line"),
            (river("A. R. Rahman"), "begins like an option"),
            (river(key={"accepted": [["a"], ["b"]]}), "accepts several"),
            (river(key={"accepted": []}), "no key"),
            (river(key={"dropped": True}), "no key"),
            (river(explanation={"hi": "गंगा"}), "one language"),
            (river(images=["map.png"]), "no images"),
            (Item(Place(), Interaction.NUMBER, {"en": "2+2?"}, key={"value": "4"}), "a number"),
        ],
    )
    def test_what_it_cannot_express_is_left_out_and_listed(self, item: Item, why: str) -> None:
        written = write_aiken([item], {})
        assert (written.count, written.content) == (0, b"")
        assert [why in remark.message for remark in written.left_out] == [True]

    def test_what_it_does_not_keep_is_listed(self) -> None:
        written = write_aiken([river(tags=["maps"], explanation={"en": "The holy river."})], {})
        assert written.count == 1
        assert [remark.message for remark in written.not_kept] == [
            "Aiken has no explanations",
            "Aiken has no tags",
        ]
