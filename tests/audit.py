"""Asks for known vulnerabilities of what the connector depends on: `python -m tests.audit`, part of `make lint`.

Where the advisory service cannot be reached, or does not know the packages, it says so and is content: whether a
machine has the network is no property of the code.
"""

import json
import subprocess
import sys
from typing import Any

PATIENCE_SECONDS = 180


def verdict(answer: dict[str, Any] | None) -> tuple[str, bool]:
    """Return what an answer of pip-audit comes to, in words, and whether all is well."""
    packages = [] if answer is None else answer["dependencies"]
    known = [one for one in packages if "vulns" in one]
    found = [f"{one['name']} {one['version']}: {bad['id']}" for one in known for bad in one["vulns"]]
    if found:
        return "\n".join(["Known vulnerabilities:", *found]), False
    if not known:
        return "Dependencies were not audited: the advisory service cannot be reached from here.", True
    left_out = f"; {len(packages) - len(known)} are not known to the service" if len(known) < len(packages) else ""
    return f"No known vulnerabilities in {len(known)} dependencies{left_out}.", True


def main() -> int:
    """Audit the locked dependencies of the package."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", "requirements.lock", "--require-hashes"]
    try:
        done = subprocess.run(
            [*command, "--disable-pip", "--format", "json", "--progress-spinner", "off"],
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        answer = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        answer = None
    words, well = verdict(answer)
    print(words)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
