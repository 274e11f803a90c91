"""What is written as QTI is read as it was."""

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from xml.etree.ElementTree import Element, tostring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.question_types import DROPPED_KEY, NO_KEY, Interaction, JsonObject
from app.interchange.items import Choice, Item, Place, Written
from app.interchange.qti.elements import XmlReader
from app.interchange.qti.from_xhtml import TextReader
from app.interchange.qti.reading import is_qti, read_qti
from app.interchange.qti.to_xhtml import add_texts
from app.interchange.qti.writing import write_qti_21, write_qti_22, write_qti_30
from tests.interchange.drawn import items
from tests.interchange.qti.items import QUESTION

WRITERS = [write_qti_21, write_qti_22, write_qti_30]


@given(items(), st.sampled_from(WRITERS), st.booleans())
def test_every_question_is_read_as_it_was_written(
    item: Item, write: Callable[..., Written], has_key: bool
) -> None:
    item = item if has_key else replace(item, key=NO_KEY)
    written = write([item], {})
    assert not written.left_out
    found = read_qti(written.content, "ta")
    assert found.items == [item]
    assert not [*found.errors, *found.unsupported, *found.not_kept]


SPLIT = [
    *("*", "**", "_", "|", "\\", "$", "$x_1$", "<b>", "&amp;", "\n", "\n\n", "  ", "1. ", "]]>", "a", "क"),
    *("| a | b |\n| --- | :---: |\n| *c* | d |", "|a|b|\n|-|-|\n|c|d|"),
]


@given(st.lists(st.sampled_from(SPLIT), min_size=1, max_size=12).map("".join))
def test_every_text_is_read_as_it_was_written(text: str) -> None:
    holder = Element("div")
    add_texts(holder, {"en": text, "hi": text}, "en")
    written = XmlReader().parsed(tostring(holder))
    assert TextReader("en").texts(written) == ({"en": text, "hi": text} if text else {})


@pytest.mark.parametrize("write", WRITERS)
class TestPackages:
    def test_holds_images_once_and_gives_them_back(self, write: Callable[..., Written]) -> None:
        images = {"map.png": b"a map", "a b (1).jpg": b"another"}
        pictured = replace(QUESTION, images=["map.png", "a b (1).jpg"])
        written = write([pictured, replace(pictured, images=["map.png"])], images)
        with zipfile.ZipFile(io.BytesIO(written.content)) as package:
            assert sorted(package.namelist()) == [
                *("images/a b (1).jpg", "images/map.png"),
                *("imsmanifest.xml", "items/q00001.xml", "items/q00002.xml"),
            ]
        found = read_qti(written.content, "en")
        assert [item.images for item in found.items] == [["map.png", "a b (1).jpg"], ["map.png"]]
        assert found.images == images

    @pytest.mark.parametrize(
        ("interaction", "key"),
        [
            (Interaction.SEVERAL_OPTIONS, {"accepted": [["a"], ["a", "b"]]}),
            (Interaction.PAIRS, {"pairs": {"1": ["a", "b"], "2": ["b"]}}),
            (
                Interaction.NUMBER,
                {"ranges": [{"from": "-1", "to": "2.50"}, {"from": "4", "to": "4"}]},
            ),
        ],
    )
    def test_keys_with_several_right_answers(
        self, write: Callable[..., Written], interaction: Interaction, key: JsonObject
    ) -> None:
        left = [Choice(number, {"en": number}) for number in "12"]
        choices = {Interaction.SEVERAL_OPTIONS: [], Interaction.PAIRS: left}
        item = replace(
            QUESTION,
            interaction=interaction,
            choices=[*choices[interaction], *QUESTION.choices] if interaction in choices else [],
            key=key,
        )
        found = read_qti(write([item], {}).content, "en")
        assert (found.items, found.not_kept) == ([item], [])

    def test_is_recognized_and_the_same_each_time(self, write: Callable[..., Written]) -> None:
        written = write([QUESTION], {})
        assert is_qti(written.content)
        assert written.content == write([QUESTION], {}).content

    @pytest.mark.parametrize(
        ("item", "why"),
        [
            (replace(QUESTION, key=DROPPED_KEY), "QTI has no questions that are dropped"),
            (replace(QUESTION, text={"en": "a\x0bb"}), "it has a character that XML cannot hold"),
            (
                replace(QUESTION, choices=[*QUESTION.choices[:1], Choice("x", {"en": "X"})]),
                "its options have other ids",
            ),
            (replace(QUESTION, text={"en-GB": "Which?"}), "its language has a region"),
            (
                Item(Place(), Interaction.NUMBER, {"en": "?"}, [], {"value": "1/3", "tolerance": "0"}),
                "a number of its key is a fraction",
            ),
            (
                Item(Place(), Interaction.TRUE_OR_FALSE, {"ta": "?"}, [], {"accepted": [["true"]]}),
                "the options true and false have no text in its language",
            ),
        ],
    )
    def test_names_what_it_cannot_express(self, write: Callable[..., Written], item: Item, why: str) -> None:
        written = write([item, QUESTION], {})
        (left_out,) = written.left_out
        assert left_out.message.startswith(why)
        assert read_qti(written.content, "en").items == [QUESTION]
