"""`login`: a person authorises the connector in Gong, by OAuth."""

import sys

import click

from connector.cli import redirect
from connector.cli.exits import Status
from connector.cli.output import say
from connector.cli.parts import working
from connector.engine.login import Login, Stranger
from connector.errors import FatalError


def login(*, paste: bool) -> Status:
    """Say which address to open, take the code that comes of it, and store what Gong gives for it."""
    with working() as wiring:
        begun = wiring.gong.login(wiring.store)
        uri = wiring.settings.gong_oauth_redirect_uri
        code = _listened(begun, uri) if redirect.is_here(uri) and not paste else _pasted(begun)
        done = begun.finish(code)
    say(f"Gong has authorised the connector for {done.host}. It renews that by itself.", "green")
    for scope, use in (done.missing or {}).items():
        say(f"Missing scope: {scope} ({use}). Allow it for the app in Gong, then log in again.", "yellow")
    return Status.UNSETTLED if done.missing else Status.WELL


def _ask(begun: Login) -> None:
    say("Open this address in a browser, as a technical administrator of Gong, and allow what it asks for:")
    say(f"\n  {begun.url}\n")


def _listened(begun: Login, uri: str) -> str:
    came: list[str] = []

    def answers(address: str) -> bool:
        try:
            came.append(begun.code(address))
        except Stranger:
            return False
        except FatalError as error:
            refused.append(error)
        return True

    refused: list[FatalError] = []

    def ready() -> None:
        _ask(begun)
        say(f"Waiting at {uri} (Ctrl-C ends it; `--paste` is for a browser on another machine) ...")

    redirect.wait(uri, answers, ready)
    if refused:
        raise refused[0]
    return came[0]


def _pasted(begun: Login) -> str:
    _ask(begun)
    try:
        address = click.prompt("Then paste the whole address that the browser was sent to", err=True)
    except click.Abort:
        if sys.stdin.isatty():  # Ctrl-C
            raise
        raise FatalError("no address was given: paste it on a terminal, or give it on standard input") from None
    return begun.code(address)
