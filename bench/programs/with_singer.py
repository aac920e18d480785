"""A Singer tap of PostgreSQL into target-jsonl: `with_singer.py TAP TARGET HOST PORT USER PASSWORD DATABASE DIRECTORY`.

The catalog is discovered, and the stream of the table `deals` selected, before the run, as one does once by hand.
"""

import json
import subprocess
import sys
from pathlib import Path


def main(tap: str, target: str, host: str, port: str, user: str, password: str, database: str, directory: str) -> None:
    """Run the pipe; raises CalledProcessError where an end of it fails."""
    home = Path(directory)
    config = {"host": host, "port": int(port), "user": user, "password": password, "dbname": database}
    (home / "tap.json").write_text(json.dumps(config | {"database": database}))
    (home / "target.json").write_text(json.dumps({"destination_path": directory}))
    tapped = [tap, "--config", str(home / "tap.json")]
    found = subprocess.run([*tapped, "--discover"], capture_output=True, check=True)
    streams = [stream for stream in json.loads(found.stdout)["streams"] if stream["table_name"] == "deals"]
    for stream in streams:
        stream["replication_method"] = "FULL_TABLE"
        for described in stream["metadata"]:
            described["metadata"] |= {"selected": True, "replication-method": "FULL_TABLE"}
    (home / "catalog.json").write_text(json.dumps({"streams": streams}))
    reading = [*tapped, "--catalog", str(home / "catalog.json")]
    with subprocess.Popen(reading, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as lines:
        writing = [target, "--config", str(home / "target.json")]
        subprocess.run(writing, stdin=lines.stdout, stdout=subprocess.DEVNULL, check=True)
    if lines.returncode:
        raise subprocess.CalledProcessError(lines.returncode, reading)


if __name__ == "__main__":
    main(*sys.argv[1:])
