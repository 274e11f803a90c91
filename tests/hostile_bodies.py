"""Request bodies that cost a server much time or memory if it reads, parses or walks them without a bound."""

import gzip
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

Schema = Mapping[str, Any]

JSON = "application/json"
FORM = "multipart/form-data; boundary=frontier"
MEGABYTE = 1_000_000
CHUNK = 64 * 1024
PYTHON_DEPTH = 900
"""Less than Python's recursion limit, so that its JSON parser accepts it."""

Parts = Callable[[], Iterator[bytes]]


@dataclass(frozen=True)
class Body:
    """A body and the headers that it is sent with."""

    parts: Parts
    """The content, chunk by chunk, made anew by each call."""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Frame:
    """The field of an operation's request body that holds a list; a common name where there is none."""

    list_field: str = "items"


Shape = Callable[[Frame], Body]


def whole(content: bytes, content_type: str | None = JSON, **headers: str) -> Body:
    """A body with an honest length, in chunks as a server hands them out."""
    typed = {"content-type": content_type} if content_type else {}
    announced = {"content-length": str(len(content))}
    return Body(lambda: _chunks(content), typed | announced | headers)


def _chunks(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), CHUNK):
        yield content[start : start + CHUNK]


def _repeated(chunk: bytes, times: int, content_type: str = JSON, **headers: str) -> Body:
    """A body that is never whole in memory."""
    return Body(lambda: (chunk for _ in range(times)), {"content-type": content_type, **headers})


def _fixed(content: Callable[[], bytes], content_type: str | None = JSON, **headers: str) -> Shape:
    """A shape that is the same for every operation, made once."""

    @cache
    def made() -> Body:
        return whole(content(), content_type, **headers)

    return lambda frame: made()


def _filled(size: int, element: bytes, start: bytes = b"[", end: bytes = b"]") -> bytes:
    """A JSON list of so many bytes, of one element again and again."""
    times = (size - len(start) - len(end)) // (len(element) + 1)
    return start + b",".join([element] * times) + end


def _deep_and_wide(size: int, element: bytes) -> bytes:
    """Each element stands below hundreds of lists: who copies the way to each copies gigabytes."""
    return b"[" * PYTHON_DEPTH + _filled(size, element, b"", b"") + b"]" * PYTHON_DEPTH


def _in_frame(element: bytes, times: int) -> Shape:
    """A valid object whose list has so many elements."""

    @cache
    def made(name: str) -> Body:
        return whole(b'{"%b":[%b]}' % (name.encode(), b",".join([element] * times)))

    return lambda frame: made(frame.list_field)


