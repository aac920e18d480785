"""MariaDB as companies have it: TLS that is verified, and passwords that change while the connector runs."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy
from authority import Authority
from databases import MYSQL_URL, mysql_database
from servers import mariadb_server
from sqlalchemy.engine import URL

from connector.clock import FakeClock
from connector.errors import ConnectorError
from connector.source import open_source


def test_a_password_changes_while_it_runs() -> None:
    admin = sqlalchemy.create_engine(MYSQL_URL, isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool)
    role = f"reader_{secrets.token_hex(4)}"
    with mysql_database() as url, admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE USER {role}@'%%' IDENTIFIED BY 'first-9f0e'")
        try:
            connection.exec_driver_sql(f"GRANT SELECT ON {url.database}.* TO {role}@'%%'")
            now = ["first-9f0e"]

            def current() -> str:
                changed = url.set(drivername="mysql", username=role, password=now[0])
                return changed.render_as_string(hide_password=False)

            source = open_source(current(), FakeClock(0), current=current)
            source.ping()
            connection.exec_driver_sql(f"ALTER USER {role}@'%%' IDENTIFIED BY 'second-9f0e'")
            connection.exec_driver_sql(f"KILL USER {role}@'%%'")
            with pytest.raises(ConnectorError) as caught:
                source.ping()
            assert "9f0e" not in str(caught.value)
            now[0] = "second-9f0e"
            source.ping()
            source.close()
        finally:
            connection.exec_driver_sql(f"DROP USER {role}@'%%'")
    admin.dispose()


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[URL, Path, Path]]:
    """A server with a certificate, its authority, and another one."""
    folder = tmp_path_factory.mktemp("tls")
    authority, stranger = Authority("The company"), Authority("Somebody else")
    certified = authority.certify("127.0.0.1")
    (folder / "ca.pem").write_bytes(authority.pem)
    (folder / "other.pem").write_bytes(stranger.pem)
    settings = {"ssl-cert": "server.crt", "ssl-key": "server.key", "require-secure-transport": "ON"}
    with mariadb_server(settings, {"server.crt": certified.certificate, "server.key": certified.key}) as url:
        yield url, folder / "ca.pem", folder / "other.pem"


@pytest.mark.thorough
@pytest.mark.parametrize("wrong", ["", "authority", "name"])
def test_a_server_is_talked_to_when_it_is_the_one(secured: tuple[URL, Path, Path], wrong: str) -> None:
    url, authority, stranger = secured
    query = {"ssl_ca": str(stranger if wrong == "authority" else authority)}
    asked = url.set(drivername="mysql", host="localhost" if wrong == "name" else url.host, query=query)
    source = open_source(asked.render_as_string(hide_password=False), FakeClock(0))
    if wrong:
        words = {"authority": "verify failed", "name": "localhost"}[wrong]
        with pytest.raises(ConnectorError, match=f"(?i){words}"):
            source.ping()
    else:
        source.ping()
        with source._sessions.snapshot() as session:
            assert session.query("SHOW STATUS LIKE 'Ssl_cipher'")[0][1]
    source.close()
