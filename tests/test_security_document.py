"""docs/security.md is complete, and security rules that no linter checks."""

import re
import tomllib
from collections.abc import Iterator

from tests.conftest import ROOT

PAGE = ROOT / "docs" / "security.md"
CITED = re.compile(r"`tests/")
REQUIREMENT = re.compile(r"v5\.0\.0-V(\d+)\.\d+\.\d+")
SUPPRESSED = re.compile(r"# noqa: [^-\n]*\bS\d{3}\b(?!.* -- \w)")
EXPLAINED = ("not held", "inspection", "`make audit`")


def rows(text: str) -> Iterator[str]:
    """The lines of tables, without their heads."""
    for line in text.splitlines():
        if line.startswith(("| API", "| v5.0.0-")):
            yield line


class TestDocument:
    def test_each_row_names_a_test_or_says_why_there_is_none(self) -> None:
        unexplained = [
            row
            for row in rows(PAGE.read_text())
            if not CITED.search(row) and not any(reason in row for reason in EXPLAINED)
        ]
        assert unexplained == []

    def test_all_ten_items_and_all_chapters_are_there(self) -> None:
        text = PAGE.read_text()
        assert re.findall(r"^\| (API\d+) ", text, re.MULTILINE) == [f"API{number}" for number in range(1, 11)]
        chapters = re.findall(r"^### V(\d+) ", text, re.MULTILINE)
        assert chapters == [str(number) for number in range(1, 18)]

    def test_a_requirement_stands_in_its_chapter(self) -> None:
        for section in PAGE.read_text().split("\n### V")[1:]:
            assert set(REQUIREMENT.findall(section)) <= {section.partition(" ")[0]}


class TestCode:
    def test_each_suppressed_security_rule_has_its_reason(self) -> None:
        files = [*(ROOT / "app").rglob("*.py"), *(ROOT / "migrations").rglob("*.py")]
        found = {file.name: SUPPRESSED.findall(file.read_text()) for file in files}
        assert {name: lines for name, lines in found.items() if lines} == {}

    def test_security_rules_are_on_except_for_tests(self) -> None:
        lint = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
        assert "S" in lint["select"]
        assert not [rule for rule in lint["ignore"] if rule.startswith("S1")]
        exempt = {
            where
            for where, rules in lint["per-file-ignores"].items()
            if any(re.fullmatch(r"S\d*", rule) for rule in rules)
        }
        assert exempt == {"tests/**", "benchmarks/**"}

    def test_no_client_follows_redirects(self) -> None:
        found = [file.name for file in (ROOT / "app").rglob("*.py") if "follow_redirects" in file.read_text()]
        assert found == []

    def test_make_audit_looks_at_code_components_and_vulnerabilities(self) -> None:
        makefile = (ROOT / "Makefile").read_text()
        recipe = makefile.partition("\naudit:")[2].partition("\n\n")[0]
        for part in ("ruff check --select S", "cyclonedx-py requirements", "pip-audit", "--strict"):
            assert part in recipe
