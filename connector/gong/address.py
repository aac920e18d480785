"""Judges Gong's base URL, so that credentials never travel in the clear."""

import re

import httpx

from connector.addresses import is_loopback
from connector.errors import ConfigError

SETTING = "CONNECTOR_GONG_BASE_URL"

_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+", re.ASCII)


def gong_address(text: str, setting: str = SETTING) -> httpx.URL:
    """Return the base URL to call, without a slash at its end.

    Raises ConfigError, naming `setting`, for what is not a web address, and for http to any host but this one. The
    text is not repeated in the error, since people do put passwords into addresses.
    """
    try:
        url = httpx.URL(text)
        # A host that the resolver would refuse later, in the middle of a call, with an error of its own.
        host = url.host.encode("idna").decode("ascii")
    except (httpx.InvalidURL, UnicodeError, TypeError):
        raise ConfigError(f"{setting} is not a web address: give one like https://api.gong.io") from None
    if url.scheme not in ("http", "https") or not _HOST.fullmatch(host):
        raise ConfigError(f"{setting} must start with https:// and a host, like https://api.gong.io")
    if url.port is not None and not 0 < url.port < 65536:
        raise ConfigError(f"{setting} has a port outside 1 to 65535")
    if url.userinfo or url.query or url.fragment:
        raise ConfigError(f"{setting} must hold no user, query or fragment: credentials have settings of their own")
    if url.scheme == "http" and not is_loopback(url.host):
        raise ConfigError(
            f"{setting} must be https for {url.host}: plain http would show the access key to the network "
            "(it is allowed for localhost only)"
        )
    return url.copy_with(raw_path=url.raw_path.rstrip(b"/") or b"/")


def gong_host(text: str) -> str:
    """Return the host of the base URL: which Gong it is. Raises ConfigError as `gong_address` does."""
    return gong_address(text).host
