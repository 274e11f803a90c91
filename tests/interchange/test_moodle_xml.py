"""Moodle XML, read and written."""

import base64
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine.question_types import Interaction
from app.interchange.errors import UnreadableFile
from app.interchange.items import Item, ItemFile, ItemPassage, Place, Texts
from app.interchange.moodle_xml import is_moodle_xml, read_moodle_xml
from app.interchange.moodle_xml_writer import write_moodle_xml
from tests.interchange import drawn
from tests.thorough import count

RIVER = """<question type="multichoice">
<name><text>Rivers</text></name>
<questiontext format="html"><text><![CDATA[<p>Which <b>river</b>?</p>
<p><img src="@@PLUGINFILE@@/a%20map.png"></p>]]></text>
<file name="a map.png" path="/" encoding="base64">AQID</file></questiontext>
<generalfeedback format="html"><text>&lt;p&gt;It is long.&lt;/p&gt;</text></generalfeedback>
<defaultgrade>2.0000000</defaultgrade><penalty>0.3333333</penalty><hidden>1</hidden><idnumber>r1</idnumber>
<single>true</single><shuffleanswers>0</shuffleanswers>
<correctfeedback format="html"><text>Your answer is correct.</text></correctfeedback>
<answer fraction="100" format="html"><text>Ganga</text>
<feedback format="html"><text>Yes!</text></feedback></answer>
<answer fraction="0" format="html"><text>Kaveri</text></answer>
<tags><tag><text>maps</text></tag></tags>
</question>"""


