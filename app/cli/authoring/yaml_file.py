"""Reads a YAML file with the line of each value, and checks it. Errors name the line and how to mend it."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

Location = tuple[str | int, ...]
File = TypeVar("File", bound=BaseModel)
MAX_BYTES = 1_000_000
# The core schema of YAML 1.2. YAML 1.1 would read `no` as false, and `10:30` as a number.
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
}
_WHOLE, _DECIMAL = re.compile(r"[-+]?[0-9]+"), re.compile(r"[-+]?[0-9]+\.[0-9]+")


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong at a line of a file."""

    file: Path
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.sentence}"


class BadFile(Exception):
    """A file that cannot be used, with all its mistakes."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class Source:
    """The content of a file, and the line of each value."""

    path: Path
    value: Any
    lines: Mapping[Location, int]

    def line_of(self, location: Location) -> int:
        """The line of a value, or of the nearest value around it."""
        while location and location not in self.lines:
            location = location[:-1]
        return self.lines.get(location, 1)

    def mistake(self, location: Location, sentence: str) -> BadFile:
        """An error about one value."""
        return BadFile([Mistake(self.path, self.line_of(location), sentence)])


def read(path: Path, model: type[File]) -> tuple[File, Source]:
    """The checked content of a file. Raises BadFile with all mistakes."""
    source = parse(path)
    try:
        return model.model_validate(source.value), source
    except ValidationError as error:
        mistakes = [_mistake(source, model, each) for each in error.errors()]
        raise BadFile(sorted(mistakes, key=lambda each: each.line)) from None


def parse(path: Path) -> Source:
    """The content of a YAML file."""
    try:
        content = path.read_bytes()
        if len(content) > MAX_BYTES:
            raise BadFile([Mistake(path, 1, "the file is larger than 1 MB; split it")])
        node = yaml.compose(content.decode("utf-8-sig"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise BadFile([Mistake(path, 1, f"the file cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError:
        raise BadFile([Mistake(path, 1, "the file is not UTF-8; save it as UTF-8")]) from None
    except yaml.YAMLError as error:
        raise BadFile([Mistake(path, _line_of(error), _sentence_of(error))]) from None
    except RecursionError:
        raise BadFile([Mistake(path, 1, "the values are nested too deeply")]) from None
    if node is None:
        raise BadFile([Mistake(path, 1, "the file is empty")])
    reader = _Reader(path)
    return Source(path, reader.value(node, ()), reader.lines)


class _Reader:
    """Turns the nodes of a file into values, and notes their lines."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.lines: dict[Location, int] = {}
        self._seen: set[int] = set()

    def value(self, node: yaml.Node, location: Location) -> Any:
        self.lines.setdefault(location, node.start_mark.line + 1)
        if id(node) in self._seen:
            raise self._mistake(node, "aliases (`*name`) are not read; write the value again")
        self._seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, location)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(each, (*location, number)) for number, each in enumerate(node.value)]
        return _scalar(node)

    def _mapping(self, node: yaml.MappingNode, location: Location) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, part in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self._mistake(key, "a key must be a plain text")
            if key.value in values:
                raise self._mistake(key, f"`{key.value}` is given twice; remove one")
            self.lines[*location, key.value] = key.start_mark.line + 1
            values[key.value] = self.value(part, (*location, key.value))
        return values

    def _mistake(self, node: yaml.Node, sentence: str) -> BadFile:
        return BadFile([Mistake(self._path, node.start_mark.line + 1, sentence)])


def _scalar(node: Any) -> Any:
    """A value by the core schema of YAML 1.2. Quoted values are texts; times are texts, too."""
    text = str(node.value)
    if node.style in ("'", '"', "|", ">"):
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text


def _mistake(source: Source, model: type[BaseModel], error: Any) -> Mistake:
    from app.api.validation_messages import message_of  # noqa: PLC0415 -- slow to import

    location = _in_file(source, error["loc"])
    name = name_of(location)
    if error["type"] == "extra_forbidden":
        known = _known_names(model.model_json_schema(), location[:-1])
        near = difflib.get_close_matches(str(location[-1]), known, 1)
        hint = f"Did you mean `{near[0]}`?" if near else f"Known here: {', '.join(sorted(known))}."
        sentence = f"unknown key {name}. {hint}"
    elif error["type"] == "missing":
        sentence = f"{name} is missing; add it"
    else:
        sentence = f"{name}: {message_of(error)}"
    return Mistake(source.path, source.line_of(location), sentence)


def name_of(location: Location) -> str:
    """The path to a value as an error names it. Items of lists are counted from 1."""
    path = ".".join(str(part + 1) if isinstance(part, int) else part for part in location)
    return f"`{path}`" if path else "the file"


def _in_file(source: Source, location: Location) -> Location:
    """The part of a location of Pydantic that names keys of the file; the rest names types."""
    named: Location = ()
    value = source.value
    for number, part in enumerate(location):
        if isinstance(value, dict) and (part in value or number == len(location) - 1) and part != "[key]":
            named, value = (*named, part), value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            named, value = (*named, part), value[part]
    return named


def _known_names(schema: Any, location: Location) -> set[str]:
    """The keys that a mapping at this location may have."""
    found = [schema]
    for part in location:
        found = [
            inner
            for each in _alternatives(found, schema)
            if (inner := each.get("items") if isinstance(part, int) else each.get("properties", {}).get(part))
        ]
    return {name for each in _alternatives(found, schema) for name in each.get("properties", {})}


def _alternatives(found: Sequence[Any], schema: Any) -> list[Any]:
    """The schemas with their references and alternatives resolved."""
    resolved: list[Any] = []
    for each in found:
        if "$ref" in each:
            resolved += _alternatives([schema["$defs"][each["$ref"].rpartition("/")[2]]], schema)
        elif "anyOf" in each:
            resolved += _alternatives(each["anyOf"], schema)
        else:
            resolved.append(each)
    return resolved


def _line_of(error: yaml.YAMLError) -> int:
    mark = getattr(error, "problem_mark", None)
    return mark.line + 1 if mark is not None else 1


def _sentence_of(error: yaml.YAMLError) -> str:
    problem = getattr(error, "problem", None) or "it cannot be read"
    return f"this is not YAML: {problem}. Check the indentation, and put texts with `: ` or `#` in quotes"
