"""Gong's two OAuth paths at the level of HTTP: the page where a person consents, and the token endpoint (RFC 6749)."""

import base64
import binascii
import hmac
from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from connector.sandbox.grants import Grants, InvalidGrant
from connector.sandbox.http import Request, Response, json_answer

AUTHORIZE: Final = "/oauth2/authorize"
TOKEN: Final = "/oauth2/generate-customer-token"  # noqa: S105 - a path


def authorize(request: Request, grants: Grants, client_id: str, scopes: Iterable[str]) -> Response:
    """Send the browser back with a code at once: whoever asks a sandbox consents. Of the scopes that were asked for,
    the code has those that the app has. How Gong treats the others is not published.
    """
    asked = dict(request.query)
    back = urlsplit(asked.get("redirect_uri", ""))
    if asked.get("client_id") != client_id or back.scheme not in ("http", "https") or not back.netloc:
        return json_answer(400, {"error": "invalid_request", "error_description": "Unknown client_id or redirect_uri"})
    if asked.get("response_type") != "code":
        answer = {"error": "unsupported_response_type"}
    else:
        granted = frozenset(asked.get("scope", "").split()) & frozenset(scopes)
        answer = {"code": grants.code(granted, asked["redirect_uri"])}
    if "state" in asked:
        answer["state"] = asked["state"]
    query = "&".join(part for part in (back.query, urlencode(answer)) if part)
    return Response(302, (("Location", urlunsplit(back._replace(query=query))),), b"")


def token(
    request: Request, grants: Grants, client: tuple[str, str], access_token_seconds: float, *, names_scopes: bool
) -> Response:
    """Exchange a code, or refresh. Parameters may stand in the body (RFC 6749) or in the query (as Gong's examples)."""
    if not _is(client, request.headers.get("authorization", "")):
        return _refused(401, "invalid_client", "Client authentication failed")
    given = {key: values[0] for key, values in parse_qs(request.text()).items()} | dict(request.query)
    try:
        match given.get("grant_type"):
            case "authorization_code":
                pair = grants.exchange(given.get("code", ""), given.get("redirect_uri", ""))
            case "refresh_token":
                pair = grants.refresh(given.get("refresh_token", ""))
            case _:
                return _refused(400, "unsupported_grant_type", "grant_type is missing or unknown")
    except InvalidGrant as fault:
        return _refused(400, "invalid_grant", str(fault))
    scope = {"scope": " ".join(sorted(pair.scopes))} if names_scopes else {}
    return json_answer(
        200,
        {
            "access_token": pair.access_token,
            "token_type": "bearer",
            "expires_in": int(access_token_seconds),
            "refresh_token": pair.refresh_token,
            "api_base_url_for_customer": f"http://{request.headers.get('host', 'localhost')}",
        }
        | scope,
    )


def _is(client: tuple[str, str], header: str) -> bool:
    scheme, _, value = header.partition(" ")
    try:
        given = base64.b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError):
        return False
    return scheme.lower() == "basic" and hmac.compare_digest(given, ":".join(client).encode())


def _refused(status: int, error: str, description: str) -> Response:
    return json_answer(status, {"error": error, "error_description": description})