def quiz(*questions: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<quiz>\n{"".join(questions)}</quiz>'.encode()


def question(kind: str, inner: str, text: str = "Q?") -> str:
    said = f'<questiontext format="html"><text>{text}</text></questiontext>'
    return f'<question type="{kind}">{said}{inner}</question>'


def answer(text: str, fraction: str = "100", more: str = "") -> str:
    return f'<answer fraction="{fraction}"><text>{text}</text>{more}</answer>'


def one(*parts: str) -> Item:
    found = read_moodle_xml(quiz(*parts), "en")
    assert (found.errors, found.unsupported) == ([], [])
    (item,) = found.items
    return item


class TestRead:
    def test_a_question_with_all_that_moodle_writes(self) -> None:
        path = "<category><text>$course$/top/Geography/Rivers</text></category>"
        category = f'<question type="category">{path}</question>'
        found = read_moodle_xml(quiz(category, RIVER), "en")
        (river,) = found.items
        assert river.text == {"en": "Which **river**?"}
        assert (river.external_id, river.status, river.tags, river.categories) == (
            "r1",
            "retired",
            ["maps"],
            ["Geography", "Rivers"],
        )
        assert river.explanation == {"en": "It is long."}
        assert [choice.is_fixed for choice in river.choices] == [True, True]
        assert found.images == {"a_map.png": b"\1\2\3"}
        assert river.images == ["a_map.png"]
        assert river.place.at == "line 3"
        assert [remark.message for remark in found.not_kept] == [
            "its marks (2)",
            "comments on answers",
            "names of questions, such as this one",
        ]

    def test_each_type(self) -> None:
        pairs = "".join(
            f"<subquestion><text>{left}</text><answer><text>{right}</text></answer></subquestion>"
            for left, right in [("Ganga", "north"), ("Kaveri", "south"), ("", "west")]
        )
        found = read_moodle_xml(
            quiz(
                question("truefalse", answer("true", "0") + answer("false")),
                question("shortanswer", answer("New Delhi") + answer("Delhi")),
                question("numerical", answer("3.14", more="<tolerance>0.01</tolerance>")),
                question("numerical", answer("1.5E+2") + answer("4", more="<tolerance>0.5</tolerance>")),
                question("matching", pairs),
                question("essay", ""),
                question("multichoice", "<single>false</single>" + answer("a", "50") * 2 + answer("c", "0")),
            ),
            "hi",
        )
        assert (found.errors, found.unsupported) == ([], [])
        assert [(item.interaction, item.key) for item in found.items] == [
            (Interaction.TRUE_OR_FALSE, {"accepted": [["false"]]}),
            (Interaction.SHORT_TEXT, {"texts": ["New Delhi", "Delhi"]}),
            (Interaction.NUMBER, {"value": "3.14", "tolerance": "0.01"}),
            (
                Interaction.NUMBER,
                {"ranges": [{"from": "150", "to": "150"}, {"from": "3.5", "to": "4.5"}]},
            ),
            (Interaction.PAIRS, {"pairs": {"1": ["a"], "2": ["b"]}}),
            (Interaction.ESSAY, {"accepted": []}),
            (Interaction.SEVERAL_OPTIONS, {"accepted": [["a", "b"]]}),
        ]
        assert {language for item in found.items for language in item.languages} == {"hi"}

    @pytest.mark.parametrize(
        ("part", "message"),
        [
            (question("numerical", answer("x")), '"x" is no number'),
            (question("truefalse", answer("true", "0")), "one of true and false"),
            (question("multichoice", answer("a", "many") * 2), '"many" is no percentage'),
            (question("essay", "", text=""), "no text"),
            (RIVER.replace('<file name="a map.png"', '<file name="b.png"'), "is not in the file"),
            (RIVER.replace("AQID", "A*"), "is damaged"),
        ],
    )
    def test_a_mistake_is_an_error(self, part: str, message: str) -> None:
        found = read_moodle_xml(quiz(part), "en")
        assert (found.items, [message in error.message for error in found.errors]) == ([], [True])

    @pytest.mark.parametrize(
        ("part", "message"),
        [
            (question("calculated", ""), 'the type "calculated"'),
            (question("description", ""), 'the type "description"'),
            (question("shortanswer", answer("a", "50")), "a part of the marks"),
            (question("essay", "", text="&lt;math&gt;x&lt;/math&gt; y"), "<math>"),
            (
                question("multichoice", answer("&lt;img src='@@PLUGINFILE@@/x.png'&gt; a") * 2),
                'the image "x.png" in an option',
            ),
        ],
    )
    def test_what_the_bank_cannot_hold_is_listed(self, part: str, message: str) -> None:
        found = read_moodle_xml(quiz(part), "en")
        assert (found.items, [message in remark.message for remark in found.unsupported]) == ([], [True])

    def test_two_images_of_one_name_stay_two(self) -> None:
        other = RIVER.replace("AQID", "AQIE").replace("r1", "r2")
        found = read_moodle_xml(quiz(RIVER, other), "en")
        assert [found.images[item.images[0]] for item in found.items] == [b"\1\2\3", b"\1\2\4"]

    @pytest.mark.parametrize(
        "file",
        [
            b"",
            b"<quiz>",
            b"<html></html>",
            b"<quiz><question type='essay'></quiz>",
            b'<!DOCTYPE quiz [<!ENTITY a "aaaaaaaaaa">]><quiz>&a;</quiz>',
            b'<!DOCTYPE quiz SYSTEM "http://example.org/x.dtd"><quiz></quiz>',
            b'<!DOCTYPE quiz [<!ENTITY x SYSTEM "file:///etc/passwd">]><quiz>&x;</quiz>',
            b'<?xml version="1.0" encoding="utf-7"?><quiz></quiz>',
            b'<?xml version="1.0" encoding="nonsense"?><quiz></quiz>',
            b"<quiz><question type='essay'>" + b"<a>" * 200 + b"</a>" * 200 + b"</question></quiz>",
            b"<quiz><question type='essay'>" + b"<a/>" * 6_000 + b"</question></quiz>",
        ],
    )
    def test_other_files_entities_and_references_are_refused(self, file: bytes) -> None:
        with pytest.raises(UnreadableFile):
            read_moodle_xml(file, "en")

    def test_an_expansion_to_100_megabytes_is_refused(self) -> None:
        entities = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(7))
        bomb = f'<!DOCTYPE quiz [<!ENTITY e0 "0123456789">{entities}]><quiz>&e7;</quiz>'
        with pytest.raises(UnreadableFile):
            read_moodle_xml(bomb.encode(), "en")

    def test_it_is_recognized(self) -> None:
        assert is_moodle_xml(quiz(RIVER))
        assert is_moodle_xml(b"<!-- x -->\n<quiz>")
        assert not is_moodle_xml(b"<html>")


