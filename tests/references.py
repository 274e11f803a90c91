"""References: what pages, docstrings and comments cite, and whether it exists in the repository.

Names of the code stand in backquotes. These are found:

- a decision: `docs/decisions/0021`, `decisions/0021-embargo.md`, "decision 0021", "(0021)";
- a file or folder: `app/main.py`, `core/clock.py`, `app/sheets/`;
- a definition in a file: `tests/test_references.py::TestWrongReferences`;
- a member of a module, class or table: `embargo.hides_test`, `UnitOfWork.jobs`;
- a name of the code: `may_access`, `DeadlinePassed`, `score_paper()`.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path

from tests.conftest import ROOT
from tests.source_code import Documented, Function, source_of

FOLDERS = ("app", "benchmarks", "devservers", "migrations", "rehearsal", "tests")
GENERATED = {"__pycache__", "node_modules", "dist", "build"}
EXTENSIONS = "py|md|sh|toml|yml|yaml|conf|ini|typ"

PLACEHOLDER = "NAME."
QUOTED = re.compile(r"`([^`\n]+)`")
DECISION = re.compile(r"(?:decisions/|\b[Dd]ecision |\bADR |(?<!\])\()(00\d\d)(-[\w-]+(?:\.md)?)?(?![\w-])")
PATH = re.compile(
    rf"(?<![\w./*{{~$:-])((?:\.?[\w-][\w.-]*/)*[\w-][\w.-]*\.(?:{EXTENSIONS}))((?:::\w+)*)(?![\w/*])"
)
PLACE = re.compile(rf"(?:\.?\w[\w.-]*/)+|(?:{'|'.join(FOLDERS)}|docs)(?:/[\w-]+)+")
DOTTED = re.compile(r"([A-Za-z_]\w*)\.([A-Za-z_]\w*)(?:\.\w+)*(?:\(.*\))?")
NAME = re.compile(
    r"(_?[a-z]+(?:_[a-z0-9]+)+|[A-Z]+(?:_[A-Z0-9]+)+|(?:[A-Z][a-z0-9]+){2,}|[a-z]\w*(?=\(\)))(?:\(\))?"
)
CHAIN = re.compile(r"\w+(?:\.[A-Za-z_]\w*)*")
COMMENT = re.compile(r"(?:^|\s)#\s.*")
# Documents that readers of the repository do not have; in pieces, so that this file passes its own rule.
OUTSIDE = re.compile(
    "|".join((r"decision\s" + r"D\d+", r"\(" + r"D\d+\)", "design" + r"\.md", "contract" + r"\.md"))
)

# Names that stand in backquotes and are not ours.
ELSEWHERE = {
    "auto_explain": "an extension of PostgreSQL",
    "pg_dump": "a program of PostgreSQL",
    "pg_upgrade": "a program of PostgreSQL",
    "prometheus_client": "a package that was not chosen",
    "SO_TIMESTAMP": "an option of sockets in Linux",
    "StartTestProblem": "a schema of the OpenAPI document, named after its operation",
    "TestClient": "a class of Starlette",
    "checks.loops": "a field of the answer of `GET /health/ready`",
    "options.b.text.en": "a place in a document",
    "utils.py": "a file that must not exist",
}

Definition = Function | ast.ClassDef


@dataclass
class Index:
    """What exists: paths, members by owner (a module, class or table), words and dotted pairs of the code."""

    paths: set[str] = field(default_factory=set)
    members: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    words: set[str] = field(default_factory=set)
    definitions: dict[str, set[str]] = field(default_factory=dict)
    """The functions and classes of each module, by its path."""
    explanations: dict[Path, str] = field(default_factory=dict)
    """The docstrings and comments of each module, since the modules are parsed for the rest anyway."""

    def add_path(self, path: Path) -> None:
        """Add a file and its folders, also by the end of their paths: `core/clock.py`, `clock.py`."""
        for place in (path, *path.parents):
            self.paths |= {"/".join(place.parts[start:]) for start in range(len(place.parts))}

    def has_path(self, path: str) -> bool:
        return path.removeprefix("./").rstrip("/") in self.paths

    def has_decision(self, number: str, slug: str) -> bool:
        stem = f"docs/decisions/{number}{slug.removesuffix('.md')}"
        return any(path == f"{stem}.md" or (not slug and path.startswith(f"{stem}-")) for path in self.paths)

    def has_definition(self, path: str, names: str) -> bool:
        return names.removeprefix("::") in self.definitions.get(path, ())

    def has_member(self, owner: str, member: str) -> bool:
        """True also if the owner is not ours, or the code has the same expression, such as a variable's."""
        names = (owner, owner.capitalize(), f"{owner.capitalize()}Out")
        owners = [self.members[name] for name in names if name in self.members]
        return not owners or any(member in each for each in owners) or f"{owner}.{member}" in self.words

    def has_name(self, name: str) -> bool:
        """True also for a numbered name whose number the code computes, such as `option_6`."""
        return name in self.words or name.rstrip("0123456789") in self.words


