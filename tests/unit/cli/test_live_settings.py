"""Credentials in files take effect while the process runs; everything else at the next start."""

from pathlib import Path

import pytest

from connector.settings import Live, load_settings


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of secrets, in use."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "secrets"
    folder.mkdir()
    monkeypatch.setenv("CONNECTOR_SECRETS_DIR", str(folder))
    (folder / "connector_gong_access_key").write_text("key-1\n")
    (folder / "connector_gong_access_key_secret").write_text("secret-1\n")
    (folder / "connector_source_url").write_text("postgresql://reader:one@db.example/crm\n")
    return folder


def seen(live: Live) -> tuple[str, ...]:
    settings = live.now()
    assert settings.gong_access_key is not None
    assert settings.gong_access_key_secret is not None
    assert settings.source_url is not None
    values = (settings.gong_access_key, settings.gong_access_key_secret, settings.source_url)
    return tuple(value.get_secret_value() for value in values)


def test_a_file_that_changes_is_read_again(secrets: Path) -> None:
    live = Live(load_settings())
    (secrets / "connector_gong_access_key_secret").write_text("secret-two\n")
    (secrets / "connector_source_url").write_text("postgresql://other:t%40wo@db.example/crm\n")
    assert seen(live) == ("key-1", "secret-two", "postgresql://other:t%40wo@db.example/crm")


def test_a_directory_that_is_swapped_as_a_whole_is_noticed(
    secrets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mount = tmp_path / "mount"
    mount.symlink_to(secrets)
    monkeypatch.setenv("CONNECTOR_SECRETS_DIR", str(mount))
    live = Live(load_settings())
    other = tmp_path / "other"
    other.mkdir()
    for name, value in {"gong_access_key": "key-2", "gong_access_key_secret": "secret-2", "source_url": "x"}.items():
        (other / f"connector_{name}").write_text(value)
    mount.unlink()
    mount.symlink_to(other)
    assert seen(live)[:2] == ("key-2", "secret-2")


def test_what_is_not_an_account_waits_for_the_next_start(secrets: Path) -> None:
    ignored: list[str] = []
    live = Live(load_settings(), ignored.append)
    (secrets / "connector_source_url").write_text("postgresql://reader:two@elsewhere.example/crm\n")
    (secrets / "connector_gong_access_key").write_text("key-2")
    (secrets / "connector_calls_per_day").write_text("5")
    for _ in range(3):
        assert seen(live)[2] == "postgresql://reader:one@db.example/crm"
    assert ignored == ["CONNECTOR_SOURCE_URL"]
    assert live.now().calls_per_day == 9000
    assert seen(live)[0] == "key-2"


@pytest.mark.parametrize("unfit", ["emptied", "gone", "other wrong"])
def test_what_is_unfit_meanwhile_changes_nothing(secrets: Path, unfit: str) -> None:
    live = Live(load_settings())
    if unfit == "emptied":
        (secrets / "connector_gong_access_key").write_text("")
    elif unfit == "gone":
        (secrets / "connector_gong_access_key").unlink()
    else:
        (secrets / "connector_gong_access_key").write_text("key-2")
        (secrets / "connector_calls_per_day").write_text("many")
    assert seen(live)[0] == "key-1"
    if unfit == "other wrong":
        (secrets / "connector_calls_per_day").unlink()
        assert seen(live)[0] == "key-2"


def test_a_dotenv_file_counts_too_and_the_environment_comes_first(
    secrets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONNECTOR_GONG_ACCESS_KEY", "from-environment")
    live = Live(load_settings())
    (secrets / "connector_gong_access_key").write_text("key-2")
    (tmp_path / ".env").write_text("CONNECTOR_GONG_ACCESS_KEY_SECRET=from-dotenv\n")
    assert seen(live)[:2] == ("from-environment", "from-dotenv")
