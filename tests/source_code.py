"""Python files of the repository, each parsed once in a process, and their nodes by kind.

Several tests judge all files. To parse those of `app/` takes a second, and to visit their nodes takes more.
"""

import ast
from collections import defaultdict
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar

Node = TypeVar("Node", bound=ast.AST)
Function = ast.FunctionDef | ast.AsyncFunctionDef
Documented = ast.Module | ast.ClassDef | Function


class Source:
    """The text of a module, its tree, and its nodes."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def _nodes(self) -> dict[type[ast.AST], list[Any]]:
        nodes = defaultdict[type[ast.AST], list[Any]](list)
        for node in ast.walk(self.tree):
            nodes[type(node)].append(node)
        return nodes

    def nodes(self, kind: type[Node]) -> list[Node]:
        return self._nodes.get(kind, [])

    def functions(self) -> list[Function]:
        """All functions, also methods and those within others."""
        return [*self.nodes(ast.FunctionDef), *self.nodes(ast.AsyncFunctionDef)]

    def documented(self) -> list[Documented]:
        """What may have a docstring."""
        return [self.tree, *self.nodes(ast.ClassDef), *self.functions()]


@cache
def source_of(path: Path) -> Source:
    """A file that does not change during a run."""
    return Source(path.read_text())


def dotted(node: ast.expr) -> str:
    """A name as it is written: `datetime.now`, `super().__init__`. What is no name within it is left out."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            return f"{dotted(value)}.{name}"
        case ast.Call(func=function):
            return f"{dotted(function)}()"
    return ""
