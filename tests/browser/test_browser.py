"""The page in a real browser: nothing of the CRM's is obeyed, all fits a phone, and the essentials need no script."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from tests.browser.chromium import chromium, dark, needed, size
from tests.browser.states import HOSTILE, STATES, served, site
from tests.unit.engine.company import Company

PATIENCE_SECONDS = 60
PATHS = ("", "refused", "waiting", "object?id=900", "audit", "configuration")


@pytest.fixture(scope="module")
def browser() -> Iterator[Chrome]:
    needed()
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """One with hostile ids among what is refused."""
    made = STATES["refused"](tmp_path_factory.mktemp("company"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def url(company: Company) -> Iterator[str]:
    with served(site(company)) as found:
        yield found


def shows(browser: Chrome, address: str, width: int = 1280) -> None:
    size(browser, width, 900)
    browser.get(address)


def eventually(browser: Chrome, script: str) -> Any:
    """Wait until a script returns something that is true."""
    return WebDriverWait(browser, PATIENCE_SECONDS, poll_frequency=0.05).until(lambda one: one.execute_script(script))


def complaints(browser: Chrome) -> list[str]:
    """What the browser's console holds of errors; among them every breach of the page's own rules."""
    return [str(entry["message"]) for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]


def charts_are_drawn(browser: Chrome) -> None:
    eventually(browser, "return document.querySelectorAll('.chart canvas').length === 3")


@pytest.mark.parametrize("state", STATES)
def test_each_main_state_is_shown_whole_on_a_screen_and_on_a_phone(browser: Chrome, state: str, tmp_path: Path) -> None:
    made = STATES[state](tmp_path)
    with served(site(made)) as address:
        for width, prefers_dark in ((1280, False), (390, True)):
            dark(browser, prefers_dark)
            shows(browser, address, width)
            charts_are_drawn(browser)
            heading = browser.find_element(By.TAG_NAME, "h1")
            assert heading.is_displayed()
            assert heading.location["y"] < 300, "the answer comes first"
            assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        browser.get("about:blank")  # before there is nobody any more whom the page could ask
    made.close()
    assert complaints(browser) == []


def test_hostile_ids_are_only_text(browser: Chrome, url: str) -> None:
    for path in (*PATHS, *(f"object?id={hostile}" for hostile in HOSTILE[:2])):
        for width in (1280, 390):
            shows(browser, url + path, width)
            assert browser.title != "owned"
            assert browser.execute_script("return document.documentElement.scrollWidth") <= width, path
    shows(browser, url)
    assert [one.text for one in browser.find_elements(By.CSS_SELECTOR, "a.id")][:2]
    assert HOSTILE[0] in browser.find_element(By.TAG_NAME, "main").text
    assert complaints(browser) == []


def test_the_page_stays_fresh_and_what_has_the_focus_keeps_it(browser: Chrome, company: Company, url: str) -> None:
    shows(browser, url)
    charts_are_drawn(browser)
    link = browser.find_element(By.CSS_SELECTOR, "[data-live] a.id")
    browser.execute_script("arguments[0].focus(); document.querySelector('details').open = true", link)
    target = link.get_attribute("href")
    company.put("users", id="late-comer", email=None)
    company.sync(timeout=100)
    browser.execute_script("document.dispatchEvent(new Event('visibilitychange'))")  # as when one comes back to it
    eventually(browser, "return document.querySelector('main').textContent.includes('late-comer')")
    assert browser.execute_script("return document.activeElement.href") == target
    assert browser.execute_script("return document.querySelector('details').open")
    assert complaints(browser) == []


def test_a_page_whose_connector_is_gone_says_that_it_is_old(browser: Chrome, company: Company) -> None:
    with served(site(company)) as address:
        shows(browser, address)
        charts_are_drawn(browser)
        assert not browser.find_element(By.CLASS_NAME, "stale").is_displayed()
    browser.execute_script("document.dispatchEvent(new Event('visibilitychange'))")
    eventually(browser, "return !document.querySelector('.stale').hidden")
    assert "The connector does not answer" in browser.find_element(By.CLASS_NAME, "stale").text
    browser.get("about:blank")
    complaints(browser)  # that nobody answered is no complaint about the page


def test_all_can_be_reached_by_keyboard_and_the_focus_is_seen(browser: Chrome, url: str) -> None:
    shows(browser, url)
    browser.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    first = browser.switch_to.active_element
    assert first.text == "Skip to the content"
    first.send_keys(Keys.ENTER)
    assert browser.execute_script("return document.activeElement.id") == "main"
    seen = []
    for _ in range(4):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        active = browser.switch_to.active_element
        seen.append(active.get_attribute("id") or active.tag_name)
        assert active.value_of_css_property("outline-style") != "none", seen
    assert "find-type" in seen
    assert "find-id" in seen


def test_the_search_answers(browser: Chrome, url: str) -> None:
    shows(browser, url, 390)
    browser.find_element(By.ID, "find-id").send_keys("900", Keys.ENTER)
    eventually(browser, "return location.pathname === '/object'")
    assert "the account that it names is not in Gong" in browser.find_element(By.TAG_NAME, "main").text


def test_the_essentials_need_no_script(browser: Chrome, url: str) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        shows(browser, url)
        words = browser.find_element(By.TAG_NAME, "main").text
        assert "Something is held" in words
        assert "Is it in Gong?" in words
        assert "Last passes" in words
        browser.find_element(By.CSS_SELECTOR, "summary").click()
        assert "By the hour" in browser.find_element(By.TAG_NAME, "details").text
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
