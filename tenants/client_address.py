"""From which address does a request come? Proxies of ours are believed, what callers write themselves is not."""

from ipaddress import IPv6Address, ip_address

from django.conf import settings
from django.http import HttpRequest

UNKNOWN = "unknown"


def client_address(request: HttpRequest) -> str:
    """The address that the outermost of our proxies saw; the connection's own where there is no such proxy.

    Each proxy adds the address it was called from at the end of X-Forwarded-For, so ours are counted from the right:
    further left stands what the caller made up.
    """
    hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    proxies = settings.TRUSTED_PROXIES
    forwarded = hops[-proxies] if 0 < proxies <= len(hops) else ""
    return _readable(forwarded) or _readable(request.META.get("REMOTE_ADDR", "")) or UNKNOWN


def network_of(address: str) -> str:
    """What one connection to the internet has: an IPv4 address, or 64 bits of IPv6, where each device has many."""
    if address == UNKNOWN or ":" not in address:
        return address
    return str(IPv6Address(int(IPv6Address(address)) >> 64 << 64))


def _readable(text: str) -> str:
    """The address in its one spelling; empty when it is none. Some proxies write it with a port, or in brackets."""
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address = ip_address(bare.partition("%")[0])
    except ValueError:
        return ""
    return str(getattr(address, "ipv4_mapped", None) or address)
