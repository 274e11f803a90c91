"""Passages of packages: `assessmentStimulus` in a file of its own, for several items."""

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.interchange.items import Item, ItemPassage, Written
from app.interchange.qti.reading import read_qti
from app.interchange.qti.writing import write_qti_21, write_qti_22, write_qti_30
from tests.builders.workbooks import repacked
from tests.interchange.drawn import items, localized, names
from tests.interchange.qti.items import QUESTION

WRITERS = [write_qti_22, write_qti_30]
RIVER = ItemPassage({"en": "A river.\n\nA lake.", "hi": "एक नदी।"}, ["map.png"], "P-1", "one")
IMAGES = {"map.png": b"a map", "other.png": b"another"}
SHARED = [replace(QUESTION, passage=RIVER), replace(QUESTION, external_id="q2", passage=RIVER), QUESTION]


@st.composite
def passages(draw: st.DrawFn) -> ItemPassage:
    languages = draw(st.sampled_from([("en",), ("hi",), ("en", "hi")]))
    return ItemPassage(draw(localized(languages)), [], draw(st.none() | names()), "one")


@given(items(), passages(), st.sampled_from(WRITERS))
def test_every_passage_is_read_as_it_was_written(
    item: Item, passage: ItemPassage, write: Callable[..., Written]
) -> None:
    written = write([replace(item, passage=passage)], {})
    found = read_qti(written.content, "ta")
    assert found.items == [replace(item, passage=passage)]
    assert not [*written.left_out, *found.errors, *found.unsupported, *found.not_kept]


@pytest.mark.parametrize("write", WRITERS)
class TestSharing:
    def test_a_passage_is_one_file_with_its_images(self, write: Callable[..., Written]) -> None:
        written = write(SHARED, IMAGES)
        with zipfile.ZipFile(io.BytesIO(written.content)) as package:
            assert [name for name in package.namelist() if "items" not in name] == [
                *("passages/p00001.xml", "images/map.png", "imsmanifest.xml")
            ]
        found = read_qti(written.content, "en")
        assert (found.items, found.images) == (SHARED, {"map.png": b"a map"})
        assert found.items[0].passage is found.items[1].passage

    def test_two_passages_of_one_text_differ_in_their_images(self, write: Callable[..., Written]) -> None:
        chart = ItemPassage({"en": "Study the chart."}, ["map.png"], None, "one")
        charts = [chart, replace(chart, images=["other.png"], identifier="two")]
        drawn = [replace(QUESTION, passage=each) for each in charts]
        assert read_qti(write(drawn, IMAGES).content, "en").items == drawn

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            (lambda content: content.replace(b"p00001.xml", b"nowhere.xml"), "there is no file"),
            (
                lambda content: content.replace(b"p00001.xml", b"../items/q00002.xml"),
                "the file has no passage",
            ),
        ],
    )
    def test_a_passage_that_is_not_there(
        self, write: Callable[..., Written], change: Callable[[bytes], bytes], why: str
    ) -> None:
        content = repacked(write(SHARED, IMAGES).content, change={"items/q00001.xml": change})
        found = read_qti(content, "en")
        (error,) = found.errors
        assert why in error.message
        assert found.items == SHARED[1:]

    def test_a_passage_that_the_bank_cannot_hold_is_named_at_each_item(
        self, write: Callable[..., Written]
    ) -> None:
        def with_video(content: bytes) -> bytes:
            return content.replace(b"<p>A river.</p>", b"<p>A river.</p><p><video/></p>")

        content = repacked(write(SHARED, IMAGES).content, change={"passages/p00001.xml": with_video})
        found = read_qti(content, "en")
        assert [remark.message for remark in found.unsupported] == [
            'its passage "passages/p00001.xml": it has <video>, which is neither text nor an image'
        ] * 2

    def test_an_item_without_its_package(self, write: Callable[..., Written]) -> None:
        with zipfile.ZipFile(io.BytesIO(write(SHARED, IMAGES).content)) as package:
            found = read_qti(package.read("items/q00001.xml"), "en")
        (remark,) = found.unsupported
        assert "belongs to the passage" in remark.message
        assert "send a package with both" in remark.message


def test_qti_21_has_none() -> None:
    written = write_qti_21(SHARED, IMAGES)
    assert [remark.message for remark in written.left_out] == [
        "it belongs to a passage, and QTI 2.1 has none; QTI 2.2 and 3.0 have"
    ] * 2
    assert read_qti(written.content, "en").items == [QUESTION]
