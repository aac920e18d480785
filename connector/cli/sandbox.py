"""`sandbox`: the Gong simulator as a server of its own."""

from pathlib import Path
from typing import Final

from connector.cli.exits import Status
from connector.cli.output import say
from connector.clock import SystemClock
from connector.errors import ConfigError
from connector.sandbox.api import Credentials, SandboxApi
from connector.sandbox.behaviour import Behaviour
from connector.sandbox.server import serve
from connector.sandbox.world import World
from connector.settings import Settings, load_settings

DEFAULT_KEY: Final = "sandbox"
DEFAULT_SECRET: Final = "sandbox-secret"  # noqa: S105 - of a sandbox, published in its help
DEFAULT_APP: Final = "sandbox-app"
DEFAULT_APP_SECRET: Final = "sandbox-app-secret"  # noqa: S105 - likewise


def sandbox(host: str, port: int, data: Path | None, pending: float, processing: float, *, rate_limit: bool) -> Status:
    """Serve until SIGINT or SIGTERM. Times are seconds.

    Raises:
        ConfigError: the settings are wrong, or host, port or file cannot be used.
    """
    credentials = _credentials(load_settings())
    behaviour = Behaviour(
        pending_seconds=pending,
        processing_seconds=processing,
        calls_per_second=3 if rate_limit else None,
        calls_per_day=10_000 if rate_limit else None,
    )
    world = _world(data, behaviour)

    def ready(url: str) -> None:
        say(f"A Gong to try things on listens at {url} (Ctrl-C ends it). For the connector:")
        say(f"  CONNECTOR_GONG_BASE_URL={url}")
        if credentials.access_key == DEFAULT_KEY:
            say(f"  CONNECTOR_GONG_ACCESS_KEY={DEFAULT_KEY}")
            say(f"  CONNECTOR_GONG_ACCESS_KEY_SECRET={DEFAULT_SECRET}")
        else:
            say("  CONNECTOR_GONG_ACCESS_KEY and CONNECTOR_GONG_ACCESS_KEY_SECRET as they are set here")
        say("Or by OAuth, in place of the base URL and the key, with `gong-connector login`:")
        say(f"  CONNECTOR_GONG_OAUTH_URL={url}")
        if credentials.client_id == DEFAULT_APP:
            say(f"  CONNECTOR_GONG_OAUTH_CLIENT_ID={DEFAULT_APP}")
            say(f"  CONNECTOR_GONG_OAUTH_CLIENT_SECRET={DEFAULT_APP_SECRET}")
        else:
            say("  CONNECTOR_GONG_OAUTH_CLIENT_ID and CONNECTOR_GONG_OAUTH_CLIENT_SECRET as they are set here")

    try:
        serve(SandboxApi(world, credentials), host, port, ready)
    except OSError as error:
        raise ConfigError(f"--host {host} --port {port}: cannot listen there: {error.strerror}") from None
    finally:
        world.close()
    return Status.WELL


def _credentials(settings: Settings) -> Credentials:
    key, secret = settings.gong_access_key, settings.gong_access_key_secret
    app_secret = settings.gong_oauth_client_secret
    return Credentials(
        DEFAULT_KEY if key is None else key.get_secret_value(),
        DEFAULT_SECRET if secret is None else secret.get_secret_value(),
        client_id=settings.gong_oauth_client_id or DEFAULT_APP,
        client_secret=DEFAULT_APP_SECRET if app_secret is None else app_secret.get_secret_value(),
    )


def _world(data: Path | None, behaviour: Behaviour) -> World:
    if data is not None and not data.parent.is_dir():
        raise ConfigError(f"--data {data}: there is no directory {data.parent}")
    return World(data or ":memory:", now=SystemClock().now, behaviour=behaviour)
