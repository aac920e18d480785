"""The edge to the network: addresses, secrets, and that no foreign exception gets out."""

import httpx
import pytest

from connector.clock import FakeClock
from connector.errors import ConfigError, ConnectorError
from connector.gong import AccessKeyAuth, GongClient, StatusResult, UploadResult
from connector.object_types import ObjectType

SECRET = "canary-secret-7f3a"


def client(base_url: str, limiter=None, **parts) -> GongClient:
    return GongClient(AccessKeyAuth(base_url, "CANARYKEY", SECRET), limiter, FakeClock(0), **parts)


@pytest.mark.parametrize(
    "url",
    ["https://api.gong.io", "https://api.gong.io/", "http://localhost:8000", "http://127.0.0.1:1", "http://127.9.8.7",
     "http://[::1]:8000", "https://proxy.example/gong/"],
)  # fmt: skip
def test_addresses_that_are_fine(url):
    client(url, transport=httpx.MockTransport(lambda _: httpx.Response(200))).close()


@pytest.mark.parametrize(
    "url",
    ["", "api.gong.io", "ftp://api.gong.io", "https://", "http://api.gong.io", "http://localhost.example",
     "http://127.0.0.1.example", "http://10.0.0.1", "http://0.0.0.0", "http://[::2]", "https://a:99999",
     "https://" + "a" * 70 + ".example", "https://user:canary-secret-7f3a@api.gong.io", "https://api.gong.io?x=1",
     "https://[", "https://api.gong.io:port", "https://api.gong.io\n"],
)  # fmt: skip
def test_addresses_that_are_refused_in_words(url):
    with pytest.raises(ConfigError, match="GONG_BASE_URL") as caught:
        client(url)
    assert SECRET not in str(caught.value)


def test_the_base_urls_path_is_kept(gong):
    paths = []

    def handle(request):
        paths.append(request.url.path)
        return httpx.Response(404, json={})

    with client("https://proxy.example/gong/", gong.limiter, transport=httpx.MockTransport(handle)) as prefixed:
        prefixed.integrations()
    assert paths == ["/gong/v2/crm/integrations"]


def test_unusable_certificates_are_named(tmp_path):
    broken = tmp_path / "ca.pem"
    broken.write_text("no certificate")
    for file in (broken, tmp_path / "missing.pem"):
        with pytest.raises(ConfigError, match=r"GONG_CA_FILE.*" + file.name):
            client("https://gong.example", ca_file=str(file))


def test_an_unusable_proxy_is_named_without_its_password(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "gopher://user:canary-secret-7f3a@proxy.example")
    with pytest.raises(ConfigError, match="HTTPS_PROXY") as caught:
        client("https://gong.example")
    assert SECRET not in str(caught.value)
    client("https://gong.example", trust_env=False).close()


def test_calls_to_this_machine_pass_no_proxy(gong, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "gopher://proxy.example")
    monkeypatch.setenv("ALL_PROXY", "gopher://proxy.example")
    client("http://127.0.0.1:9").close()


@pytest.mark.parametrize("pair", [("", "s"), ("k", ""), ("k", "s\n"), (" k", "s")])
def test_credentials_copied_carelessly_are_refused(pair):
    with pytest.raises(ConfigError, match="CONNECTOR_GONG_ACCESS_KEY"):
        AccessKeyAuth("https://x.example", *pair)


def test_secrets_are_not_shown_by_repr(gong):
    assert SECRET not in repr(AccessKeyAuth("https://x.example", "k", SECRET))
    assert SECRET not in repr(gong.client) + repr(vars(gong.client))


FOREIGN = [
    member
    for member in vars(httpx).values()
    if isinstance(member, type) and issubclass(member, Exception) and not issubclass(member, Warning)
]


def make(kind: type[Exception]) -> Exception:
    request = httpx.Request("GET", "https://gong.example")
    text = f"went wrong with Authorization: {SECRET}"
    for build in (
        lambda: kind(text, request=request, response=httpx.Response(500)),  # type: ignore[call-arg]
        lambda: kind(text),
        lambda: kind(),
    ):
        try:
            return build()
        except TypeError:
            continue
    raise AssertionError(f"cannot make a {kind}")


def test_the_list_of_foreign_exceptions_is_not_empty():
    assert {httpx.ReadTimeout, httpx.InvalidURL, httpx.StreamConsumed, httpx.CookieConflict} <= set(FOREIGN)


@pytest.mark.parametrize("kind", FOREIGN, ids=lambda kind: kind.__name__)
def test_no_exception_of_the_http_library_gets_out(gong, kind, tmp_path):
    file = tmp_path / "f"
    file.write_bytes(b"{}\n")
    gong.raises(make(kind))
    nothing_sent = kind in (
        httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol,
        httpx.InvalidURL,
    )  # fmt: skip
    upload = gong.client.upload(1, ObjectType.DEAL, "id", file, 3)
    assert upload.result is (UploadResult.UNREACHABLE if nothing_sent else UploadResult.AMBIGUOUS)
    assert kind.__name__ in upload.detail
    assert gong.client.status(1, "id").result is StatusResult.UNAVAILABLE
    for call in (
        lambda: gong.client.integrations(),
        lambda: gong.client.register("n", "o"),
        lambda: gong.client.schema(1, ObjectType.DEAL),
        lambda: gong.client.put_schema(1, ObjectType.DEAL, []),
        lambda: gong.client.objects(1, ObjectType.DEAL, ["1"]),
    ):
        with pytest.raises(ConnectorError, match=kind.__name__):
            call()


def test_a_header_repeated_by_the_library_is_not_repeated_by_us(gong, tmp_path):
    gong.raises(httpx.LocalProtocolError(f"Illegal header value b'Basic {SECRET}'"))
    file = tmp_path / "f"
    file.write_bytes(b"{}\n")
    assert SECRET not in gong.client.upload(1, ObjectType.DEAL, "id", file, 3).detail
    with pytest.raises(ConnectorError) as caught:
        gong.client.integrations()
    assert SECRET not in str(caught.value)
