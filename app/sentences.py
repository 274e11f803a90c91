"""Sentences for people that can be shown in another language.

A sentence is written in English where it is raised. Its Hindi is in `app/locales/hi.po`, found by the English
text (docs/decisions/0059). This module is below all others, because every layer writes sentences.
"""

from collections.abc import Mapping
from typing import Any, Self


class Sentence(str):
    """An English sentence with the template and the values from which it was made.

    `Sentence("The exam has a paper {code} already.", code=code)` is the English text, wherever a text is
    needed. A value that is a sentence itself is translated with it. A sentence without values that is passed
    directly to an error needs no `Sentence`.
    """

    __slots__ = ("template", "values")

    template: str
    values: Mapping[str, Any]

    def __new__(cls, template: str, /, **values: Any) -> Self:
        if isinstance(template, cls) and not values:
            return template
        sentence = super().__new__(cls, template.format_map(values) if values else template)
        sentence.template = template
        sentence.values = values
        return sentence

    @classmethod
    def joined(cls, *sentences: str) -> Self:
        """Several sentences as one text."""
        values = {f"sentence_{number}": cls(sentence) for number, sentence in enumerate(sentences)}
        return cls(" ".join(f"{{{name}}}" for name in values), **values)

    def __str__(self) -> str:
        """The sentence itself, so that `str(error)` still has the template."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep the template when a sentence is sent to another process."""
        return _restored, (self.template, dict(self.values))

    def translated(self, catalog: Mapping[str, str]) -> str:
        """The sentence in the language of a catalog, which has the translations of templates."""
        template = catalog.get(self.template, self.template)
        if not self.values:
            return template
        return template.format_map({name: translated(value, catalog) for name, value in self.values.items()})


def translated(value: Any, catalog: Mapping[str, str]) -> Any:
    """A value of a sentence in the language of a catalog. Only sentences have a translation."""
    return value.translated(catalog) if isinstance(value, Sentence) else value


def _restored(template: str, values: Mapping[str, Any]) -> Sentence:
    return Sentence(template, **values)
