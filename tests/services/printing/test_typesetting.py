"""Typesetting: what a reader of the PDF finds in it."""

import re
import shutil
import unicodedata
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import typst
from fontTools.ttLib import TTFont
from pypdf import PageObject, PdfReader

from app.services.printing import figure_name, paper_document, solutions_document, typeset, unprintable
from app.services.printing.characters import printable
from app.services.printing.typesetting import FOLDER
from tests.builders.images import encoded, halves
from tests.services.printing.formulas import TYPESET
from tests.services.printing.glyph_positions import runs_of
from tests.services.printing.papers import Json, document, keyed, question

NOW = datetime(2026, 6, 7, 4, 0, 0, 123456, tzinfo=UTC)
SCRIPTS = "বাংলা ক্ষ ৰ ਪੰਜਾਬੀ ગુજરાતી ક્ષ ଓଡ଼ିଆ தமிழ் க்ஷ తెలుగు క్ష ಕನ್ನಡ ಕ್ಷ മലയാളം ക്ഷ ᱥᱟᱱᱛᱟᱲᱤ ꯃꯤꯇꯩꯂꯣꯟ"
TABLE = "Study.\n\n| Head | Year |\n|---|---:|\n| Water | 80 |"


def read(content: bytes) -> PdfReader:
    return PdfReader(BytesIO(content))


def text_of(reader: PdfReader) -> str:
    return "\n".join(page.extract_text() for page in reader.pages)


def printed(paper: Json, language: str = "en") -> PdfReader:
    return read(typeset("sheet", paper_document(paper, "hi" if language == "hi" else "en"), NOW))


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
        composed = paper_document(document(([question(1, media=[image])], {})), "en")
        content = encoded(halves(size=(2000, 20)), kind.upper())
        reader = read(typeset("sheet", composed, NOW, {figure_name("image", f"image/{kind}"): content}))
        [shown] = reader.pages[0].images
        assert shown.image is not None
        assert shown.image.size == (2000, 20)

    def test_the_same_sheet_gives_the_same_bytes(self) -> None:
        composed = paper_document(document(([question(1)], {})), "en")
        assert typeset("sheet", composed, NOW) == typeset("sheet", composed, NOW)

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
        text = text_of(read(typeset("sheet", solutions_document(paper, key, "en"), NOW)))
        for words in ("Answer key and solutions", "(b)", "dropped", "Because 1.", "Because 2."):
            assert words in text


class TestNothingLeavesItsPlace:
    """In points: a page is 595 wide, the columns of a paper are from 42 to 287 and from 309 to 553."""

    def is_inside(self, page: PageObject) -> bool:
        return all(left > 42 and right < 556 for left, right, *_ in runs_of(page))

    def test_in_columns(self) -> None:
        long = "W" * 90
        texts = [
            f"{'x' * 200} {'_' * 70} https://example.org/{'path/' * 30}",
            f"$\\frac{{{'+'.join(['abc'] * 30)}}}{{2}}$ $$\\sqrt{{{'x+' * 60}1}}$$ ${'x+' * 60}1$",
            table_of(5, "International"),
            table_of(8, "1234"),
            f"**{long}** *{'अनुच्छेद' * 15}*",
        ]
        options = [{"id": "a", "text": {"en": long}}, {"id": "b", "text": {"en": "_" * 70}}]
        questions = [
            question(number, text={"en": text}, options=options) for number, text in enumerate(texts, 1)
        ]
        reader = printed(document((questions, {}), title={"en": "T" * 200}))
        assert all(map(self.is_inside, reader.pages))
        below_the_head = [run for run in runs_of(reader.pages[0]) if run[2] < 550]
        assert below_the_head
        assert not any(left < 289 and right > 300 for left, right, *_ in below_the_head)
        text = "".join(text_of(reader).split())
        assert all(typed in text for typed in ("x" * 200, "_" * 70, long))

    def test_a_wide_table_has_the_whole_page(self) -> None:
        texts = [table_of(15, "12345"), table_of(40, "12")]
        questions = [question(number, text={"en": text}) for number, text in enumerate(texts, 1)]
        composed = paper_document(document((questions, {})), "en")
        assert composed.columns == 1
        reader = read(typeset("sheet", composed, NOW))
        assert all(map(self.is_inside, reader.pages))
        assert text_of(reader).count("12345") == 15

    def test_a_high_image(self) -> None:
        image = {"id": "image", "content_type": "image/png", "width": 100, "height": 4000, "url": ""}
        composed = paper_document(document(([question(1, media=[image])], {})), "en")
        reader = read(
            typeset("sheet", composed, NOW, {"image.png": encoded(halves(size=(100, 4000)), "PNG")})
        )
        assert len(reader.pages) == 1


