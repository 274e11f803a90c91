"""The search for secrets in responses before the release."""

import pytest

from rehearsal.exam.secret_scanner import SecretScanner


class TestScan:
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
    def test_a_secret_is_reported_once_for_each_kind(self, body: bytes) -> None:
        scanner = SecretScanner()
        for kind in ("save", "save", "paper"):
            scanner.scan(kind, body)

        assert [sentence.partition(" has")[0] for sentence in scanner.problems] == [
            "before the release, an answer to save",
            "before the release, an answer to paper",
        ]

    @pytest.mark.parametrize(
        "body", [b'{"package_key":"x"}', b'{"score":null}', b'{"marks":"2"}', b"\x00\xff"]
    )
    def test_other_members_are_no_secret(self, body: bytes) -> None:
        scanner = SecretScanner()
        scanner.scan("start", body)

        assert (scanner.problems, scanner.scanned) == ([], 1)

    def test_after_the_release_everything_may_be_seen(self) -> None:
        scanner = SecretScanner()
        scanner.is_released = True
        scanner.scan("results", b'{"score":"1.34"}')

        assert scanner.problems == []
