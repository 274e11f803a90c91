"""The address of the client. Forwarding headers are used only if a trusted proxy has sent them."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.datastructures import Headers
from starlette.types import Scope

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# A Unix socket has no address. Its peer runs on this machine.
LOOPBACK = IPv4Address("127.0.0.1")
FORWARDING_HEADERS = ("forwarded", "via", "x-forwarded-host", "x-real-ip")


def networks(ranges: Iterable[str]) -> tuple[Network, ...]:
    """Parse addresses and networks such as `10.0.0.0/8` and `::1`."""
    return tuple(ip_network(text, strict=False) for text in ranges)


def client_address(peer: Address, forwarded_for: Sequence[str], trusted: Sequence[Network]) -> Address:
    """The client's address: the last address in the chain of proxies that is not a trusted proxy.

    Each proxy appends the address of its peer. An entry is reliable only if a trusted proxy has added it. The
    client may have forged all entries to the left of it.
    """
    address = peer
    for hop in reversed(forwarded_for):
        if not _is_within(address, trusted):
            return address
        parsed = _parse(hop)
        if parsed is None:
            return address
        address = parsed
    return address


def of_scope(scope: Scope, trusted: Sequence[Network]) -> Address:
    """The address of the client of an ASGI connection."""
    return client_address(_peer(scope), _forwarded_for(scope), trusted)


def is_local(scope: Scope) -> bool:
    """Whether the request comes from this machine and was not forwarded from another one."""
    headers = Headers(scope=scope)
    hops = [_peer(scope), *map(_parse, _forwarded_for(scope))]
    if len(hops) == 1 and any(name in headers for name in FORWARDING_HEADERS):
        return False
    return all(hop is not None and hop.is_loopback for hop in hops)


def limit_key(address: Address) -> str:
    """The key of an address for rate limits. An IPv6 customer has a whole /64 network."""
    if isinstance(address, IPv4Address):
        return str(address)
    return str(ip_network((address, 64), strict=False))


def _peer(scope: Scope) -> Address:
    client = scope.get("client")
    return _parse(client[0]) or LOOPBACK if client else LOOPBACK


def _forwarded_for(scope: Scope) -> list[str]:
    lines = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return [hop for line in lines for hop in line.split(",")]


@lru_cache(4_096)
def _parse(text: str) -> Address | None:
    """Parse an address as proxies write it: `1.2.3.4`, `1.2.3.4:567`, `2001:db8::1`, `[2001:db8::1]:567`."""
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
