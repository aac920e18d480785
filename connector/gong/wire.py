"""The one edge to the HTTP library: a request goes in, an answer or the lack of one comes out."""

import ssl
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib import metadata
from typing import NamedTuple

import httpx

from connector.addresses import is_loopback
from connector.clock import Clock
from connector.errors import ConfigError
from connector.gong.address import SETTING, gong_address
from connector.gong.answer import Answer, NoAnswer, plain, read_answer
from connector.words import quoted

Transport = httpx.BaseTransport
"""What carries calls in place of the network: tests and the simulation give their own."""

LARGEST_ANSWER = 64 * 1024 * 1024
"""Bytes of an answer that are read at most; 100 objects with long texts stay far below."""

_NOTHING_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)
_FOREIGN = (httpx.HTTPError, httpx.InvalidURL, httpx.CookieConflict, httpx.StreamError)
_WITH_FIT_TEXT = (httpx.NetworkError, httpx.TimeoutException, httpx.ProxyError, httpx.RemoteProtocolError)
"""Errors whose text comes from the system or the other side; that of others may repeat a header of ours."""


class _Overdue(Exception):
    """The call took longer than it may; ends it from within."""


class Allowance(NamedTuple):
    """How long a call may take, in seconds."""

    wait: float
    """Each wait for the network."""
    whole: float
    """All of it, looked at with each piece that is sent or read."""


class _Timed:
    """A body that asks `in_time` ahead of each piece."""

    def __init__(self, pieces: Iterable[bytes], in_time: Callable[[], None]) -> None:
        self._pieces = pieces
        self._in_time = in_time

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self._in_time()
            yield piece


class Wire:
    """Sends requests to one Gong host. Safe to use from several threads."""

    def __init__(
        self,
        base_url: str,
        clock: Clock,
        *,
        transport: httpx.BaseTransport | None,
        ca_file: str | None,
        trust_env: bool,
        setting: str = SETTING,
    ) -> None:
        """Prepare. `setting` names the base URL in errors. Raises ConfigError."""
        url = gong_address(base_url, setting)
        self._clock = clock
        # A proxy cannot reach this machine's own addresses, and must not see what is sent to them in the clear.
        trust_env = trust_env and not is_loopback(url.host)
        # Reading certificates takes long; where they count for nothing (plain http, another transport) none are read.
        verify = _trust(ca_file, trust_env) if url.scheme == "https" and transport is None else False
        try:
            self._http = httpx.Client(
                base_url=url,
                headers={"User-Agent": f"gong-connector/{_version()}", "Accept": "application/json"},
                follow_redirects=False,
                verify=verify,
                transport=transport,
                trust_env=trust_env,
            )
        except (ValueError, ImportError, httpx.InvalidURL):
            # The address is not repeated: it may hold the proxy's password.
            raise ConfigError(
                "the proxy named by HTTPS_PROXY, HTTP_PROXY or ALL_PROXY cannot be used: "
                "give an address like http://proxy.example:3128"
            ) from None

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def request(
        self,
        method: str,
        path: str,
        params: dict[str, str],
        headers: dict[str, str],
        content: bytes | Iterable[bytes] | None,
        time: Allowance,
    ) -> Answer | NoAnswer:
        """Send one request and read its answer. No exception of the HTTP library gets out.

        Errors that the body raises while it is read pass through.
        """
        in_time = self._timer(time.whole)
        body = content if content is None or isinstance(content, bytes) else _Timed(content, in_time)
        try:
            request = self._http.build_request(
                method, path, params=params, headers=headers, content=body, timeout=time.wait
            )
            response = self._http.send(request, stream=True)
            try:
                return _read(response, in_time)
            finally:
                response.close()
        except _Overdue:
            return NoAnswer(sent=True, words=f"no answer: took longer than {time.whole:g} seconds")
        except _FOREIGN as error:
            return NoAnswer(sent=not isinstance(error, _NOTHING_SENT), words=_words(error))

    def _timer(self, seconds: float) -> Callable[[], None]:
        """Return a function that raises _Overdue once the call's time, counted from now, is spent."""
        end = self._clock.monotonic() + seconds

        def check() -> None:
            if self._clock.monotonic() > end:
                raise _Overdue

        return check


def _read(response: httpx.Response, in_time: Callable[[], None]) -> Answer | NoAnswer:
    body = bytearray()
    for piece in response.iter_bytes():
        in_time()
        body += piece
        if len(body) > LARGEST_ANSWER:
            return NoAnswer(sent=True, words=f"HTTP {response.status_code}, with an answer too large to read")
    headers = response.headers
    return read_answer(response.status_code, headers.get("Content-Type", ""), headers.get("Retry-After"), bytes(body))


def _words(error: Exception) -> str:
    text = plain(str(error)) if isinstance(error, _WITH_FIT_TEXT) else ""
    if text and isinstance(error, httpx.RemoteProtocolError | httpx.ProxyError):
        text = quoted(text)  # it repeats what came back
    return f"no answer: {type(error).__name__}" + (f" ({text})" if text else "")


def _trust(ca_file: str | None, trust_env: bool) -> ssl.SSLContext:
    """Return the certificate authorities to trust: the usual ones, and those of `ca_file` besides."""
    try:
        context = httpx.create_ssl_context(trust_env=trust_env)
    except OSError:
        raise ConfigError(
            "the certificates named by SSL_CERT_FILE or SSL_CERT_DIR cannot be read: correct or unset it"
        ) from None
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except OSError as error:
            raise ConfigError(
                f"CONNECTOR_GONG_CA_FILE: {ca_file} cannot be read as certificates in PEM form "
                f"({error.strerror or type(error).__name__})"
            ) from None
    return context


@cache
def _version() -> str:
    try:
        return metadata.version("gong-connector")
    except metadata.PackageNotFoundError:
        return "unpackaged"
