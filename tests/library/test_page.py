"""The search page in a browser: typed, clicked, played, dropped on, and used by keys alone."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.library.conftest import Served

pytestmark = pytest.mark.slow
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (broken) =>
  window.violations.push(broken.violatedDirective));
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def page(browser: Any, served: Served) -> Iterator[Any]:
    """The page, which may not ask anybody else, violate its policy or complain."""
    opened = browser.new_page(viewport={"width": 1200, "height": 900})
    asked: list[str] = []
    said: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.add_init_script(VIOLATIONS)
    opened.goto(served.address)
    opened.wait_for_selector("#columns fieldset", state="attached")
    yield opened
    assert opened.evaluate("window.violations") == []
    opened.close()
    assert said == []
    assert [url for url in asked if not url.startswith(f"{served.address}/")] == []


def _find(page: Any, text: str) -> None:
    page.fill("#text", text)
    page.press("#text", "Enter")
    page.wait_for_selector("#results[data-explained]")


def test_a_finding_is_typed_and_what_carried_it_is_marked(page: Any) -> None:
    page.select_option("#order", "both")
    _find(page, "severe stenosis of the LAD")
    assert page.locator(".study").count() == 12
    assert page.locator(".study mark").count() == 12
    assert "random pairs" in page.inner_text(".study .head")
    assert page.get_attribute(".study .actions a", "href").startswith("https://pacs.example/")


def test_all_views_play_in_step_and_stop_and_step(page: Any) -> None:
    _find(page, "stenosis")
    page.wait_for_selector(".study canvas[data-frame='3']")
    frames = "[...document.querySelectorAll('.study canvas')].map((c) => c.dataset.frame)"
    page.click("#play")
    stopped = [frame for frame in page.evaluate(frames) if frame]
    assert len(set(stopped)) == 1
    assert [frame for frame in page.evaluate(frames) if frame] == stopped
    page.click("#next")
    after = [frame for frame in page.evaluate(frames) if frame]
    assert {(int(frame) - int(stopped[0])) % 8 for frame in after} == {1}


def test_files_are_dropped_and_bad_ones_refused_in_one_line(page: Any, tmp_path: Path) -> None:
    draw = np.random.default_rng(0).integers(0, 255, (6, 40, 40, 3), np.uint8)
    frames = [Image.fromarray(frame) for frame in draw]
    good, bad = tmp_path / "good.webp", tmp_path / "bad.mp4"
    frames[0].save(good, save_all=True, append_images=frames[1:], duration=50)
    bad.write_bytes(b"this is no video")
    page.set_input_files("#files", bad)
    page.wait_for_selector("#status.bad")
    assert "cannot be searched with" in page.inner_text("#status")
    page.set_input_files("#files", good)
    page.wait_for_selector("#results[data-explained]")
    assert page.inner_text("#asked figcaption") == "yours: good.webp"
    assert page.locator(".study").count() == 12


def test_the_page_is_used_by_keys_alone(page: Any) -> None:
    page.wait_for_selector("#text:focus")  # where the page puts who types, once it is ready
    page.keyboard.type("calcified vessels")
    page.keyboard.press("Enter")
    page.wait_for_selector("#results[data-explained]")
    page.focus("#results")
    page.keyboard.press("j")
    row = page.evaluate("document.activeElement.dataset.row")
    page.keyboard.press("a")
    page.wait_for_selector("#status:has-text('on the list')")
    page.keyboard.press("m")
    liked = f".study[data-row='{row}'] [data-do=like][aria-pressed=true]"
    page.wait_for_selector(liked)
    page.focus(f".study[data-row='{row}']")
    page.keyboard.press("m")
    page.wait_for_selector(liked, state="detached")
    page.focus(f".study[data-row='{row}']")
    page.keyboard.press("s")
    page.wait_for_selector(f".study[data-row='{row}']", state="detached")
    page.keyboard.press("?")
    assert page.locator("#help[open]").count() == 1


def test_nothing_relevant_is_said_and_a_phone_shows_it_all(browser: Any, served: Served) -> None:
    page = browser.new_page(viewport={"width": 360, "height": 740}, is_mobile=True)
    page.goto(served.address)
    page.wait_for_selector("#columns fieldset", state="attached")
    _find(page, "purple elephants on the moon")
    assert "Nothing relevant in this library" in page.inner_text("#verdict")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.close()
