"""PostgreSQL as companies have it: TLS that is verified, and passwords that change while the connector runs."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy
from authority import Authority
from servers import postgres_server
from sqlalchemy.engine import URL

from connector.clock import FakeClock
from connector.engine.observe import Silent
from connector.engine.wiring import Wiring
from connector.errors import ConnectorError, LedgerUnavailable
from connector.ledger.database import Database
from connector.settings import load_settings
from connector.source import open_source

HBA = b"local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n"


@dataclass(frozen=True)
class Server:
    """A server that takes nothing but TLS and passwords; `admin` comes by its own socket."""

    url: URL
    admin: sqlalchemy.Engine
    authority: Path
    stranger: Path

    def password(self, role: str, password: str) -> None:
        """Have a role a password, and nobody connected."""
        with self.admin.connect() as connection:
            connection.exec_driver_sql(f"ALTER ROLE {role} PASSWORD '{password}'")
            connection.exec_driver_sql(
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'"
            )

    def at(self, role: str, password: str, **query: str) -> str:
        """The URL of a role."""
        query = {"sslmode": "verify-full", "sslrootcert": str(self.authority)} | query
        url = self.url.set(drivername="postgresql", username=role, password=password, query=query)
        return url.render_as_string(hide_password=False)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    authority, stranger = Authority("The company"), Authority("Somebody else")
    certified = authority.certify("127.0.0.1")
    folder = tmp_path_factory.mktemp("tls")
    (folder / "ca.pem").write_bytes(authority.pem)
    (folder / "other.pem").write_bytes(stranger.pem)
    files = {"server.crt": certified.certificate, "server.key": certified.key, "pg_hba.conf": HBA}
    with tempfile.TemporaryDirectory(prefix="pg-") as sockets:
        Path(sockets).chmod(0o777)
        settings = {"ssl": "on", "unix_socket_directories": sockets}
        with postgres_server(settings, files=files) as url:
            admin = sqlalchemy.create_engine(
                url.set(host=None, query={"host": sockets}),
                isolation_level="AUTOCOMMIT",
                poolclass=sqlalchemy.NullPool,
            )
            with admin.connect() as connection:
                connection.exec_driver_sql("CREATE TABLE deals (id integer PRIMARY KEY, updated timestamptz)")
                for role in ("reader", "ledger"):
                    connection.exec_driver_sql(f"CREATE ROLE {role} LOGIN PASSWORD 'first-7c1d'")
                connection.exec_driver_sql("GRANT SELECT ON deals TO reader")
                connection.exec_driver_sql("CREATE SCHEMA ledger AUTHORIZATION ledger")
                connection.exec_driver_sql("ALTER ROLE ledger SET search_path = ledger")
            yield Server(url, admin, folder / "ca.pem", folder / "other.pem")


def test_a_server_whose_certificate_is_right_is_read_and_keeps_a_ledger(server: Server) -> None:
    source = open_source(server.at("reader", "first-7c1d"), FakeClock(0))
    source.ping()
    source.close()
    ledger = Database(server.at("ledger", "first-7c1d"))
    with ledger.reading() as connection:
        encrypted = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        assert connection.exec_driver_sql(encrypted).scalar_one() is True
    ledger.close()


@pytest.mark.parametrize("wrong", ["authority", "name", "plain"])
def test_a_server_that_is_not_the_one_is_not_talked_to(server: Server, wrong: str) -> None:
    url = server.at("reader", "first-7c1d")
    if wrong == "authority":
        url = server.at("reader", "first-7c1d", sslrootcert=str(server.stranger))
    elif wrong == "name":
        url = url.replace("@127.0.0.1:", "@localhost:")
    else:
        url = server.at("reader", "first-7c1d", sslmode="disable")
    source = open_source(url, FakeClock(0))
    with pytest.raises(ConnectorError) as caught:
        source.ping()
    assert {"authority": "certificate verify failed", "name": "localhost", "plain": "no encryption"}[wrong] in str(
        caught.value
    )
    assert "first-7c1d" not in str(caught.value)
    with pytest.raises(LedgerUnavailable) as lost, Database(url).reading():
        pass
    assert "first-7c1d" not in str(lost.value)
    source.close()


def test_passwords_of_both_databases_change_while_it_runs(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def written(password: str) -> None:
        (tmp_path / "connector_source_url").write_text(server.at("reader", password) + "\n")
        (tmp_path / "connector_state_url").write_text(server.at("ledger", password) + "\n")

    monkeypatch.setenv("CONNECTOR_SECRETS_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    server.password("reader", "first-7c1d")
    server.password("ledger", "first-7c1d")
    written("first-7c1d")
    with Wiring(load_settings(), FakeClock(0), Silent()) as wiring:
        wiring.source.ping()
        identity = wiring.source.identity
        assert wiring.store.meta("nothing") is None
        server.password("reader", "second-7c1d")
        server.password("ledger", "second-7c1d")
        with pytest.raises(ConnectorError) as caught:
            wiring.source.ping()
        assert "7c1d" not in str(caught.value)
        with pytest.raises(LedgerUnavailable):
            wiring.store.meta("nothing")
        written("second-7c1d")
        wiring.source.ping()
        assert wiring.source.identity == identity
        assert wiring.store.meta("nothing") is None
