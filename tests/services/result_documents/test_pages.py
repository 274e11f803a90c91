"""Result sheets, certificates and merit lists on paper: texts as they were typed, and all of them."""

from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from app.engine.normalization import NORMALIZATION_METHODS
from app.models import Exam, ExamPaper, ExamRelease, ExamResult, Registration, name_on_documents
from app.repositories.exams import IssuedResult, MeritRow, WantedResults
from app.services.printing import Template, typeset
from app.services.printing.results import Column, PrintedFact, ResponseContent, ResponsePart
from app.services.result_documents.batches import wanted_by_setting
from app.services.result_documents.certificates import certificate, gets_certificate
from app.services.result_documents.exam_sheets import ReleasedExam, exam_sheet
from app.services.result_documents.file_names import file_name
from app.services.result_documents.languages import Text, day, localized
from app.services.result_documents.merit_pages import merit_pages
from app.services.result_documents.verification import exam_digest, normalized
from app.services.result_documents.wording import NORMALIZED_BY
from tests.services.printing.glyph_positions import runs_of

NOW = datetime(2026, 11, 28, 20, 0, tzinfo=UTC)
HOSTILE = [
    '#panic() #read("/etc/passwd")',
    "$x$ ] } \\ @label <b>",
    "= *b* _i_ `c` // no /* */",
    "'q' \"q\" ~ -- ...",
]
LONG = " ".join(["Venkatanarasimharajuvaripeta"] * 7)


def issued(
    name: str = "Asha Rao", *, previous: bool = False, papers: int = 1, **changes: Any
) -> IssuedResult:
    """A candidate with a rank."""
    values: dict[str, Any] = {
        "exam_id": uuid4(),
        "version": 2,
        "registration_id": uuid4(),
        "roll_number": "26/000001",
        "outcome": "ranked",
        "total": "98.34",
        "qualified": True,
        "rank": 12,
        "percentile": 99.4845361,
        "category_rank": 3,
        "cutoff": {"category": "obc", "marks": "92.00", "cleared": True},
        "papers": [paper_result(number) for number in range(papers)],
    }
    result = ExamResult(**values | changes)
    before = ExamResult(version=1, total="96.34", rank=17) if previous else None
    return IssuedResult(result, Registration(name=name, category="obc", pwbd=2), before)


def paper_result(number: int) -> dict[str, Any]:
    return {
        "paper_id": str(UUID(int=number)),
        "code": f"GS{number}",
        "score": "98.34",
        "score_exact": "295/3",
        "max_score": "200.00",
        "qualified": True,
        "rank": 12,
        "percentile": 99.5,
    }


def released(title: str = "Mock", papers: int = 1) -> ReleasedExam:
    exam = Exam(id=uuid4(), title={"en": title}, opens_at=NOW, cutoffs={"obc": "92.00", "pwbd_2": "53.34"})
    placed = [
        ExamPaper(
            id=UUID(int=number),
            code=f"GS{number}",
            title={"en": f"Paper {number}"},
            counts_for_merit=True,
            group_percents={},
        )
        for number in range(papers)
    ]
    release = ExamRelease(
        exam_id=exam.id,
        version=2,
        participants=2134,
        percentile_definition="at_or_below",
        tie_breaks="none",
        created_at=NOW,
    )
    return ReleasedExam("Chanakya Academy", exam, placed, release)


def row(rank: int, name: str) -> MeritRow:
    found = issued(name).result
    return MeritRow(
        rank, f"{rank:06}", name, "obc", "ranked", rank, 2, 1, "98.34", 99.1, found.cutoff, found.papers
    )


def text_of(template: Template, content: object) -> str:
    pages = PdfReader(BytesIO(typeset(template, content, NOW))).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


class TestNames:
    @pytest.mark.parametrize("name", [*HOSTILE, LONG])
    def test_are_printed_as_typed(self, name: str) -> None:
        wanted = "".join(name.split())
        for template, content in (
            ("result-sheet", exam_sheet(released(name), issued(name), "en", NOW)),
            ("certificate", certificate(released(name), issued(name), "both", NOW)),
            ("merit-list", merit_pages(released(name), [row(1, name)], "en", NOW)),
        ):
            shown = "".join(text_of(template, content).split())  # type: ignore[arg-type] # a template
            assert shown.count(wanted) >= 2, template

    def test_in_hindi_are_drawn_by_our_font(self) -> None:
        pdf = PdfReader(
            BytesIO(typeset("certificate", certificate(released(), issued("क्षत्रिय"), "en", NOW), NOW))
        )
        fonts: Any = pdf.pages[0]["/Resources"]
        names = [str(font.get_object()["/BaseFont"]) for font in fonts["/Font"].values()]
        assert any(name.endswith("NotoSansDevanagari-Bold") for name in names)


class TestNothingLeavesThePage:
    @pytest.mark.parametrize("name", ["W" * 90, "_" * 90, "अनुच्छेद" * 20])
    def test_without_a_space(self, name: str) -> None:
        rows = [["1", name, "12:00:00"]]
        columns = [Column(["No."]), Column(["Answer"], "left"), Column(["Time"])]
        facts = [PrintedFact(["Name"], name), PrintedFact(["Roll number"], name)]
        responses = ResponseContent(
            "en", name, "Responses", [name], facts, columns, [ResponsePart(name, facts, rows)], [name], name
        )
        for template, content in (
            ("result-sheet", exam_sheet(released(name), issued(name, roll_number=name), "en", NOW)),
            ("certificate", certificate(released(name), issued(name), "both", NOW)),
            ("merit-list", merit_pages(released(name), [row(1, name)], "en", NOW)),
            ("response-sheet", responses),
        ):
            reader = PdfReader(BytesIO(typeset(template, content, NOW)))  # type: ignore[arg-type] # a template
            for page in reader.pages:
                runs = list(runs_of(page))
                assert min(left for left, *_ in runs) > 30, template
                assert max(right for _, right, *_ in runs) < float(page.mediabox.width) - 30, template


