"""Posts to the webhook that is told what is wrong. Its address is a secret: no error names more of it than the host."""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from connector.addresses import is_loopback
from connector.errors import RetriableError
from connector.words import quoted

WAIT_SECONDS: Final = 10.0
"""How long each wait for the network may last."""
_WORDS: Final = 200
"""Bytes of a refusal that are repeated."""


class WebhookFailed(RetriableError):
    """The webhook did not take it. The text is fit for logs."""


class Webhook:
    """One address. `slack` says that it speaks Slack's format, which knows a `text` and none of our other keys
    (docs.slack.dev, "Sending messages using incoming webhooks").
    """

    def __init__(self, url: str, *, transport: httpx.BaseTransport | None = None) -> None:
        """Note the address, which the settings have checked; `transport` stands for the network."""
        self._url = url
        self._transport = transport
        parts = urlsplit(url)
        self.host = parts.hostname or ""
        domain = ".".join(self.host.split(".")[-2:])
        # Others take Slack's format at an address of their own that ends so.
        self.slack = domain in ("slack.com", "slack-gov.com") or parts.path.rstrip("/").endswith("/slack")

    def post(self, text: str, facts: Mapping[str, Any]) -> None:
        """Tell `text`, and where it is not Slack `facts` as well.

        Raises:
            WebhookFailed: it did not take it, or cannot be reached.
        """
        document = {"text": _escaped(text)} if self.slack else {"text": text, **facts}
        try:
            with (
                httpx.Client(
                    timeout=WAIT_SECONDS,
                    follow_redirects=False,
                    transport=self._transport,
                    trust_env=not is_loopback(self.host),  # a proxy cannot reach this machine's own addresses
                ) as client,
                client.stream(
                    "POST",
                    self._url,
                    content=json.dumps(document).encode(),
                    headers={"Content-Type": "application/json"},
                ) as answer,
            ):
                if answer.is_success:
                    return
                said = next(answer.iter_raw(_WORDS), b"")[:_WORDS].decode("utf-8", "replace").strip()
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, ImportError) as error:
            # Not its text, which may repeat the address or that of a proxy.
            raise WebhookFailed(f"the webhook at {self.host} cannot be reached: {type(error).__name__}") from None
        words = f": {quoted(said)}" if said.isprintable() and said else ""
        raise WebhookFailed(f"the webhook at {self.host} answered HTTP {answer.status_code}{words}")


def _escaped(text: str) -> str:
    """Escape what is markup to Slack (docs.slack.dev, "Formatting message text")."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