class TestFormulas:
    def test_all_kinds_are_drawn(self) -> None:
        texts = [*(f"A ${latex}$ B" for latex in TYPESET), f"$${TYPESET[0]}$$"]
        questions = [question(number, text={"en": text}, options=[]) for number, text in enumerate(texts, 1)]
        reader = printed(document((questions, {})))
        assert not any(0 in glyphs for page in reader.pages for *_, glyphs in runs_of(page))
        text = text_of(reader)
        assert any("NewCMMath" in name for page in reader.pages for name in fonts_of(page))
        assert "\\" not in text
        assert "$" in text  # the escaped one
        for words in ("heat", "अन्यथा", "lim", "√"):
            assert words in text


class TestFonts:
    def test_they_come_with_their_license_and_stay_small(self) -> None:
        fonts = list((FOLDER / "fonts").glob("*.ttf"))
        assert len(fonts) == 25
        assert "SIL OPEN FONT LICENSE" in (FOLDER / "fonts" / "OFL.txt").read_text()
        assert sum(font.stat().st_size for font in fonts) < 4.5 * 1024 * 1024

    def test_what_has_a_font(self) -> None:
        assert unprintable(["x ≠ y ≤ ∑ ₹ 1 Ḕ \n\u200d ☐", SCRIPTS]) == []
        assert unprintable(["中\ue000ก😀中", "اردو"]) == ["中", "\ue000", "ก", "😀", *"اردو"]

    def test_the_list_of_characters_is_that_of_the_fonts(self, tmp_path: Path) -> None:
        """Those of our fonts by their tables, those of Typst's own by what is drawn."""
        fonts = (FOLDER / "fonts").glob("*-Regular.ttf")
        own = {code for font in fonts for code in TTFont(font).getBestCmap() if code >= ord(" ")}
        listed = set(printable())
        left_out = {code for code in own if is_left_out(chr(code))}
        assert sorted(map(hex, own - left_out - listed)) == []
        assert not {code for code in listed if is_left_out(chr(code))}
        others = [chr(code) for code in sorted(listed - own)]
        lines = [" ".join(others[position : position + 40]) for position in range(0, len(others), 40)]
        (tmp_path / "all.txt").write_text("\n".join(lines))
        shutil.copy(FOLDER / "setting.typ", tmp_path)
        (tmp_path / "all.typ").write_text(
            '#import "setting.typ": fonts\n#set text(font: fonts)\n'
            '#for line in read("all.txt").split("\\n") { par(line) }'
        )
        pages = read(typst.compile(tmp_path / "all.typ", font_paths=own_fonts())).pages
        assert not any(0 in glyphs for page in pages for *_, glyphs in runs_of(page))

    def test_each_script_of_india_has_its_font(self) -> None:
        [page] = printed(
            document(([question(1, text={"en": f"{SCRIPTS} **{SCRIPTS}**"}, options=[])], {}))
        ).pages
        names = " ".join(fonts_of(page))
        for script in ("Bengali", "Gurmukhi", "Gujarati", "Oriya", "Tamil", "Telugu", "Kannada", "Malayalam"):
            assert f"{script}-Regular" in names
            assert f"{script}-Bold" in names
        assert not any(0 in glyphs for *_, glyphs in runs_of(page))

    def test_negated_signs_are_drawn_by_a_font_that_has_them(self) -> None:
        """Noto Sans would draw an equals sign and a stroke that do not meet."""
        pages = printed(document(([question(1, text={"en": "x ≠ y"}, options=[])], {}))).pages
        assert any("DejaVuSansMono" in name for name in fonts_of(pages[0]))


def table_of(columns: int, cell: str) -> str:
    bar = "|".join(["---"] * columns)
    return f"|{'|'.join(f'C{number}' for number in range(columns))}|\n|{bar}|\n|{'|'.join([cell] * columns)}|"


def is_left_out(sign: str) -> bool:
    """Private characters, which each font draws otherwise, and scripts from right to left."""
    return unicodedata.category(sign) in ("Co", "Cn", "Cc") or unicodedata.bidirectional(sign) in ("R", "AL")


def own_fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, font_paths=[FOLDER / "fonts"])


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
