"""A headless Chromium, driven from a test."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def lacking() -> str | None:
    """Say what lacks for a browser test; None when nothing does."""
    if not any(shutil.which(name) for name in _BROWSERS):
        return "there is no Chromium (Debian: apt-get install chromium chromium-driver)"
    return (
        None if shutil.which("chromedriver") else "there is no chromedriver (Debian: apt-get install chromium-driver)"
    )


def needed() -> None:
    """Skip the test where there is no browser; in CI, fail it."""
    lack = lacking()
    if lack is None:
        return
    if os.environ.get("CI"):
        pytest.fail(lack)
    pytest.skip(lack)


@contextmanager
def chromium() -> Iterator[Chrome]:
    """Start a browser."""
    options = ChromeOptions()
    options.binary_location = next(found for name in _BROWSERS if (found := shutil.which(name)))
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = Chrome(options, ChromeService(shutil.which("chromedriver")))
    try:
        yield browser
    finally:
        browser.quit()


def size(browser: Chrome, width: int, height: int) -> None:
    """Give the page so many pixels, whatever the window's frame takes."""
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
    )


def dark(browser: Chrome, wanted: bool) -> None:
    """Prefer dark colours, or light ones."""
    value = "dark" if wanted else "light"
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": value}]}
    )
