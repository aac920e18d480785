"""The only reader of the environment: every setting, its default and meaning."""

import difflib
import math
import os
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError

from connector.addresses import is_loopback
from connector.errors import ConfigError, ConfigProblems, Problem
from connector.model import Resend

PREFIX = "CONNECTOR_"
CREDENTIALS = (
    "source_url",
    "state_url",
    "gong_access_key",
    "gong_access_key_secret",
    "gong_oauth_client_secret",
)
"""Settings that take effect without a restart when they stand in files; of a URL its account and password only."""
CRON_FIELDS = 5
LEAST_RECONCILE_SECONDS = 60


def _count(value: Any) -> Any:
    """Let people write 190_000_000 and 5e9."""
    if isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?e\d+", value):
        return int(float(value))
    return value


def _seconds_or_cron(value: Any) -> Any:
    """Tell seconds from a cron expression, of which only the shape is looked at here."""
    if isinstance(value, str) and len(value.split()) == CRON_FIELDS:
        return value
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = 0.0
    if not LEAST_RECONCILE_SECONDS <= seconds < math.inf:
        raise ValueError(
            f"give seconds, {LEAST_RECONCILE_SECONDS} at least, or a cron expression of five fields like 0 2 * * *"
        )
    return seconds


Count = Annotated[int, BeforeValidator(_count)]


