"""The requests of the search page: who may make them, and what they answer."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest

from cinelex.core.errors import UserError
from cinelex.library import demo
from cinelex.library.building import bring_up_to_date
from cinelex.library.catalog import Case, Catalog, NewCase, Video
from cinelex.library.guard import Guard
from cinelex.library.library import Library
from cinelex.library.server import make_app
from cinelex.library.site import Site
from cinelex.library.tokens import tokens_for
from tests.data.prepare.exports import write_cine
from tests.library.conftest import MAX_UPLOAD, TOKEN, Served, serving

pytestmark = pytest.mark.slow


def _search(client: httpx.Client, **asked: object) -> dict[str, object]:
    answer = client.post("/api/search", json=asked)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_the_nearest_studies_are_those_of_the_greatest_cosine(served: Served) -> None:
    rows = served.library.vectors.all
    study = served.library.catalog.cases([3])[0]
    expected = np.argsort(-(rows @ rows[3]), kind="stable")[1:6]
    with served.client() as client:
        found = _search(client, query={"study": study.id}, count=5)["results"]
    assert [result["row"] for result in found] == expected.tolist()  # type: ignore[attr-defined]
    assert [r["score"] for r in found] == pytest.approx(  # type: ignore[attr-defined]
        (rows[expected] @ rows[3]).tolist(), abs=1e-5
    )


def test_filters_and_words_hold_for_every_answer(served: Served) -> None:
    asked = {"query": {"text": "stenosis"}, "filters": {"split": ["test"]}, "count": 100}
    with served.client() as client:
        some = _search(client, **asked, words="stenosis")["results"]
        others = _search(client, **asked, words="-stenosis")["results"]
        assert _search(client, **asked, words="elephant")["results"] == []
        wrong = client.post("/api/search", json={**asked, "filters": {"speed": ["1"]}})
    assert len(some) + len(others) == 12  # type: ignore[arg-type]
    for result in some:  # type: ignore[attr-defined]
        assert result["fields"]["split"] == "test"
        assert "stenosis" in result["report"].lower()
    assert wrong.status_code == 400
    assert "'speed'" in wrong.json()["error"]


def test_words_that_no_report_holds_are_answered_with_nothing_relevant(served: Served) -> None:
    with served.client() as client:
        found = _search(client, query={"text": "purple elephants on the moon"})
    assert found["relevant"] is False
    assert found["unknown_words"] == ["purple", "elephants", "moon"]


def test_the_best_sentence_view_and_words_are_named(served: Served) -> None:
    query = {"study": served.library.catalog.cases([0])[0].id}
    with served.client() as client:
        row = _search(client, query=query, count=1)["results"][0]["row"]  # type: ignore[index]
        why = client.post("/api/explain", json={"query": query, "rows": [row]}).json()[0]
    case = served.library.catalog.cases([row])[0]
    assert "".join(why["sentences"]).replace(" ", "") == case.report.replace(" ", "")
    assert 0 <= why["marked"] < len(why["sentences"])
    numbers = [video.number for video in case.videos]
    alone = served.library.vectors.videos[numbers] @ served.library.vectors.all[0]
    assert list(why["views"].values()) == pytest.approx(alone.tolist(), abs=1e-5)
    assert [word for word, _ in why["words"]] == why["sentences"][why["marked"]].split()


def test_a_video_is_served_by_its_number_in_ranges_and_nothing_else_is(served: Served) -> None:
    with served.client() as client:
        whole = client.get("/api/videos/0/sheet")
        part = client.get("/api/videos/0/sheet", headers={"range": "bytes=2-9"})
        assert whole.content[:4] == client.get("/api/videos/0/poster").content[:4] == b"RIFF"
        assert (part.status_code, part.content) == (206, whole.content[2:10])
        for path in (
            *("/api/videos/999999/sheet", "/api/videos/..%2f..%2fconfig.yaml/sheet"),
            *("/page/../server.py", "/page/..%2fserver.py", "/page/%2e%2e/server.py"),
            *("/page//etc/passwd", "/config.yaml", "/api/uploads/..%2f..%2fx/sheet", "/docs"),
        ):
            refused = client.get(path)
            assert refused.status_code in (400, 404, 422), path
            assert list(refused.json()) == ["error"]


def test_labels_move_the_answers_and_survive_a_restart(served: Served) -> None:
    query = {"text": "calcified vessels"}
    with served.client() as client:
        first = _search(client, query=query)["results"][-1]  # type: ignore[index]
        label = {"query": query, "row": first["row"], "verdict": "like"}
        assert client.post("/api/labels", json=label).json() == {"verdict": "like"}
        refined = _search(client, query=query)
    assert refined["refined"] == 1
    site = Site(served.library, pacs="", max_upload=MAX_UPLOAD)
    with (
        serving(Guard(make_app(site), tokens={}, person="tester")) as address,
        httpx.Client(base_url=address) as client,
    ):
        again = _search(client, query=query)
        table = client.get("/api/labels.csv").text.splitlines()
        client.post("/api/labels", json={**label, "verdict": ""})
        assert _search(client, query=query)["refined"] == 0
    verdicts = {r["row"]: r["verdict"] for r in again["results"]}  # type: ignore[attr-defined]
    assert verdicts[first["row"]] == "like"
    assert table[1].startswith(f"text: calcified vessels,like,{first['id']},")


def test_a_case_list_is_kept_and_exported_without_reports(served: Served) -> None:
    case = served.library.catalog.cases([2])[0]
    with served.client() as client:
        keep = {"name": "teaching", "row": 2, "kept": True}
        assert client.post("/api/lists", json=keep).json()["teaching"] == [case.id]
        table = client.get("/api/list.csv", params={"name": "teaching"}).text
        client.post("/api/lists", json={**keep, "kept": False})
        assert "teaching" not in client.get("/api/lists").json()
    assert case.id in table
    assert case.report not in table


def test_the_log_names_person_and_query_and_holds_no_report(served: Served) -> None:
    report = served.library.catalog.cases([5])[0].report
    with served.client() as client:
        _search(client, query={"text": "severe stenosis"}, count=1)
        _search(client, query={"text": f"{report} {report}"}, count=1)
    text = (served.run / "library" / "searches.jsonl").read_text()
    short, long = map(json.loads, text.splitlines()[-2:])
    assert (short["person"], short["query"]) == ("tester", "severe stenosis")
    assert long["query"].startswith(f"{2 * len(report) + 1} characters, sha256 ")
    assert report not in text


def test_a_dicom_cine_is_searched_with_and_files_that_are_none_are_refused(
    served: Served, tmp_path: Path
) -> None:
    pytest.importorskip("pydicom")
    cine = write_cine(tmp_path / "cine").read_bytes()
    with served.client() as client:
        kept = client.post("/api/uploads", content=cine).json()
        assert kept["frames"] == 6
        assert kept["times_ms"] == [0, 40, 80, 120, 160, 200, 240]
        found = _search(client, query={"uploads": [kept["upload"]]}, count=3)
        assert len(found["results"]) == 3  # type: ignore[arg-type]
        shown = client.get(f"/api/uploads/{kept['upload']}/sheet")
        assert shown.headers["content-type"] == "image/webp"
        for content, status in (
            (b"not a video at all", 400),
            (cine[:600], 400),
            (b"%PDF-1.7 and so on", 400),
            (b"x" * (MAX_UPLOAD + 1), 413),
        ):
            refused = client.post("/api/uploads", content=content)
            assert refused.status_code == status
            assert "\n" not in refused.json()["error"]


def test_other_sites_and_other_names_of_this_machine_are_turned_away(served: Served) -> None:
    query = {"query": {"text": "x"}}
    with served.client() as client:
        foreign = client.post("/api/search", json=query, headers={"origin": "http://evil.example"})
        renamed = client.get("/api/library", headers={"host": "evil.example"})
        second = client.get("/api/library", headers={"host": "127.0.0.2:8000"})
        large = client.post("/api/search", content=b"{" + b" " * 70_000)
        odd = client.post("/api/search", json={**query, "paths": ["/etc"]})
    codes = [answer.status_code for answer in (foreign, renamed, second, large, odd)]
    assert codes == [403, 403, 200, 413, 422]


def test_without_the_token_nothing_is_answered(served: Served) -> None:
    site = Site(served.library, pacs="", max_upload=MAX_UPLOAD)
    guard = Guard(make_app(site), tokens={TOKEN: "ada"}, person="")
    with serving(guard) as address, httpx.Client(base_url=address) as client:
        for path in ("/", "/api/library", "/page/app.js", "/api/videos/0/sheet", "/?token=wrong"):
            assert client.get(path).status_code == 401
        bearer = {"authorization": f"Bearer {TOKEN}"}
        assert client.get("/api/library", headers=bearer).status_code == 200
        entered = client.get("/", params={"token": TOKEN})
        assert entered.headers["location"] == "/"
        assert "HttpOnly; SameSite=Strict" in entered.headers["set-cookie"]
        assert client.get("/").status_code == 200
        assert "script-src 'self'" in client.get("/").headers["content-security-policy"]


def test_fifty_people_at_once_lose_nothing(served: Served) -> None:
    log = served.run / "library" / "searches.jsonl"
    before = len(log.read_text().splitlines()) if log.exists() else 0
    cases = served.library.catalog.cases(range(50))

    def ask(number: int) -> tuple[str, int]:
        with served.client() as client:
            found = _search(client, query={"study": cases[number].id}, count=4)
            keep = {"name": f"list {number}", "row": number, "kept": True}
            lists = client.post("/api/lists", json=keep).json()
            assert lists[f"list {number}"] == [cases[number].id]
            client.post("/api/lists", json={**keep, "kept": False})
            return cases[number].id, len(found["results"])  # type: ignore[arg-type]

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(ask, range(50)))
    assert answers == [(case.id, 4) for case in cases]
    lines = [json.loads(line) for line in log.read_text().splitlines()[before:]]
    assert sorted(line["query"] for line in lines) == sorted(case.id for case in cases)


def test_only_new_studies_are_encoded_and_foreign_rows_are_noticed(
    library: tuple[Library, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, folder = library
    data = found.run.config.data.model_copy(update={"cache": tmp_path})  # the set stands elsewhere
    moved = replace(found.run, config=found.run.config.model_copy(update={"data": data}))
    for run in (found.run, moved):
        bring_up_to_date(run, folder)
        assert "52 studies are there, 0 to be added" in capsys.readouterr().out
    rows, digests = found.vectors, Catalog(found.folder / "studies.sqlite").digests()
    rows.check(digests)
    with pytest.raises(UserError, match="damaged"):
        rows.check([digests[1], digests[0], *digests[2:]])


def test_a_study_that_was_replaced_counts_once(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path / "studies.sqlite")
    for row in range(2):
        case = Case(row, "a", "p", "", (Video(row, "", "frames", "v"),))
        catalog.add([NewCase(case, f"content {row}", b"")])
    assert (len(catalog), len(catalog.current()), catalog.current_videos) == (2, 1, 1)


def test_beyond_loopback_a_token_is_made() -> None:
    here = ("127.0.0.1", "localhost", "127.0.0.2", "::1")
    assert not any(tokens_for(host, None) for host in here)
    (token,) = tokens_for("0.0.0.0", None)
    assert len(token) >= 32


def test_what_is_no_address_of_a_viewer_is_refused() -> None:
    assert demo.check_pacs("https://x.example/{study_id}") == "https://x.example/{study_id}"
    for wrong in ("javascript:alert({study_id})", "https://x.example/"):
        with pytest.raises(UserError, match="--pacs"):
            demo.check_pacs(wrong)
