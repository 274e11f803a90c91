"""Free ports: none twice, and none that the system may give to a connection."""

import socket

from devservers import network


class TestFreePort:
    def test_no_port_is_given_twice(self) -> None:
        ports = [network.free_port() for _ in range(50)]
        assert len(set(ports)) == 50

    def test_none_is_of_those_for_connections(self) -> None:
        assert all(network.free_port() < 32_768 for _ in range(50))

    def test_a_port_in_use_is_left_out(self) -> None:
        port = network.free_port()
        with socket.create_server((network.LOOPBACK, port)):
            assert not network.port_is_free(network.LOOPBACK, port)
