"""Slugs of names in several scripts."""

import re

import pytest

from app.core.slugs import MAX_SLUG_LENGTH, slug_of


class TestSlugOf:
    @pytest.mark.parametrize(
        ("name", "slug"),
        [
            ("Science & Technology", "science-technology"),
            ("  Current   Affairs ", "current-affairs"),
            ("Économie générale", "economie-generale"),
            ("GS Paper 2 (CSAT)", "gs-paper-2-csat"),
            ("राजव्यवस्था", "raajavyavasthaa"),
            ("भारत का भूगोल", "bhaarata-kaa-bhuugola"),
            ("सिंधु २", "sindhu-2"),
            ("பொருளாதாரம்", "porullaataaram"),
        ],
    )
    def test_says_the_name(self, name: str, slug: str) -> None:
        assert slug_of(name) == slug

    @pytest.mark.parametrize("name", ["中文", "!!!", "—", "🙂", "اقتصاد", "a" * 300, "x" * 99 + " y"])
    def test_any_name_gives_a_slug_that_the_api_accepts(self, name: str) -> None:
        slug = slug_of(name)
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug)
        assert len(slug) <= MAX_SLUG_LENGTH

    def test_names_without_a_letter_differ(self) -> None:
        assert slug_of("!!!") != slug_of("???")
