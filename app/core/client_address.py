"""The address of the client, told by proxies that we trust and by nobody else."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.datastructures import Headers
from starlette.types import Scope

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# A Unix socket has no address; whoever holds its other end is on this machine.
LOOPBACK = IPv4Address("127.0.0.1")
FORWARDING_HEADERS = ("forwarded", "via", "x-forwarded-host", "x-real-ip")


def networks(ranges: Iterable[str]) -> tuple[Network, ...]:
    """The networks of a setting like `10.0.0.0/8, ::1`."""
    return tuple(ip_network(text, strict=False) for text in ranges)


def client_address(peer: Address, forwarded_for: Sequence[str], trusted: Sequence[Network]) -> Address:
    """Who really asks: the first address, from our end of the chain, that is no trusted proxy.

    Each proxy appends whom it heard from, so that only what a trusted one wrote can be believed;
    everything further left is the client's own claim.
    """
    address = peer
    for hop in reversed(forwarded_for):
        if not _is_within(address, trusted):
            return address
        written = _parse(hop)
        if written is None:
            return address
        address = written
    return address


def of_scope(scope: Scope, trusted: Sequence[Network]) -> Address:
    """The client's address of an ASGI connection."""
    return client_address(_peer(scope), _forwarded_for(Headers(scope=scope)), trusted)


def is_local(scope: Scope) -> bool:
    """Whether the request was made on this machine: the peer is, and nothing was forwarded from elsewhere."""
    headers = Headers(scope=scope)
    hops = [_peer(scope), *map(_parse, _forwarded_for(headers))]
    if len(hops) == 1 and any(name in headers for name in FORWARDING_HEADERS):
        return False
    return all(hop is not None and hop.is_loopback for hop in hops)


def limit_key(address: Address) -> str:
    """The address as rate limits count it: an IPv6 customer owns a whole /64."""
    if isinstance(address, IPv4Address):
        return str(address)
    return str(ip_network((address, 64), strict=False))


def _peer(scope: Scope) -> Address:
    client = scope.get("client")
    return _parse(client[0]) or LOOPBACK if client else LOOPBACK


def _forwarded_for(headers: Headers) -> list[str]:
    return [hop for line in headers.getlist("x-forwarded-for") for hop in line.split(",")]


def _parse(text: str) -> Address | None:
    """An address as proxies write it: `1.2.3.4`, `1.2.3.4:567`, `2001:db8::1`, `[2001:db8::1]:567`."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_within(address: Address, ranges: Sequence[Network]) -> bool:
    return any(address in network for network in ranges)
