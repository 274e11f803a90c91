"""Whom a request comes from: a table of chains."""

from ipaddress import ip_address

import pytest
from starlette.types import Scope

from app.core.client_address import client_address, is_local, limit_key, networks, of_scope

PROXIES = networks(["10.0.0.0/8", "2001:db8:1::/48"])


def scope(peer: str | None, **headers: str) -> Scope:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "client": (peer, 1234) if peer is not None else None, "headers": pairs}


class TestClientAddress:
    @pytest.mark.parametrize(
        ("peer", "chain", "client"),
        [
            ("192.0.2.7", [], "192.0.2.7"),
            ("192.0.2.7", ["198.51.100.1"], "192.0.2.7"),  # no proxy of ours: its header is worth nothing
            ("10.0.0.1", [], "10.0.0.1"),
            ("10.0.0.1", ["192.0.2.7"], "192.0.2.7"),
            ("10.0.0.1", ["1.1.1.1", "192.0.2.7"], "192.0.2.7"),  # what the client claimed
            ("10.0.0.1", ["192.0.2.7", "10.0.0.2"], "192.0.2.7"),  # two proxies of ours
            ("10.0.0.1", ["127.0.0.1", "192.0.2.7", "10.0.0.2"], "192.0.2.7"),
            ("10.0.0.1", ["10.0.0.9", "10.0.0.2"], "10.0.0.9"),  # a client inside our own network
            ("10.0.0.1", ["192.0.2.7:4711"], "192.0.2.7"),
            ("10.0.0.1", ["[2001:db8::7]:4711"], "2001:db8::7"),
            ("10.0.0.1", ["2001:db8::7"], "2001:db8::7"),
            ("10.0.0.1", ["::ffff:192.0.2.7"], "192.0.2.7"),
            ("2001:db8:1::1", ["192.0.2.7"], "192.0.2.7"),
            ("10.0.0.1", ["unknown"], "10.0.0.1"),
            ("10.0.0.1", ["192.0.2.7", "", "10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", ["<script>", "192.0.2.7"], "192.0.2.7"),
        ],
    )
    def test_chain(self, peer: str, chain: list[str], client: str) -> None:
        assert client_address(ip_address(peer), chain, PROXIES) == ip_address(client)


class TestOfScope:
    def test_reads_lines_and_commas_in_order(self) -> None:
        request = scope("10.0.0.1", x_forwarded_for="1.1.1.1, 192.0.2.7")
        request["headers"].append((b"x-forwarded-for", b"10.0.0.2"))
        assert of_scope(request, PROXIES) == ip_address("192.0.2.7")

    def test_a_mapped_peer_is_an_ipv4_address(self) -> None:
        assert of_scope(scope("::ffff:10.0.0.1", x_forwarded_for="192.0.2.7"), PROXIES) == ip_address(
            "192.0.2.7"
        )

    def test_a_unix_socket_is_this_machine(self) -> None:
        assert of_scope(scope(None), ()) == ip_address("127.0.0.1")
        assert of_scope(scope(None, x_forwarded_for="192.0.2.7"), networks(["127.0.0.1"])) == ip_address(
            "192.0.2.7"
        )


class TestIsLocal:
    @pytest.mark.parametrize(
        ("peer", "headers", "local"),
        [
            ("127.0.0.1", {}, True),
            ("::1", {}, True),
            ("127.0.0.1", {"x_forwarded_for": "127.0.0.1"}, True),
            ("127.0.0.1", {"x_forwarded_for": "192.0.2.7"}, False),
            ("127.0.0.1", {"x_forwarded_for": "127.0.0.1, 192.0.2.7"}, False),
            ("127.0.0.1", {"x_forwarded_for": "192.0.2.7, 127.0.0.1"}, False),
            ("127.0.0.1", {"x_forwarded_for": "nonsense"}, False),
            ("127.0.0.1", {"x_real_ip": "192.0.2.7"}, False),
            ("127.0.0.1", {"forwarded": "for=192.0.2.7"}, False),
            ("192.0.2.7", {}, False),
            ("192.0.2.7", {"x_forwarded_for": "127.0.0.1"}, False),
            ("10.0.0.1", {"x_forwarded_for": "127.0.0.1"}, False),
        ],
    )
    def test_only_without_forwarding_from_elsewhere(
        self, peer: str, headers: dict[str, str], local: bool
    ) -> None:
        assert is_local(scope(peer, **headers)) is local


class TestLimitKey:
    def test_ipv6_counts_by_its_64(self) -> None:
        assert limit_key(ip_address("2001:db8::1")) == limit_key(ip_address("2001:db8::ffff"))
        assert limit_key(ip_address("2001:db8::1")) != limit_key(ip_address("2001:db8:0:1::1"))

    def test_ipv4_counts_alone(self) -> None:
        assert limit_key(ip_address("192.0.2.1")) == "192.0.2.1"