class TestWrite:
    @settings(max_examples=count(25, thorough=200), deadline=None)
    @given(st.lists(drawn.items(), min_size=1, max_size=3), st.booleans())
    def test_what_is_written_reads_back_equal(self, items: list[Item], has_image: bool) -> None:
        if has_image:
            items[0] = replace(items[0], images=["map.png", "b.png"])
        written = write_moodle_xml(items, {"map.png": b"\1", "b.png": b"\2"})
        found = read_moodle_xml(written.content, "en") if written.count else ItemFile()
        assert (found.errors, found.unsupported) == ([], [])
        left_out = [remark.place for remark in written.left_out]
        kept = [item for item in items if not any(item.place is place for place in left_out)]
        assert len(found.items) == len(kept)
        for item, wanted in zip(found.items, kept, strict=True):
            assert item == wanted

    def test_images_are_within_the_file(self) -> None:
        item = Item(Place(), Interaction.ESSAY, {"en": "Which?"}, key={"accepted": []}, images=["map.png"])
        written = write_moodle_xml([item], {"map.png": b"\1\2\3"})
        assert base64.b64encode(b"\1\2\3") in written.content
        assert read_moodle_xml(written.content, "en").images == {"map.png": b"\1\2\3"}


class TestPassages:
    """A passage is a description before its questions."""

    RIVER = ItemPassage({"en": "A *river*.\n\nA lake.", "hi": "एक नदी।"}, ["map.png"], "P-1", "one")
    ITEM = Item(
        Place(1),
        Interaction.TRUE_OR_FALSE,
        {"en": "It ends in a lake."},
        [],
        {"accepted": [["true"]]},
        categories=["Geography"],
    )

    def test_is_written_once_and_read_as_it_was(self) -> None:
        chart = ItemPassage({"en": "Study the chart."}, [], None, "two")
        items = [replace(self.ITEM, passage=passage) for passage in (self.RIVER, self.RIVER, chart, None)]
        written = write_moodle_xml(items, {"map.png": b"a map"})
        assert written.content.count(b'type="description"') == 2
        found = read_moodle_xml(written.content, "en")
        assert [item.passage for item in found.items] == [item.passage for item in items]
        assert [item.place.number for item in found.items] == [1, 2, 3, 4]
        assert (found.images, found.errors, found.unsupported) == ({"map.png": b"a map"}, [], [])

    @given(drawn.items(), drawn.localized(["en", "hi"]), st.none() | drawn.names())
    @settings(max_examples=20)
    def test_any_text_comes_back(self, item: Item, text: Texts, external_id: str | None) -> None:
        item = replace(item, passage=ItemPassage(text, [], external_id, "one"))
        written = write_moodle_xml([item], {})
        read = read_moodle_xml(written.content, "en").items
        assert read == ([] if written.left_out else [item])

    def test_other_descriptions_are_no_passages(self) -> None:
        found = read_moodle_xml(quiz(question("description", "")), "en")
        assert [remark.message for remark in found.unsupported] == ['it is of the type "description"']

    def test_a_passage_that_is_missing(self) -> None:
        written = write_moodle_xml([replace(self.ITEM, passage=self.RIVER)], {"map.png": b"a map"})
        without = written.content.replace(b'type="description"', b'type="category"')
        (error,) = read_moodle_xml(without, "en").errors
        assert "is not before it in the file" in error.message
