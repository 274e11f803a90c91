"""Finds the sentences of errors in the code: those that a client may be shown, as templates."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from app.api import problems, validation_messages
from app.core import errors
from app.core.saving_errors import NOT_IN_PROGRESS
from app.engine.question_types import QUESTION_TYPES
from app.main import create_app  # noqa: F401 -- imports every module, so that all errors are known
from app.repositories import violations
from tests.conftest import ROOT
from tests.source_code import dotted, source_of

SHAPE = re.compile(r'["“`A-Z{].* .* .*\.', re.DOTALL)
"""What a sentence looks like: it begins with a capital or a sign, has spaces, and ends with a full stop."""

INTERNAL_ERRORS = {
    "app/services/audit.py": "mistakes in the code",
    "app/engine/timing.py": "mistakes in the code",
    "app/engine/ranking.py": "mistakes in the code",
    "app/engine/statistics/": "services say it in their own words",
    "app/engine/equating/": "services say it in their own words",
}
"""Modules and folders that raise errors which no client sees, and why."""

OTHER_TEXTS = {
    **INTERNAL_ERRORS,
    "app/api/openapi/": "the OpenAPI document",
    "app/api/asyncapi.py": "the AsyncAPI document",
    "app/api/socket_examples.py": "the AsyncAPI document",
    "app/core/realtime/inbox.py": "the AsyncAPI document",
    "app/api/v1/exams/steering.py": "the OpenAPI document",
    "app/core/server_problems.py": "what the server answers before the language of a request is known",
    "app/core/receipts.py": "what `ias verify` says",
    "app/core/verifying.py": "what `ias verify` says",
    "app/engine/question_types/choice.py": "notes in the template of a sheet",
    "app/engine/question_types/text.py": "notes in the template of a sheet",
    "app/interchange/moodle_xml.py": "what Moodle writes by default",
    "app/repositories/privacy/exports.py": "explains the files of an export",
    "app/services/account_exports/contents.py": "explains the files of an export",
    "app/services/exams/answer_sheets/column_list.py": "the report of an import",
    "app/services/exams/answer_sheets/columns.py": "the report of an import",
    "app/services/exams/answer_sheets/placeholders.py": "the description of an exam",
    "app/services/notifications/delivering.py": "the log",
    "app/services/questions/columns.py": "the report of an import",
    "app/services/exams/key_announcements.py": "has its own Hindi",
    "app/services/exams/regranting.py": "notes in an answer to staff",
    "app/services/exams/editing.py": "notes in an answer to staff",
    "app/services/exams/steering.py": "notes in an answer to staff",
    "app/services/analytics/recommendation_wording.py": "has its own Hindi",
    "app/services/notifications/wording.py": "has its own Hindi",
    "app/services/printing/wording.py": "has its own Hindi",
    "app/services/result_documents/wording.py": "has its own Hindi",
    "app/services/reports/": "a page for staff, in English",
    "app/services/questions/templates.py": "notes in the template of a sheet",
    "app/services/questions/template_hindi.py": "notes in the template of a sheet",
}
"""Modules and folders with sentences that are no errors, and what these are."""

RAISES_FOR_CLIENTS = ("app/api/", "app/repositories/", "app/schemas/", "app/services/")
"""What these raise reaches a client, whatever it looks like."""

FOLDERS = ("api", "core", "engine", "interchange", "repositories", "schemas", "services", "sheets")

DOCUMENTATION = ("Field", "Query", "Body", "Header", "Path", "RuntimeError", "TypeError")
"""Calls whose texts are for readers of the documentation or the code."""

PLACES = {
    "Sentence": 0,
    "ContentProblem": 1,
    "FieldError": 1,
    "Invalid.field": 1,
    "QuestionUnreadable": 1,
    "TooManyRequests": 1,
}
"""Which argument of a call is the sentence. For other domain errors it is the first."""

SHOWN = (
    "ValueError",
    "TransitionRefused",
    "AlreadyDone",
    "UnreadableFile",
    "UnreadableSheet",
    "UnusableImage",
    "UnreadableQuestion",
)
"""Exceptions whose text becomes the message of an error."""

NOT_SHOWN = {
    **INTERNAL_ERRORS,
    "app/core/mail.py": "settings",
    "app/core/push.py": "settings",
    "app/core/storage.py": "settings",
}
"""Modules and folders whose ValueErrors no client sees."""


PARTS_OF_SENTENCES = {
    *(kind.title for kind in QUESTION_TYPES.values()),
    "answer sheets",
    "candidates",
    "questions",
}
"""Words that are put into sentences."""


@dataclass(frozen=True, slots=True)
class Found:
    """A sentence, or None for a text that cannot be translated because it is an f-string."""

    place: str
    template: str | None


def domain_errors(base: type[errors.DomainError] = errors.DomainError) -> Iterator[type[errors.DomainError]]:
    """The whole tree of domain errors."""
    yield base
    for each in base.__subclasses__():
        yield from domain_errors(each)


@cache
def _names_of_errors() -> set[str]:
    return {each.__name__ for each in domain_errors()}


OF_PROBLEMS = (*problems.FRAMEWORK_ERRORS.values(), problems.INTERNAL_ERROR, problems.OTHER_ERROR)
"""Titles and details of errors that no service raises."""


def titles() -> set[str]:
    """The titles of all problem documents."""
    return {each.title for each in domain_errors() if hasattr(each, "title")} | {
        title for title, _ in OF_PROBLEMS
    }


@cache
def error_sentences() -> tuple[Found, ...]:
    """All sentences of the code: those of calls, titles, and tables."""
    found: list[Found] = []
    for path in _modules():
        found += _Module(path).sentences()
    return (*found, *(Found(place, text) for place, texts in _tables() for text in texts))


def unmarked_sentences() -> Iterator[str]:
    """Texts of the code that look like a sentence or are raised, and that no rule above finds."""
    known = {errors.NO_SUCH, *(each.template for each in error_sentences())}
    for path in _modules():
        name = path.relative_to(ROOT).as_posix()
        if name.startswith(tuple(OTHER_TEXTS)):
            continue
        source = source_of(path)
        looking = [each for each in _texts_below(source.tree) if SHAPE.fullmatch(each[1])]
        if name.startswith(RAISES_FOR_CLIENTS):
            raised = source.nodes(ast.Raise)
            looking += [each for node in raised for each in _texts_below(node) if each[1].count(" ") > 1]
        for node, text in looking:
            if not {text, errors.NO_SUCH.format(text)} & known:
                yield f"{name}:{node.lineno}: {text}"


def _texts_below(node: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    """Texts, but not docstrings and the documentation of parameters and fields."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                yield node, node.value
        elif isinstance(node, ast.JoinedStr):
            parts = (str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
            yield node, "".join(parts)
        elif not _documents(node):
            waiting += ast.iter_child_nodes(node)


def _documents(node: ast.AST) -> bool:
    match node:
        case ast.Expr(value=ast.Constant()) | ast.keyword(arg="description"):
            return True
        case ast.Call(func=function):
            return dotted(function).rpartition(".")[2] in DOCUMENTATION
        case ast.Dict(keys=keys):
            return any(isinstance(key, ast.Constant) and key.value == "description" for key in keys)
    return False


def _modules() -> Iterator[Path]:
    for folder in FOLDERS:
        yield from sorted((ROOT / "app" / folder).rglob("*.py"))
    yield ROOT / "app" / "startup.py"


def _tables() -> Iterator[tuple[str, list[str]]]:
    yield "title", [*titles()]
    yield "app/api/problems.py", [detail for _, detail in OF_PROBLEMS]
    yield "app/core/saving_errors.py", [*NOT_IN_PROGRESS.values()]
    tables = (validation_messages.SENTENCES, validation_messages.FOR_ONE, validation_messages.FORMS)
    yield "app/api/validation_messages.py", [text for table in tables for text in table.values()]
    yield "app/repositories/violations.py", [*violations.ALREADY_EXISTS.values()]
    yield "app/engine/question_types", [kind.title for kind in QUESTION_TYPES.values()]
    yield "app/repositories/violations.py", [*violations.STILL_REFERENCED.values()]


class _Module:
    """The sentences of one module."""

    def __init__(self, path: Path) -> None:
        self.name = path.relative_to(ROOT).as_posix()
        self.source = source_of(path)
        self.assigned = defaultdict[str, list[ast.expr]](list)
        """What names are set to, anywhere in the module: a sentence may stand in a variable."""
        for node in self.source.nodes(ast.Assign):
            for target in node.targets:
                self._assign(target, node.value)
        for annotated in self.source.nodes(ast.AnnAssign):
            self._assign(annotated.target, annotated.value)

    def _assign(self, target: ast.expr, value: ast.expr | None) -> None:
        if isinstance(target, ast.Name) and value is not None:
            self.assigned[target.id].append(value)

    def sentences(self) -> Iterator[Found]:
        """What calls are given as a sentence, and defaults of errors."""
        for call in self.source.nodes(ast.Call):
            yield from self._of_call(call)
        for definition in self.source.nodes(ast.ClassDef):
            if definition.name in _names_of_errors():
                yield from self._of_class(definition)

    def _of_call(self, call: ast.Call) -> Iterator[Found]:
        name = dotted(call.func).removeprefix("errors.")
        yield from self._texts(each.value for each in call.keywords if each.arg == "noun")
        if name == "NotFound":
            for noun in self._texts(call.args[:1]):
                yield Found(noun.place, noun.template and errors.NO_SUCH.format(noun.template))
        elif (
            name in PLACES
            or name in _names_of_errors()
            or (name in SHOWN and not self.name.startswith(tuple(NOT_SHOWN)))
        ):
            yield from self._texts(call.args[PLACES.get(name, 0) :][:1])

    def _of_class(self, definition: ast.ClassDef) -> Iterator[Found]:
        """The sentences that an error passes to its base, and the defaults of its arguments."""
        for node in ast.walk(definition):
            if isinstance(node, ast.Call) and dotted(node.func) == "super().__init__":
                yield from self._texts(node.args[:1])
            elif isinstance(node, ast.arguments):
                yield from self._texts(each for each in node.defaults if isinstance(each, ast.Constant))

    def _texts(self, nodes: Iterable[ast.expr]) -> Iterator[Found]:
        for node in nodes:
            place = f"{self.name}:{node.lineno}"
            if isinstance(node, ast.Name):
                assigned = self.assigned[node.id]
                yield from self._texts(
                    each for each in assigned if isinstance(each, ast.Constant | ast.JoinedStr)
                )
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield Found(place, node.value)
            elif isinstance(node, ast.IfExp):
                yield from self._texts([node.body, node.orelse])
            elif isinstance(node, ast.BoolOp):
                yield from self._texts(node.values)
            elif isinstance(node, ast.JoinedStr | ast.BinOp):
                yield Found(place, None)
