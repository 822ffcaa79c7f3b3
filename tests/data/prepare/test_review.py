"""The review page, in a browser: approve, reject, download, apply."""

import shutil
from pathlib import Path

import pytest

from tests.data.prepare.exports import UNSURE, decisions, run, tables, write_cine

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("by_hand")]


def test_a_person_decides_by_keyboard_on_a_phone_and_the_next_run_applies_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    playwright = pytest.importorskip("playwright.sync_api")
    if chromium is None:
        pytest.skip("no chromium on this machine")
    export, out = tmp_path / "export", tmp_path / "out"
    for scene in range(3):
        write_cine(export / str(scene), scene=scene)
    run(export, out, UNSURE)
    said_first = capsys.readouterr().out
    assert f"open {out / 'review.html'}" in said_first
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 360, "height": 800})
        asked: list[str] = []
        said: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.goto((out / "review.html").as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert page.evaluate("document.getElementById('picture').naturalWidth") > 0
        assert page.inner_text("#about").startswith("Why it waits: the visible area is not a clean")
        page.keyboard.press("a")
        page.keyboard.press("r")
        page.keyboard.press("ArrowLeft")
        assert "2 of 3 · reject · 2 decided" in page.inner_text("#progress")
        with page.expect_download() as download:
            page.click("#download")
        download.value.save_as(out / "decisions.csv")
        browser.close()
    assert [url for url in asked if not url.startswith(("data:", "blob:", "file:"))] == []
    assert said == []
    run(export, out, UNSURE)
    assert decisions(out) == {"kept": 1, "dropped": 1, "pending": 1}
    left = tables(out)[0].set_index("decision")["cine"]
    page_text = (out / "review.html").read_text()
    assert f'"key": "{left["pending"]}"' in page_text
    assert f"{left['dropped']}" in page_text  # so that the next download keeps it
