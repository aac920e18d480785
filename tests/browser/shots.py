"""Screenshots of the page in each main state, to look at:
`PYTHONPATH=tests python -m tests.browser.shots DIRECTORY [STATE...]`.
"""

import sys
import tempfile
from pathlib import Path

from tests.browser.chromium import chromium, dark, size
from tests.browser.states import STATES, served, site

OTHERS = ("refused", "waiting", "object?id=900", "configuration", "audit")


def main(directory: Path, names: list[str]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for name in names or STATES:
            with tempfile.TemporaryDirectory() as folder:
                company = STATES[name](Path(folder))
                with served(site(company)) as url:
                    for path in ("", *(OTHERS if name == "refused" else ())):
                        shown = f"{name}-{path.partition('?')[0] or 'status'}"
                        for width, how in ((1280, "light"), (390, "light"), (1280, "dark")):
                            dark(browser, how == "dark")
                            size(browser, width, 900)
                            browser.get(url + path)
                            browser.implicitly_wait(1)
                            height = browser.execute_script("return document.documentElement.scrollHeight")
                            size(browser, width, min(int(height), 4000))
                            browser.get_screenshot_as_file(str(directory / f"{shown}-{width}-{how}.png"))
                company.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