class TestInstitutes:
    def test_one_without_a_name_takes_no_room(self) -> None:
        assert (name_on_documents("Default institute"), name_on_documents("Vidya")) == ("", "Vidya")
        unnamed = replace(released(), institute="")
        for template, content in (
            ("result-sheet", exam_sheet(unnamed, issued(), "en", NOW)),
            ("certificate", certificate(unnamed, issued(), "en", NOW)),
            ("merit-list", merit_pages(unnamed, [row(1, "Asha")], "en", NOW)),
        ):
            shown = text_of(template, content)  # type: ignore[arg-type] # a template
            assert "Chanakya" not in shown
            assert not shown.startswith("·")


class TestResultSheet:
    def test_a_revised_result_tells_the_one_before(self) -> None:
        shown = text_of("result-sheet", exam_sheet(released(), issued(previous=True), "en", NOW))
        for words in (
            "of 200.00",
            "of 2134",
            "OBC, PwBD-2",
            "99.4845361",
            "92.00 (OBC): cleared",
            "In version 1: total 96.34, rank 17",
            "Results of version 2, released on 29 November 2026",
            "Printed on 29 November 2026, 01:30 IST",
        ):
            assert words in shown, words

    @pytest.mark.parametrize("method", NORMALIZATION_METHODS)
    def test_a_normalized_total_names_its_method(self, method: str) -> None:
        exam = released()
        exam.exam.normalization = method
        figures = exam_sheet(exam, issued(total="99.4845361"), "both", NOW).figures
        assert (figures[0].value, figures[0].below) == (
            "99.4845361",
            f"{NORMALIZED_BY[method].en} / {NORMALIZED_BY[method].hi}",
        )

    def test_many_papers_take_more_pages(self) -> None:
        content = exam_sheet(released(papers=60), issued(papers=60), "both", NOW)
        shown = text_of("result-sheet", content)
        assert all(f"GS{number}: Paper {number}" in shown for number in range(60))
        assert "2 / 2" in shown

    def test_the_digest_changes_with_each_fact_but_the_name(self) -> None:
        one = issued()
        digest = exam_digest(one.result)
        assert digest == normalized(digest.lower().replace("-", " "))
        for name, value in (("rank", 13), ("total", "98.35"), ("version", 3), ("outcome", "void")):
            kept = getattr(one.result, name)
            setattr(one.result, name, value)
            assert exam_digest(one.result) != digest
            setattr(one.result, name, kept)
        renamed = replace(one, registration=Registration(name="X", category="sc"))
        assert exam_digest(renamed.result) == digest


class TestMeritList:
    def test_each_page_has_the_heads_and_its_number(self) -> None:
        rows = [row(rank, LONG if rank % 7 == 0 else f"Candidate {rank}") for rank in range(1, 121)]
        reader = PdfReader(BytesIO(typeset("merit-list", merit_pages(released(), rows, "en", NOW), NOW)))
        pages = [" ".join(page.extract_text().split()) for page in reader.pages]
        assert len(pages) > 2
        for number, page in enumerate(pages, 1):
            assert f"{number} / {len(pages)}" in page
            assert "Roll number" in page
        whole = " ".join(pages)
        assert all(f"{rank:06}" in whole for rank in range(1, 121))
        assert "End of the list: 120 candidates." in whole
        assert "Cut-offs: OBC 92.00 · PwBD-2 53.34." in whole


OUTCOMES = ("ranked", "not_qualified", "incomplete", "absent", "void", "disqualified", "staff")


class TestWhoGetsACertificate:
    @pytest.mark.parametrize("qualified", [True, False])
    @pytest.mark.parametrize("outcome", OUTCOMES)
    def test_one_and_many_agree(self, outcome: str, qualified: bool) -> None:
        result = issued(outcome=outcome, qualified=qualified).result
        for setting in ("ranked", "qualified", "all"):
            wanted = wanted_by_setting("certificates", setting, WantedResults())
            of_many = outcome in wanted.outcomes and (qualified or not wanted.only_qualified)
            assert gets_certificate(result, setting) == of_many
        assert not gets_certificate(result, "none")


class TestFileNames:
    @given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
    def test_are_safe_and_different(self, first: str, second: str) -> None:
        names = [file_name("sheet", number) for number in (first, second)]
        assert all(
            set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
            for name in names
        )
        assert all(name.count(".") == 1 for name in names)
        assert (names[0] == names[1]) == (first == second)


class TestTexts:
    def test_a_title_in_one_language_is_used_for_both(self) -> None:
        assert localized({"hi": "मॉक"}) == Text("मॉक", "मॉक")
        assert localized({"hi": "मॉक", "en": "Mock"}).line("both") == "Mock / मॉक"

    def test_a_day_is_that_of_india(self) -> None:
        assert day(NOW).lines("both") == ["29 November 2026", "29 नवंबर 2026"]

    def test_a_value_with_braces_is_not_filled_in(self) -> None:
        assert Text("of {name}", "{name} का").line("en", name="{secret}") == "of {secret}"
