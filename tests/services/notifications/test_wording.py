"""Mails: their languages, and what a stranger's name must not do in them."""

import pytest

from app.services.notifications import name_to_greet, render


class TestRender:
    @pytest.mark.parametrize(
        ("language", "subject"),
        [
            ("en", "Welcome to the IAS Test Series"),
            ("hi", "आईएएस टेस्ट सीरीज़ में आपका स्वागत है"),
            ("hi-IN", "आईएएस टेस्ट सीरीज़ में आपका स्वागत है"),
            ("ta", "Welcome to the IAS Test Series"),
        ],
    )
    def test_it_speaks_the_language_or_english(self, language: str, subject: str) -> None:
        assert render("welcome", language, name="Asha", app_url="https://app.example.org")[0] == subject

    def test_text_and_html_say_the_same(self) -> None:
        _, text, html = render("welcome", "en", name="Asha", app_url="https://app.example.org")
        for part in ("Hello Asha,", "https://app.example.org", "your account is ready"):
            assert part in text
            assert part in html

    def test_without_a_name_it_greets_all_the_same(self) -> None:
        _, text, _ = render("welcome", "hi", name=None, app_url="https://app.example.org")
        assert text.startswith("नमस्ते,\n")

    def test_html_is_escaped(self) -> None:
        _, _, html = render("welcome", "en", name="<b>A</b>", app_url='https://x.example/"><script>')
        assert "<b>" not in html
        assert "<script>" not in html
        assert "&lt;b&gt;A" in html


class TestNameToGreet:
    @pytest.mark.parametrize("name", ["Asha Rao", "आशा राव", "S. K. Iyer", "Jean-Luc O'Brien", "அருண்"])
    def test_names_of_people_are_used(self, name: str) -> None:
        assert name_to_greet(name) == name

    @pytest.mark.parametrize(
        "name",
        ["win at evil.example", "https://evil.example", "a@b.example", "A" * 61, "", " ", "Asha\nBcc: x"],
    )
    def test_what_could_be_somebodys_message_is_not(self, name: str) -> None:
        assert name_to_greet(name) is None
