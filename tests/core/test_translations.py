"""Catalogs: entries of PO files, and sentences in the languages that we have."""

import pytest

from app.core.translations import ENGLISH, LANGUAGES, catalog, in_language, read_catalog

CATALOG = r"""msgid ""
msgstr ""
"Language: hi\n"

# A note to translators.
msgid "Try again."
msgstr "फिर कोशिश करें।"

msgid "Send \"a\" "
"or {b}."
msgstr ""
"\"a\" या "
"{b} भेजें।"

msgid "Without a translation."
msgstr ""

#, fuzzy
msgid "Changed since."
msgstr "पुराना"
"""


def test_entries_of_a_file() -> None:
    assert dict(read_catalog(CATALOG)) == {
        "Try again.": "फिर कोशिश करें।",
        'Send "a" or {b}.': '"a" या {b} भेजें।',
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_that_no_catalog_has_stays_english(language: str) -> None:
    assert in_language("Nobody has translated this.", language) == "Nobody has translated this."


def test_each_language_has_a_catalog() -> None:
    assert [language for language in LANGUAGES if language != ENGLISH and not catalog(language)] == []
