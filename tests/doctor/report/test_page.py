"""The page of a run: one file, nothing from outside, every number beside its null."""

import json
import re
import shutil
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cinelex.core.errors import UserError
from cinelex.core.files import write_json
from cinelex.doctor.report.examples import (
    caption_examples,
    image_address,
    search_examples,
)
from cinelex.doctor.report.page import write_report
from cinelex.doctor.run_files import read_run
from tests.doctor.conftest import HOSTILE, MASKED, STEPS, report_text
from tests.doctor.records import HEALTHY, found, steps


class _Page(HTMLParser):
    """Collects tags, addresses and visible text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.words: list[str] = []
        self._hidden = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self._hidden += tag == "style"
        self.addresses += [v or "" for k, v in attrs if k in ("src", "href", "action", "data")]
        self.handlers += [k for k, _ in attrs if k.startswith("on")]

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag == "style"

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def _page(folder: Path) -> _Page:
    path = write_report(folder)
    assert path == folder / "report.html"
    return _Page(path.read_text())


def _edit_lines(path: Path, **changes: object) -> None:
    rows = [json.loads(line) | changes for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_the_page_asks_nothing_of_any_other_file_or_address(run_folder: Path) -> None:
    page = _page(run_folder)
    assert all(a.startswith(("data:image/png;base64,", "#")) for a in page.addresses)
    html = (run_folder / "report.html").read_text()
    assert "http://" not in html
    assert "https://" not in html
    assert "url(" not in html
    assert "@import" not in html
    assert page.tags["script"] == page.tags["link"] == page.tags["iframe"] == 0
    assert page.handlers == []
    assert "default-src 'none'" in html


def test_every_section_is_there(run_folder: Path) -> None:
    page = _page(run_folder)
    for heading in ("Findings", "Training", "Results", "Best", "Worst", "Captions", "Pictures"):
        assert heading in page.text
    assert page.tags["img"] == 13
    assert page.tags["figure"] == 10
    assert f"{STEPS} steps recorded" in page.text


def test_every_retrieval_number_stands_beside_its_chance(run_folder: Path) -> None:
    page = _page(run_folder)
    results = json.loads((run_folder / "results.json").read_text())
    for direction in ("study_to_report", "report_to_study"):
        entry = results["retrieval"][direction]["recall_at_5"]
        row = (
            f"{100 * entry['value']:.1f} % {100 * entry['low']:.1f} – {100 * entry['high']:.1f} % "
            f"{100 * entry['chance']:.1f} %"
        )
        assert row in page.text.replace("\u00a0", " ")


def test_losses_are_drawn_with_their_chance_and_floor(run_folder: Path) -> None:
    page = _page(run_folder)
    assert "chance 3.46" in page.text
    assert "chance 7.62" in page.text
    assert re.search(r"floor \d", page.text)
    assert "clipped above 1" in page.text
    html = (run_folder / "report.html").read_text()
    assert html.count("stroke-dasharray") >= 6


def test_every_score_stands_beside_each_of_its_nulls(run_folder: Path) -> None:
    text = _page(run_folder).text.replace("\u00a0", " ")
    assert "Constant normal Shuffled Text only Nearest report" in text
    row = "44.0 % 40.9 – 47.1 % 3.0 % 2.8 – 3.2 % 11.0 % 10.2 – 11.8 % 45.0 %"
    assert row in text
    assert "not beyond text only" in text
    assert "Captioning loss nats per token 0.41 7.62 4.1 0.93 better, no interval" in text


def test_space_after_a_fact_has_no_colour(run_folder: Path) -> None:
    spans = caption_examples(read_run(run_folder))[1].spans
    assert [span.verdict for span in spans[2:4]] == ["right", "neutral"]
    assert spans[2].text == spans[2].text.strip()
    assert spans[3].text == " "


def test_a_hostile_report_is_text(run_folder: Path) -> None:
    predictions = run_folder / "predictions"
    nearest = [{"report": HOSTILE, "score": 0.5}]
    _edit_lines(predictions / "retrieval.jsonl", report=HOSTILE, study_id=HOSTILE, nearest=nearest)
    wrong = {"text": "40%", "verdict": "wrong", "reference": HOSTILE}
    spans = [{"text": HOSTILE, "verdict": HOSTILE}, wrong, {"text": HOSTILE, "verdict": "missing"}]
    _edit_lines(predictions / "captions.jsonl", reference=HOSTILE, study_id=HOSTILE, spans=spans)
    page = _page(run_folder)
    assert page.tags["script"] == 0
    assert page.handlers == []
    assert all(a.startswith(("data:image/png;base64,", "#")) for a in page.addresses)
    assert HOSTILE in page.text
    assert f"40% (reference: {HOSTILE})" in page.text


def test_hostile_keys_and_hashes_are_text_too(run_folder: Path) -> None:
    results = json.loads((run_folder / "results.json").read_text())
    score = results["losses"]["captioning"]
    score |= {"label": HOSTILE, "unit": HOSTILE, "variant": HOSTILE, HOSTILE: 0.5}
    results["groups"][0] |= {"title": HOSTILE, "note": HOSTILE}
    results["tables"] = [{"title": HOSTILE, "note": HOSTILE, "rows": [{HOSTILE: HOSTILE}]}]
    results["provenance"][HOSTILE] = HOSTILE
    (run_folder / "results.json").write_text(json.dumps(results))
    _edit_lines(run_folder / "metrics.jsonl", **{f"loss/{HOSTILE}": 1.0})
    page = _page(run_folder)
    assert page.tags["script"] == 0
    assert page.handlers == []
    assert page.text.count(HOSTILE) >= 8


def test_pictures_of_the_results_are_shown_if_they_lie_in_the_runs_folder(
    run_folder: Path,
) -> None:
    outside = run_folder.parent / "outside.png"
    shutil.copy(run_folder / MASKED, outside)
    results = json.loads((run_folder / "results.json").read_text())
    for path in (MASKED, "../outside.png", "predictions/absent.png"):
        results["pictures"].append({"title": "t", "note": f"seen {path}", "path": path})
    (run_folder / "results.json").write_text(json.dumps(results))
    text = _page(run_folder).text
    assert f"seen {MASKED}" in text
    assert "outside.png" not in text
    assert "absent.png" not in text


def test_results_of_another_shape_show_no_scores_and_do_no_harm(run_folder: Path) -> None:
    entry = {"value": 0.5, "chance": 0.1, "baselines": {"a": {"value": 0.1}}}
    old = {"retrieval": {"study_to_report": {"recall_at_1": entry}, "queries": 3}, "tables": [1]}
    (run_folder / "results.json").write_text(json.dumps(old))
    page = _page(run_folder)
    assert "#results" not in page.addresses
    assert "No evaluation yet" not in page.text


def test_pictures_come_from_the_predictions_only(run_folder: Path) -> None:
    predictions = run_folder / "predictions"
    secret = run_folder / "secret.png"
    shutil.copy(predictions / "masked.png", secret)
    (predictions / "text.png").write_text("not a picture")
    (predictions / "link.png").symlink_to(secret)
    assert image_address(predictions, "masked.png").startswith("data:image/png;base64,")
    for name in ("../secret.png", str(secret), "link.png", "text.png", "absent.png", "frames"):
        assert image_address(predictions, name) == ""


def test_best_and_worst_go_by_the_rank_of_the_truth(run_folder: Path) -> None:
    rows = [
        {"study_id": f"s{i}", "rank": rank, "report": "r", "nearest": [{"report": "x", "score": s}]}
        for i, (rank, s) in enumerate([(9, 0.99), (1, 0.1), (4, 0.9), (30, 0.95), (2, 0.2)])
    ]
    path = run_folder / "predictions" / "retrieval.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    best, worst = search_examples(read_run(run_folder), count=6)
    assert [example.rank for example in best] == [1, 2]
    assert [example.rank for example in worst] == [30, 9]


def test_the_own_report_is_marked_among_the_nearest(run_folder: Path) -> None:
    best, _ = search_examples(read_run(run_folder), count=6)
    assert best[0].neighbours[0].own
    assert best[0].neighbours[0].report == best[0].report
    assert [near.own for near in best[0].neighbours[1:]] == [False] * 4


def test_temperature_ten_is_on_the_page_with_its_key(run_folder: Path) -> None:
    config = run_folder / "config.yaml"
    config.write_text(config.read_text().replace("temperature: 0.1", "temperature: 10"))
    text = _page(run_folder).text
    assert "D4 error" in text
    assert "can move by less than 3 % of chance" in text


def test_a_run_that_has_only_begun_has_a_page(run_folder: Path) -> None:
    (run_folder / "results.json").unlink()
    shutil.rmtree(run_folder / "predictions")
    page = _page(run_folder)
    assert "No evaluation yet" in page.text
    assert page.tags["figure"] == 9
    (run_folder / "metrics.jsonl").unlink()
    assert _page(run_folder).tags["figure"] == 0


def test_a_config_of_another_version_is_said_and_not_fatal(run_folder: Path) -> None:
    (run_folder / "config.yaml").write_text("name: x\nunheard_of: 1\n")
    text = _page(run_folder).text
    assert "The config could not be read" in text
    assert "unheard_of" in text


def test_numbers_that_are_null_leave_gaps_not_errors(run_folder: Path) -> None:
    _edit_lines(run_folder / "metrics.jsonl", grad_norm=None, **{"loss/contrastive": None})
    page = _page(run_folder)
    assert page.tags["figure"] == 8 + 1, "the course of the steps that were left out"
    assert "D15 error" in page.text


def test_a_record_cut_off_by_a_crash_is_read_up_to_there(run_folder: Path) -> None:
    path = run_folder / "metrics.jsonl"
    path.write_text(path.read_text() + '{"kind": "step", "st')
    assert len(read_run(run_folder).steps) == STEPS
    path.write_text("broken\n" + path.read_text())
    with pytest.raises(UserError, match="line 1 is not JSON"):
        write_report(run_folder)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such run folder"):
        write_report(tmp_path / "nothing")


def test_provenance_and_the_command_are_given(run_folder: Path) -> None:
    text = _page(run_folder).text
    for what in ("config", "data", "checkpoint", "code"):
        assert what[0] * 64 in text
    assert f"--base_config {run_folder.as_posix()}/config.yaml" in text
    assert report_text(0) in text


@pytest.mark.slow
def test_a_browser_shows_it_on_a_phone_without_asking_for_anything(run_folder: Path) -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    playwright = pytest.importorskip("playwright.sync_api")
    if chromium is None:
        pytest.skip("no chromium on this machine")
    path = write_report(run_folder)
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for width in (360, 1200):
            page = browser.new_page(viewport={"width": width, "height": 900})
            asked: list[str] = []
            said: list[str] = []
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            page.on("console", lambda message, said=said: said.append(message.text))
            page.goto(path.as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            broken = "[...document.images].filter(i => !i.naturalWidth).length"
            assert page.evaluate(broken) == 0
            assert [url for url in asked if not url.startswith("data:")] == [path.as_uri()]
            assert said == []
        browser.close()


def test_what_a_resumed_run_found_is_on_its_page(run_folder: Path) -> None:
    (finding,) = found(replace(HEALTHY, earlier_steps=[{**steps()[9], "loss": 1.0}]), "D20")
    write_json(run_folder / "doctor.json", {"diagnostics": {}, "findings": [vars(finding)]})
    assert "was made before the interruption and again after it" in _page(run_folder).text
