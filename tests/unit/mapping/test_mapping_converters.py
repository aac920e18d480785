"""What `convert` makes of the texts that CRMs hold."""

import time

import pytest

from connector.mapping.converters import CONVERTERS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nick@x.example", "nick@x.example"),
        ('"Nick" <nick@x.example>', "nick@x.example"),
        ("a@x.example, b@y.example", "a@x.example"),
        ("none; b@y.example", "b@y.example"),
        ("bad@, (b@y.example)", "b@y.example"),
        ("mailto:nick@x.example", "nick@x.example"),
        ("'nick@x.example'", "nick@x.example"),
        ("Write to nick@x.example.", "nick@x.example"),
        ("O'Neil.x+tag@sub.x-y.example", "O'Neil.x+tag@sub.x-y.example"),
        ("Nick@X.Example", "Nick@X.Example"),
        ("nick@bücher.example", "nick@bücher.example"),
        ("nick@x.xn--p1ai", "nick@x.xn--p1ai"),
        ("a..b@x.example", None),
        ("a.@x.example", None),
        (".a@x.example", None),
        ("nick@localhost", None),
        ("nick@x.1", None),
        ("nick@-x.example", None),
        ("a@b@x.example", None),
        ("é.nick@x.example", None),
        ("a" * 65 + "@x.example", None),
        ("no address", None),
        ("", None),
    ],
)
def test_email(text: str, expected: str | None) -> None:
    assert CONVERTERS["email"](text) == expected


@pytest.mark.parametrize("text", ["a" * 300_000, "a'" * 150_000, "a.b." * 75_000 + "@", "@a." * 100_000])
def test_email_passes_long_texts_quickly(text: str) -> None:
    started = time.process_time()
    CONVERTERS["email"](text)
    assert time.process_time() - started < 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://www.Acme.example/en/?q=1#x", "acme.example"),
        ("http://acme.example:8080", "acme.example"),
        ("www.acme.example", "acme.example"),
        (" acme.example ", "acme.example"),
        ("acme.example:443/x", "acme.example"),
        ("//acme.example", "acme.example"),
        ("https://user:pw@shop.acme.example./x", "shop.acme.example"),
        ("www.example", "www.example"),
        ("https://bücher.example", "bücher.example"),
        ("http://", None),
        ("http:", None),
        ("n/a", None),
        ("acme", None),
        ("see acme.example", None),
        ("", None),
    ],
)
def test_host(text: str, expected: str | None) -> None:
    assert CONVERTERS["host"](text) == expected


def test_trim() -> None:
    assert CONVERTERS["trim"](" \u00a0 a b\t\n") == "a b"
