"""Nobody sees what they must not see before the release."""

import pytest

from rehearsal.exam.secrecy import Secrecy


class TestWatch:
    @pytest.mark.parametrize(
        "body",
        [
            b'{"key":{"accepted":[["a"]]}}',
            b'{"explanation":"because"}',
            b'{"score":"1.34"}',
            b'{"items":[{"rank":3}]}',
            b'{"papers":[{"percentile":99.5}]}',
        ],
    )
    def test_a_secret_is_seen_once_for_each_kind(self, body: bytes) -> None:
        secrecy = Secrecy()
        for kind in ("save", "save", "paper"):
            secrecy.watch(kind, body)

        assert [sentence.partition(" says")[0] for sentence in secrecy.problems] == [
            "before the release, an answer to save",
            "before the release, an answer to paper",
        ]

    @pytest.mark.parametrize(
        "body", [b'{"package_key":"x"}', b'{"score":null}', b'{"marks":"2"}', b"\x00\xff"]
    )
    def test_what_is_none_is_not(self, body: bytes) -> None:
        secrecy = Secrecy()
        secrecy.watch("start", body)

        assert (secrecy.problems, secrecy.looked_at) == ([], 1)

    def test_after_the_release_everything_may_be_seen(self) -> None:
        secrecy = Secrecy()
        secrecy.is_over = True
        secrecy.watch("results", b'{"score":"1.34"}')

        assert secrecy.problems == []
