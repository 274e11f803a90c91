"""A rule of the repository: what pages, docstrings and comments cite exists."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import ROOT
from tests.references import (
    FOLDERS,
    OUTSIDE,
    explanations,
    our_files,
    repository,
    text_of,
    wrong_references,
)

DOCS = ROOT / "docs"
DECISIONS = DOCS / "decisions"
PAGES = sorted(path for path in (*ROOT.glob("*.md"), *DOCS.rglob("*.md")) if path.name != "CHANGELOG.md")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)[^)]*\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
# Pages that compare the repository with the product's first design, and name what is in that alone.
COMPARE = (
    "traceability.md",
    "0011-realtime-over-redis.md",
    "0018-file-names.md",
    "0026-commands-instead-of-scripts.md",
    "0028-cache-with-single-flight.md",
)


def names_of_the_first_design() -> set[str]:
    """What is in the first column of docs/traceability.md, and the names of the files there."""
    rows = re.findall(r"^\| (`.+?`) \| ", (DOCS / "traceability.md").read_text(), re.MULTILINE)
    names = {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
    return names | {name.rpartition("/")[2] for name in names}


def anchors_of(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    headings = HEADING.findall(page.read_text())
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> Iterator[str]:
    for link in LINK.findall(page.read_text()):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if "://" in link:
            continue
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            yield link


class TestPages:
    def test_what_they_cite_exists(self) -> None:
        named = names_of_the_first_design()
        wrong = {
            page.name: [
                reference
                for reference in wrong_references(page.read_text(), repository())
                if page.name not in COMPARE or reference not in named
            ]
            for page in PAGES
        }
        assert {name: references for name, references in wrong.items() if references} == {}

    def test_links_lead_somewhere(self) -> None:
        broken = {page.name: list(broken_links(page)) for page in PAGES}
        assert {name: links for name, links in broken.items() if links} == {}

    def test_a_broken_link_is_found(self, tmp_path: Path) -> None:
        page = tmp_path / "page.md"
        page.write_text("# The page\n[1](page.md#the-page) [2](#the-page) [3](none.md) [4](page.md#none)\n")
        assert list(broken_links(page)) == ["none.md", "page.md#none"]

    def test_every_decision_is_in_the_index(self) -> None:
        decisions = sorted(file.name for file in DECISIONS.glob("0*.md"))
        assert sorted(LINK.findall((DECISIONS / "README.md").read_text())) == decisions


class TestCode:
    def test_what_docstrings_and_comments_cite_exists(self) -> None:
        names = {path: path.relative_to(ROOT).as_posix() for path in repository().explanations}
        wrong = {
            names[path]: list(wrong_references(text, repository()))
            for path, text in repository().explanations.items()
            if names[path].startswith(tuple(f"{folder}/" for folder in FOLDERS))
        }
        assert {name: references for name, references in wrong.items() if references} == {}


class TestCommittedFiles:
    def test_none_cites_a_document_that_is_not_committed(self) -> None:
        found = {path.name: match[0] for path in our_files() if (match := OUTSIDE.search(text_of(path)))}
        assert found == {}


class TestWrongReferences:
    WRONG = (
        ("Why: docs/decisions/0099.", "0099"),
        ("Why: `docs/decisions/0099`.", "0099"),
        ("Why: [0021](decisions/0021-another-name.md).", "decisions/0021-another-name.md"),
        ("An embargo holds keys back (0099).", "0099"),
        ("See decision 0099.", "0099"),
        ("See `app/core/nothing.py`.", "app/core/nothing.py"),
        ("See app/core/nothing.py.", "app/core/nothing.py"),
        ("The hub (`nothing.py`) does it.", "nothing.py"),
        ("Everything in `app/nothing/` is pure.", "app/nothing/"),
        ("The tests in `tests/nothing` prove it.", "tests/nothing"),
        ("`tests/test_references.py::TestNothing`", "tests/test_references.py::TestNothing"),
        ("`tests/test_references.py::TestCode::test_no`", "tests/test_references.py::TestCode::test_no"),
        ("Ask `embargo.no" + "thing` first.", "embargo.no" + "thing"),
        ("Call `UnitOfWork.no" + "thing()`.", "UnitOfWork.no" + "thing()"),
        ("Ordered by `messages.no" + "thing`.", "messages.no" + "thing"),
        ("Then `compute_the_" + "moon` runs.", "compute_the_" + "moon"),
        ("It raises `Moon" + "Missing`.", "Moon" + "Missing"),
        ("At most `MOON_" + "LIMIT` of them.", "MOON_" + "LIMIT"),
        ("Then `moon" + "ing()` runs.", "moon" + "ing()"),
        ("The reason is decision " + "D5.", "decision " + "D5"),
        ("Read the design" + ".md.", "design" + ".md"),
    )
    TRUE = (
        "Why: docs/decisions/0021, [0021](decisions/0021-embargo.md), decision 0021, (0021).",
        "`docs/decisions/0021`",
        "`app/core/clock.py`, `core/clock.py`, clock.py, `app/core/`, `tests/api`",
        "`tests/test_references.py::TestCode`",
        "`tests/test_references.py::TestPages::test_links_lead_somewhere`",
        "`embargo.hides_test`, `UnitOfWork.jobs`, `messages.number`, `anyio.sleep`",
        "`may_access`, `DeadlinePassed`, `score_paper()`, `ok`, `GET /v1/tests`, `FOR UPDATE`",
    )

    def test_each_wrong_reference_is_found(self) -> None:
        found = {text: list(wrong_references(text, repository())) for text, _ in self.WRONG}
        assert [text for text, reference in self.WRONG if reference not in found[text]] == []

    def test_no_true_one_is(self) -> None:
        assert [text for text in self.TRUE if list(wrong_references(text, repository()))] == []

    def test_explanations_are_docstrings_and_comments(self) -> None:
        source = '"""A module."""\nX = "`no`"  # A comment.\ndef f():\n    """A function."""\n'
        nodes = list(ast.walk(ast.parse(source)))
        assert explanations(source, nodes).split("\n\n") == ["A module.", "A function.", "# A comment."]