def wrong_references(text: str, index: Index) -> Iterator[str]:
    yield from (match[0] for match in OUTSIDE.finditer(text))
    for number, slug in DECISION.findall(text):
        if not index.has_decision(number, slug):
            yield number + slug
    for path, names in PATH.findall(text):
        exists = index.has_definition(path, names) if names else index.has_path(path)
        if not exists and path not in ELSEWHERE and PLACEHOLDER not in path:
            yield path + names
    yield from (quoted for quoted in QUOTED.findall(text) if not is_known(quoted, index))


def is_known(quoted: str, index: Index) -> bool:
    if quoted in ELSEWHERE or PATH.fullmatch(quoted) or DECISION.fullmatch(quoted.removeprefix("docs/")):
        return True
    if PLACE.fullmatch(quoted):
        return index.has_path(quoted)
    if dotted := DOTTED.fullmatch(quoted):
        return index.has_member(dotted[1], dotted[2])
    if name := NAME.fullmatch(quoted):
        return index.has_name(name[1])
    return True


def definitions(tree: ast.Module) -> set[str]:
    """The functions and classes of a file, and those within a class as `Class::name`."""
    found = set()
    for node in (each for each in tree.body if isinstance(each, Definition)):
        inner = [each for each in node.body if isinstance(each, Definition)]
        found |= {node.name, *(f"{node.name}::{each.name}" for each in inner)}
    return found


def explanations(source: str, nodes: Iterable[ast.AST]) -> str:
    """The docstrings and comments of a module."""
    docstrings = [ast.get_docstring(node) or "" for node in nodes if isinstance(node, Documented)]
    # Most lines have no comment, and to look for a character is cheap.
    comments = (COMMENT.search(line) for line in source.splitlines() if "#" in line)
    return "\n\n".join([*docstrings, *(comment[0].strip() for comment in comments if comment)])


@cache
def repository() -> Index:
    index = Index()
    for path in our_files():
        index.add_path(path.relative_to(ROOT))
        if path.suffix == ".py":
            add_module(index, path)
        elif path.suffix != ".md":
            index.words |= words(text_of(path))
    return index


def our_files() -> Iterator[Path]:
    for path in ROOT.iterdir():
        if path.is_file():
            yield path
        elif path.name == ".ci" or not (path.name.startswith(".") or path.name in GENERATED):
            files = (each for each in path.rglob("*") if each.is_file())
            yield from (each for each in files if not GENERATED.intersection(each.parts))


def text_of(path: Path) -> str:
    """Empty if the file is no text."""
    try:
        return path.read_text()
    except UnicodeDecodeError:
        return ""


def words(text: str) -> set[str]:
    """The words of a text, and each two that a dot joins."""
    found = set(CHAIN.findall(text))
    for chain in [each for each in found if "." in each]:
        names = chain.split(".")
        found.update(names, map(".".join, pairwise(names)))
    return found


def add_module(index: Index, path: Path) -> None:
    source = path.read_text()
    # The trees of the application stay, because other tests need them. Those of all files would be too many.
    tree = source_of(path).tree if path.is_relative_to(ROOT / "app") else ast.parse(source)
    nodes = statements(tree)
    index.definitions[path.relative_to(ROOT).as_posix()] = definitions(tree)
    is_package = path.stem == "__init__"
    module = index.members[path.parent.name if is_package else path.stem]
    module |= {name for node in nodes for name in defined_names(node)}
    if is_package:
        module |= {each.stem for each in path.parent.iterdir()}
    for node in nodes:
        if isinstance(node, ast.ClassDef):
            members = {name for each in statements(node) for name in defined_names(each)}
            for owner in (node.name, *table_names(node)):
                index.members[owner] |= members
    index.words |= words(code_of(source, nodes))
    index.explanations[path] = explanations(source, nodes)


def statements(node: ast.AST) -> list[ast.AST]:
    """A module or statement, and all statements in it. Expressions, which are most nodes, are not visited."""
    found = [node]
    for each in found:  # The list grows by what is found in each.
        for name in ("body", "handlers", "orelse", "finalbody", "cases"):
            found += getattr(each, name, ())
    return found


def code_of(source: str, nodes: Iterable[ast.AST]) -> str:
    """The source without its docstrings and comments."""
    lines = source.splitlines()
    for node in nodes:
        if isinstance(node, Documented) and ast.get_docstring(node, clean=False):
            docstring = node.body[0]
            for number in range(docstring.lineno - 1, docstring.end_lineno or docstring.lineno):
                lines[number] = ""
    return "\n".join(COMMENT.sub("", line) if "#" in line else line for line in lines)


def defined_names(node: ast.AST) -> Iterator[str]:
    """The names that a statement defines, also as attributes of `self`."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Import() | ast.ImportFrom():
            yield from (alias.asname or alias.name for alias in node.names)
        case ast.Assign(targets=targets):
            yield from (name for target in targets for name in target_names(target))
        case ast.AnnAssign(target=target):
            yield from target_names(target)


def target_names(target: ast.expr) -> Iterator[str]:
    match target:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            yield name
        case ast.Tuple(elts=parts):
            yield from (name for part in parts for name in target_names(part))


def table_names(node: ast.ClassDef) -> Iterator[str]:
    for each in node.body:
        match each:
            case ast.Assign(targets=[ast.Name(id="__tablename__")], value=ast.Constant(value=str() as name)):
                yield name
