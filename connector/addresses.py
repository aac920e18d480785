"""Which addresses are this machine's own: there plain http, and a page without a password, show nothing to others."""

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """Tell whether `host` is this machine alone: localhost, 127.0.0.0/8 or ::1."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
