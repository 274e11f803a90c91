"""Sentences keep their template, so that they can be translated after they were raised."""

import pickle

import pytest

from app.sentences import Sentence

HINDI = {"There is no {thing}.": "{thing} नहीं है।", "door": "दरवाज़ा", "Try again.": "फिर कोशिश करें।"}


class TestSentence:
    def test_it_is_the_english_text(self) -> None:
        assert Sentence("There is no {thing}.", thing="window") == "There is no window."

    def test_braces_without_values_are_text(self) -> None:
        assert Sentence('Send {"a": 1}.') == 'Send {"a": 1}.'
        assert Sentence('Send {"a": 1}.').translated({}) == 'Send {"a": 1}.'

    def test_braces_in_values_are_text(self) -> None:
        sentence = Sentence("There is no {thing}.", thing="{other} {0}")
        assert (str(sentence), sentence.translated(HINDI)) == (
            "There is no {other} {0}.",
            "{other} {0} नहीं है।",
        )

    def test_an_error_gives_the_sentence_back(self) -> None:
        error = ValueError(Sentence("There is no {thing}.", thing=7))
        assert Sentence("{error}", error=str(error)).translated(HINDI) == "7 नहीं है।"

    @pytest.mark.parametrize(
        ("thing", "hindi"), [("door", "door नहीं है।"), (Sentence("door"), "दरवाज़ा नहीं है।")]
    )
    def test_a_value_is_translated_if_it_is_a_sentence(self, thing: str, hindi: str) -> None:
        assert Sentence("There is no {thing}.", thing=thing).translated(HINDI) == hindi

    def test_a_sentence_of_a_sentence_is_the_same(self) -> None:
        sentence = Sentence("There is no {thing}.", thing="key")
        assert Sentence(sentence) is sentence

    def test_several_are_translated_one_by_one(self) -> None:
        both = Sentence.joined(Sentence("There is no {thing}.", thing="key"), Sentence("Try again."))
        assert (both, both.translated(HINDI)) == ("There is no key. Try again.", "key नहीं है। फिर कोशिश करें।")

    def test_another_process_gets_the_template(self) -> None:
        sentence = Sentence("There is no {thing}.", thing=Sentence("door"))
        copy = pickle.loads(pickle.dumps(sentence))  # noqa: S301 -- our own bytes
        assert (copy, copy.translated(HINDI)) == (sentence, sentence.translated(HINDI))
