"""Typesetting: what a reader of the PDF finds in it."""

import re
import unicodedata
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from pypdf import PageObject, PdfReader

from app.services.printing import figure_name, paper_sheet, solutions_sheet, typeset, unprintable
from app.services.printing.characters import printable
from app.services.printing.typesetting import FOLDER
from tests.builders.pictures import encoded, halves
from tests.services.printing.papers import Json, document, keyed, question

NOW = datetime(2026, 6, 7, 4, 0, 0, 123456, tzinfo=UTC)
TABLE = "Study.\n\n| Head | Year |\n|---|---:|\n| Water | 80 |"


def read(content: bytes) -> PdfReader:
    return PdfReader(BytesIO(content))


def text_of(reader: PdfReader) -> str:
    return "\n".join(page.extract_text() for page in reader.pages)


def printed(paper: Json, language: str = "en") -> PdfReader:
    return read(typeset("sheet", paper_sheet(paper, "hi" if language == "hi" else "en"), NOW))


class TestTypeset:
    def test_text_tables_and_page_numbers(self) -> None:
        reader = printed(document(([question(1, text={"en": TABLE}), question(2)], {})))
        text = text_of(reader)
        for words in (
            "Mock",
            "Time allowed: 2 hours",
            "Water",
            "80",
            "Question 2?",
            "(a)",
            "Option b",
            "1 / 1",
        ):
            assert words in text

    def test_hindi_is_drawn_by_our_fonts(self) -> None:
        reader = printed(document(([question(1, text={"hi": "अनुच्छेद 352 (Article)"})], {})), "hi")
        fonts = {name.partition("+")[2] for page in reader.pages for name in fonts_of(page)}
        styles = ("Regular", "Bold")
        assert fonts == {
            f"{family}-{style}" for family in ("NotoSans", "NotoSansDevanagari") for style in styles
        }

    @pytest.mark.parametrize("conjunct", ["क्ष", "त्र", "ज्ञ", "श्र", "द्ध", "ट्ठ"])
    def test_conjuncts_are_single_glyphs(self, conjunct: str) -> None:
        assert len(glyphs(conjunct * 30)) == len(glyphs("क" * 30))

    def test_a_short_i_stands_before_its_consonant(self) -> None:
        """After five consonants come five pairs, of another sign and that consonant."""
        assert re.search(r"(.)\1{4}((?!\1).)\1(\2\1){4}", glyphs("क" * 5 + "कि" * 5))
        assert not re.search(r"(.)\1{4}((?!\1).)\1(\2\1){4}", glyphs("क" * 5 + "की" * 5))

    @pytest.mark.parametrize(
        "words", ["#panic()", '#read("/etc/passwd")', "$x$ ] } \\ @label <b>", "= No heading"]
    )
    def test_nothing_that_an_author_writes_is_run(self, words: str) -> None:
        marked = document(([question(1, text={"en": words})], {}), title={"en": words})
        assert "".join(words.split()) in "".join(text_of(printed(marked)).split())

    def test_a_question_longer_than_a_page_runs_on(self) -> None:
        words = " ".join(f"word{number}" for number in range(3000))
        reader = printed(document(([question(1, text={"en": words})], {})))
        assert len(reader.pages) > 1
        text = text_of(reader)
        assert all(f"word{number}" in text for number in range(3000))

    @pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
    def test_images(self, kind: str) -> None:
        image = {"id": "image", "content_type": f"image/{kind}", "width": 2000, "height": 20, "url": ""}
        sheet = paper_sheet(document(([question(1, media=[image])], {})), "en")
        content = encoded(halves(size=(2000, 20)), kind.upper())
        reader = read(typeset("sheet", sheet, NOW, {figure_name("image", f"image/{kind}"): content}))
        [shown] = reader.pages[0].images
        assert shown.image is not None
        assert shown.image.size == (2000, 20)

    def test_the_same_sheet_gives_the_same_bytes(self) -> None:
        sheet = paper_sheet(document(([question(1)], {})), "en")
        assert typeset("sheet", sheet, NOW) == typeset("sheet", sheet, NOW)

    def test_metadata_tell_the_title_and_the_time_alone(self) -> None:
        metadata = printed(document(([question(1)], {}))).metadata
        assert metadata is not None
        assert set(metadata) == {"/Title", "/Creator", "/CreationDate", "/ModDate"}
        assert (metadata.title, metadata.creation_date) == (
            "Mock · Question paper",
            NOW.replace(microsecond=0),
        )

    def test_solutions(self) -> None:
        paper, key = (
            document(([question(1), question(2)], {})),
            keyed({"accepted": [["b"]]}, {"dropped": True}),
        )
        text = text_of(read(typeset("sheet", solutions_sheet(paper, key, "en"), NOW)))
        for words in ("Answer key and solutions", "(b)", "dropped", "Because 1.", "Because 2."):
            assert words in text


class TestFonts:
    def test_they_come_with_their_license_and_stay_small(self) -> None:
        fonts = list((FOLDER / "fonts").glob("*.ttf"))
        assert len(fonts) == 5
        assert "SIL OPEN FONT LICENSE" in (FOLDER / "fonts" / "OFL.txt").read_text()
        assert sum(font.stat().st_size for font in fonts) < 2 * 1024 * 1024

    def test_the_list_of_characters_has_no_private_ones(self) -> None:
        assert not {code for code in printable() if unicodedata.category(chr(code)) == "Co"}
        assert unprintable(["x ≠ y ≤ ∑ ₹ 1 Ḕ \n\u200d ☐", "ગ中\ue000ગ"]) == ["ગ", "中", "\ue000"]

    def test_negated_signs_are_drawn_by_a_font_that_has_them(self) -> None:
        """Noto Sans would draw an equals sign and a stroke that do not meet."""
        pages = printed(document(([question(1, text={"en": "x ≠ y"}, options=[])], {}))).pages
        assert any("DejaVuSansMono" in name for name in fonts_of(pages[0]))


def fonts_of(page: PageObject) -> list[str]:
    resources: Any = page["/Resources"]
    return [str(font.get_object()["/BaseFont"]).lstrip("/") for font in resources["/Font"].values()]


def glyphs(words: str) -> str:
    """The glyphs of a paper with these words in the order in which they are drawn, each as one character."""
    content = (
        printed(document(([question(1, text={"hi": words}, options=[])], {})), "hi").pages[0].get_contents()
    )
    assert content is not None
    shown = [operands[0] for operands, operator in content.operations if operator in (b"Tj", b"TJ")]
    pieces = [piece for part in shown for piece in (part if isinstance(part, list) else [part])]
    return "".join(piece for piece in pieces if isinstance(piece, str))
