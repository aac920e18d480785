"""The status page as a browser or a monitor gets it."""

import re
import urllib.error
import urllib.request


def page(address: str) -> tuple[int, str]:
    """Return status and text of what is shown at an address."""
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def addresses(log: str) -> list[str]:
    """Where the daemons that wrote a log show their pages."""
    return re.findall(r'"event": "web.started".*?"url": "(http[^"]+)"', log)