class Settings(BaseSettings):
    """Settings from the environment (prefix CONNECTOR_), a `.env` file, or files in CONNECTOR_SECRETS_DIR."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", env_file_encoding="utf-8", extra="ignore", env_ignore_empty=True
    )

    source_url: SecretStr | None = Field(
        None, description="URL of the CRM's database: postgresql://, mysql://, sqlite:///"
    )
    state_url: SecretStr = Field(
        SecretStr("sqlite:///var/connector.db"), description="URL of the ledger: SQLite (one host) or PostgreSQL"
    )
    spool_dir: Path = Field(Path("var/spool"), description="Directory of files that are not settled yet")
    spool_max_bytes: Count = Field(
        5_000_000_000, gt=0, description="Reading pauses when the spool holds this many bytes"
    )
    mapping: Path = Field(Path("config/mapping.yaml"), description="The mapping file")
    gong_base_url: str = Field(
        "https://api.gong.io", description="Gong's API; https unless it is this machine. With OAuth, Gong names it"
    )
    gong_access_key: SecretStr | None = Field(None, description="Gong's access key")
    gong_access_key_secret: SecretStr | None = Field(None, description="Gong's access key secret")
    gong_oauth_client_id: str | None = Field(
        None, description="Client id of your app in Gong: OAuth (`gong-connector login`) in place of an access key"
    )
    gong_oauth_client_secret: SecretStr | None = Field(None, description="Client secret of the app")
    gong_oauth_redirect_uri: str = Field(
        "http://127.0.0.1:8765/",
        description="A redirect URI of the app; `login` listens there if it is this machine's and plain http",
    )
    gong_oauth_url: str = Field("https://app.gong.io", description="Where Gong authorises apps and gives out tokens")
    gong_ca_file: Path | None = Field(
        None, description="PEM file of certificate authorities to trust besides the usual ones"
    )
    sync_interval_seconds: float = Field(
        120, ge=10, description="Seconds between two passes of a type; longer when the day's calls would not last"
    )
    reconcile_interval_seconds: Annotated[float | str, BeforeValidator(_seconds_or_cron)] = Field(
        3600,
        description="Seconds between two full comparisons of source and ledger, or when they are: a cron expression of"
        " five fields, in the mapping's `timezone` (`0 2 * * *` is every night at two)",
    )
    delete_guard_count: int = Field(
        100, ge=0, description="Deletions of a type in 24 hours, and as many changes that moved no stamp: more are held"
    )
    delete_guard_percent: float = Field(
        10, ge=0, le=100, description="So are more than this share of a type, and more than ten"
    )
    overlap_seconds: float = Field(
        300, ge=0, description="How far each pass reads back, for stamps set earlier than their commit"
    )
    calls_per_second: int = Field(3, ge=1, description="Calls to Gong in any second")
    calls_per_day: int = Field(9000, ge=1, description="Calls to Gong in any 24 hours")
    account_wait_seconds: float = Field(
        60, ge=0, description="Seconds between an account's first DONE and the first line that names it"
    )
    poll_min_seconds: float = Field(
        2,
        gt=0,
        description="Seconds until the first question for an upload's status at least; how long it takes is learned",
    )
    poll_max_seconds: float = Field(300, gt=0, description="Seconds between two such questions at most")
    max_file_bytes: Count = Field(
        190_000_000, ge=1000, le=200_000_000, description="Largest data file (Gong takes 200 MB)"
    )
    resend: Resend = Field(
        Resend.FILE,
        description="After FAILED: `file` sends all lines but the refused again, `corrected` only those not known good",
    )
    source_statement_timeout_seconds: float = Field(
        3600,
        gt=0,
        description="Longest statement on the source; MySQL and MariaDB count a whole read, PostgreSQL each fetch",
    )
    web_host: str = Field(
        "127.0.0.1", description="Address on which `run` shows the status page; any other machine's needs a password"
    )
    web_port: int = Field(8080, ge=0, le=65535, description="Port of the status page; 0 takes any that is free")
    web_password: SecretStr | None = Field(
        None, description="Password of the status page and of `/metrics`, for any user name", validate_default=True
    )
    alert_webhook_url: SecretStr | None = Field(
        None, description="Where `run` tells what is wrong, and that it is over: a Slack webhook, or any other, as JSON"
    )
    retention_days: int = Field(
        90, ge=2, description="Days that settled files and finished requests are kept in the ledger"
    )
    log_format: str | None = Field(
        None, pattern="^(console|json)$", description="`console` or `json`; by default console on a terminal"
    )
    log_level: str = Field(
        "INFO", pattern="^(?i:debug|info|warning|error)$", description="DEBUG, INFO, WARNING or ERROR"
    )

    @field_validator("web_password")
    @classmethod
    def _not_open_to_all(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        host = info.data.get("web_host", "")
        if value is None and not is_loopback(host):
            raise ValueError(
                f"is needed where {PREFIX}WEB_HOST ({host}) is open to other machines: set one, or leave "
                f"{PREFIX}WEB_HOST at 127.0.0.1"
            )
        return value

    @field_validator("alert_webhook_url")
    @classmethod
    def _not_in_the_clear(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        try:
            url = urlsplit(value.get_secret_value())
            host = url.hostname or ""
            _ = url.port  # raises where it is none
        except ValueError:
            host = ""
        if not host or url.scheme not in ("http", "https"):
            raise ValueError("is not a web address: give one like https://hooks.slack.com/services/...")
        if url.scheme == "http" and not is_loopback(host):
            raise ValueError("must be https: plain http would show the address to the network, and it is the password")
        return value


@dataclass(frozen=True, slots=True)
class Shown:
    """A setting as it may be shown."""

    name: str
    value: str
    """Empty when it is not set."""
    is_default: bool
    meaning: str


def shown(settings: Settings) -> list[Shown]:
    """Return every setting with what may be shown of it: of URLs what stands after the account (of a webhook
    the host), of secrets nothing."""
    return [
        Shown(
            PREFIX + name.upper(),
            _shown_value(name, getattr(settings, name)),
            getattr(settings, name) == field.default,
            field.description or "",
        )
        for name, field in type(settings).model_fields.items()
    ]


def _shown_value(name: str, value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, SecretStr):
        return f"{value:g}" if isinstance(value, float) else str(value)
    if not name.endswith("_url"):
        return "(hidden)"
    if name == "alert_webhook_url":  # who knows its path may write there
        url = urlsplit(value.get_secret_value())
        return f"{url.scheme}://{url.hostname}/(hidden)"
    # A password may hold anything: only what stands after the last @, with no query before it, is no part of one.
    scheme, _, rest = value.get_secret_value().partition("://")
    account, at, place = rest.rpartition("@")
    if "?" in account:
        return f"{scheme}://(hidden)"
    return f"{scheme}://{'(hidden)@' if at else ''}{place.partition('?')[0]}"


def load_settings() -> Settings:
    """Read the settings.

    Raises:
        ConfigProblems: one or more of them are wrong; each is named, without its value when it is a secret.
    """
    secrets = os.environ.get(PREFIX + "SECRETS_DIR")
    if secrets and not Path(secrets).is_dir():
        raise ConfigError(f"{PREFIX}SECRETS_DIR: {secrets} is not a directory")
    try:
        return Settings(_secrets_dir=secrets or None)  # type: ignore[call-arg] # pydantic-settings' own argument
    except ValidationError as error:
        raise ConfigProblems(
            [
                Problem(PREFIX + str(fault["loc"][0]).upper(), str(fault["msg"]).removeprefix("Value error, "))
                for fault in error.errors(include_input=False, include_url=False)
            ]
        ) from None
    except SettingsError as error:
        raise ConfigError(f"settings: {str(error).splitlines()[0]}") from None


class Live:
    """The settings of a process that runs for long: credentials that stand in files (CONNECTOR_SECRETS_DIR, `.env`) are
    those that stand there now. Everything else is as it was at the start. May be asked from any thread.
    """

    def __init__(self, settings: Settings, ignored: Callable[[str], None] = lambda _setting: None) -> None:
        """Begin with `settings`. `ignored` is told, once for each change, which URL's file names another host or
        database: that takes effect at the next start.
        """
        self._settings = settings
        self._ignored = ignored
        self._seen = _files()

    def now(self) -> Settings:
        """Return the settings with the present credentials. While what the files say is unfit or missing (somebody is
        writing them, say), the earlier ones stay.
        """
        files = _files()
        if files != self._seen:
            try:
                fresh = load_settings()
            except (ConfigError, OSError):
                return self._settings
            earlier = self._settings
            found = {name: _renewed(name, getattr(earlier, name), getattr(fresh, name)) for name in CREDENTIALS}
            self._settings = earlier.model_copy(update=found)
            self._seen = files
            for name in CREDENTIALS:
                if _moves(name, getattr(earlier, name), getattr(fresh, name)):
                    self._ignored(PREFIX + name.upper())
        return self._settings


def _renewed(name: str, earlier: SecretStr | None, fresh: SecretStr | None) -> SecretStr | None:
    """Return the credential that holds: one that is set does not vanish, and a URL stays that of the same place."""
    if fresh is None or earlier is None or not fresh.get_secret_value():
        return earlier
    return earlier if _moves(name, earlier, fresh) else fresh


def _moves(name: str, earlier: SecretStr | None, fresh: SecretStr | None) -> bool:
    """Tell whether it is a URL that names another place now."""
    if not name.endswith("_url") or fresh is None or earlier is None or not fresh.get_secret_value():
        return False
    return _place(fresh) != _place(earlier)


def _place(url: SecretStr) -> tuple[str, str]:
    """Return what stands in a URL beside account and password."""
    scheme, _, rest = url.get_secret_value().partition("://")
    return scheme, rest.rpartition("@")[2]


def _files() -> dict[str, tuple[int, int, int]]:
    """Return what tells another version of each file that may hold a setting from this one."""
    directory = os.environ.get(PREFIX + "SECRETS_DIR")
    found = {}
    for path in [Path(".env"), *(Path(directory) / f"{PREFIX}{name}".lower() for name in CREDENTIALS if directory)]:
        with suppress(OSError):
            seen = path.stat()
            found[str(path)] = (seen.st_ino, seen.st_mtime_ns, seen.st_size)
    return found


def unknown_settings() -> list[Problem]:
    """Return the variables of the environment and of `.env` that look like settings and are none."""
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {PREFIX + "SECRETS_DIR"}
    file = Path(".env")
    written = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    names = set(os.environ) | set(re.findall(r"^\s*(?:export\s+)?(\w+)\s*=", written, re.MULTILINE))
    found = []
    for name in sorted(name.upper() for name in names if name.upper().startswith(PREFIX)):
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            found.append(Problem(name, "is no setting" + (f". Did you mean {near[0]}?" if near else "")))
    return found