def _wide_object(size: int) -> bytes:
    return b"{" + b",".join(b'"k%d":0' % number for number in range(size // 12)) + b"}"


def _parts_of_a_form(count: int) -> bytes:
    part = b'--frontier\r\nContent-Disposition: form-data; name="f%d"\r\n\r\n0\r\n'
    return b"".join(part % number for number in range(count)) + b"--frontier--\r\n"


def _form_with_a_huge_header(size: int) -> bytes:
    name = b"n" * size
    return b'--frontier\r\nContent-Disposition: form-data; name="%b"\r\n\r\n0\r\n--frontier--\r\n' % name


SHAPES: dict[str, Shape] = {
    "lists nested at the parser's limit": _fixed(
        lambda: _filled(MEGABYTE - 100, b"[" * PYTHON_DEPTH + b"]" * PYTHON_DEPTH)
    ),
    "a wide list at the bottom of deep ones": _fixed(lambda: _deep_and_wide(MEGABYTE - 2_000, b"0")),
    "as many escaped NULs at the bottom of deep lists as are parsed": _fixed(
        lambda: _deep_and_wide(430_000, rb'"\u0000"')
    ),
    "lists nested far beyond it": _fixed(lambda: b"[" * (MEGABYTE // 2 - 1) + b"]" * (MEGABYTE // 2 - 1)),
    "lists nested and never closed": _fixed(lambda: b"[" * 49_000),
    "objects nested": _fixed(lambda: b'{"a":' * 160_000 + b"0" + b"}" * 160_000),
    "a list of numbers": _fixed(lambda: _filled(MEGABYTE - 100, b"0")),
    "a list of objects": _fixed(lambda: _filled(MEGABYTE - 100, b'{"a":0}')),
    "a wide object": _fixed(lambda: _wide_object(MEGABYTE - 100)),
    "many empty containers": _fixed(lambda: _filled(MEGABYTE - 100, b"[],{}")),
    "nothing but commas": _fixed(lambda: b"," * (MEGABYTE - 1)),
    "one long string": _fixed(lambda: b'"' + b"x" * (MEGABYTE - 100) + b'"'),
    "one long name": _fixed(lambda: b'{"' + b"x" * (MEGABYTE - 100) + b'":0}'),
    "one long integer": _fixed(lambda: b"9" * (MEGABYTE - 100)),
    "one large exponent": _fixed(lambda: b"[1e" + b"9" * (MEGABYTE - 100) + b"]"),
    "numbers that are none": _fixed(lambda: _filled(290_000, b"NaN,Infinity,-Infinity")),
    "escaped NULs": _fixed(lambda: b'"' + rb"\u0000" * 100_000 + b'"'),
    "an escaped NUL in each of many strings": _fixed(lambda: _filled(390_000, rb'"\u0000"')),
    "lone surrogates": _fixed(lambda: b'"' + rb"\ud800" * 100_000 + b'"'),
    "the same name again and again": _fixed(lambda: _filled(390_000, b'"a":"b"', b"{", b"}")),
    "text that is no JSON": _fixed(lambda: b"All men are mortal. " * 3_000),
    "Latin-1": _fixed(lambda: b'{"a":"' + "é".encode("latin-1") * 60_000 + b'"}'),
    "UTF-8 that is cut off": _fixed(lambda: ('{"a":"' + "अ" * 20_000).encode()[:-1]),
    "UTF-16": _fixed(lambda: ('{"a":"' + "x" * 30_000 + '"}').encode("utf-16")),
    "JSON as plain text": _fixed(lambda: _filled(60_000, b"0"), "text/plain"),
    "JSON without a type": _fixed(lambda: _filled(60_000, b"0"), None),
    "compressed": _fixed(lambda: gzip.compress(b"0" * 30 * MEGABYTE), **{"content-encoding": "gzip"}),
    "a form of 10,000 parts": _fixed(lambda: _parts_of_a_form(10_000), FORM),
    "a form with a long header": _fixed(lambda: _form_with_a_huge_header(MEGABYTE - 1_000), FORM),
    "no length, and a chunk over the limit": lambda frame: _repeated(b" " * CHUNK, MEGABYTE // CHUNK + 2),
    "a length that is too small": lambda frame: _repeated(b" " * CHUNK, 40, **{"content-length": "10"}),
    "a length that is too large": lambda frame: _repeated(b"[" * 1_000, 20, **{"content-length": "60000"}),
    "a length that is no number": lambda frame: _repeated(b" " * CHUNK, 40, **{"content-length": "-1"}),
    "30 MB": lambda frame: _repeated(b"0," * (CHUNK // 2), 30 * MEGABYTE // CHUNK),
    "30 MB, announced": lambda frame: _repeated(
        b"0," * (CHUNK // 2), 458, **{"content-length": str(458 * CHUNK)}
    ),
    "200,000 objects in the operation's own list": _in_frame(b"{}", 200_000),
    "as many objects in the operation's own list as are parsed": _in_frame(b"{}", 24_900),
    "as many numbers in the operation's own list as are parsed": _in_frame(b"0", 49_900),
}
"""Each shape by name. Those of the last lines are valid outside, and wrong in their elements."""

WORST = (
    "lists nested at the parser's limit",
    "a wide list at the bottom of deep ones",
    "as many escaped NULs at the bottom of deep lists as are parsed",
    "an escaped NUL in each of many strings",
    "a length that is too small",
    "200,000 objects in the operation's own list",
    "as many objects in the operation's own list as are parsed",
)
"""Those with which most was done before there were bounds."""

DIFFERENT_HEADERS = (
    "a list of numbers",
    "JSON as plain text",
    "JSON without a type",
    "compressed",
    "a form of 10,000 parts",
    "no length, and a chunk over the limit",
    "a length that is too small",
    "a length that is too large",
    "a length that is no number",
    "30 MB, announced",
)
"""One shape of each kind of headers. A body that is not read acts by its headers alone."""


def kind_of_headers(body: Body) -> tuple[frozenset[tuple[str, str]], str]:
    """The headers but the length, and whether the length is right."""
    headers = dict(body.headers)
    announced = headers.pop("content-length", None)
    return frozenset(headers.items()), _truth_of(announced, sum(len(part) for part in body.parts()))


def _truth_of(announced: str | None, length: int) -> str:
    if announced is None:
        return "no length"
    if not announced.isdecimal():
        return "no number"
    return "right" if int(announced) == length else "too small" if int(announced) < length else "too large"


def frame_of(document: Mapping[str, Any], method: str, path: str) -> Frame:
    """The list of an operation's JSON body, as the OpenAPI document describes it."""
    content = document["paths"][path][method.lower()].get("requestBody", {}).get("content", {})
    schema = _resolved(document, content.get(JSON, {}).get("schema", {}))
    for name, each in schema.get("properties", {}).items():
        if any(_resolved(document, option).get("type") == "array" for option in each.get("anyOf", [each])):
            return Frame(name)
    return Frame()


def _resolved(document: Mapping[str, Any], schema: Schema) -> Schema:
    """A schema without its reference; of alternatives, the first that is an object."""
    if reference := schema.get("$ref"):
        return _resolved(document, document["components"]["schemas"][reference.rpartition("/")[2]])
    for option in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        if (resolved := _resolved(document, option)).get("type") == "object":
            return resolved
    return schema
