"""A library with what people do to it: searches, labels, case lists, uploads."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from cinelex.core.errors import UserError
from cinelex.library.catalog import Case
from cinelex.library.library import Library
from cinelex.library.loops import Loops
from cinelex.library.memory import Memory, SearchLog, as_csv, logged_text
from cinelex.library.requests import Query, Search
from cinelex.library.search import MAX_P, Answer, Question, Searcher
from cinelex.library.uploads import Uploads


class Site:
    """A library with what people do to it."""

    def __init__(self, library: Library, *, pacs: str, max_upload: int) -> None:
        """Open all that is beside the vectors.

        Args:
            library: What is searched.
            pacs: Address of a viewer, with columns in braces; "" where there is none.
            max_upload: Bytes of a file.
        """
        self.library, self.pacs, self.max_upload = library, pacs, max_upload
        self.searcher = Searcher(library)
        self.loops = Loops(library.catalog, library.folder / "sheets")
        self.memory = Memory(library.folder)
        self.log = SearchLog(library.folder / "searches.jsonl")
        self.uploads = Uploads(library.run)

    def question(self, query: Query, person: str) -> tuple[Question, str]:
        """Return a question with the labels that somebody gave its answers, and its name.

        Raises:
            UserError: Nothing is asked, or more than one thing.
        """
        given = [bool(query.text.strip()), bool(query.study), bool(query.uploads)]
        if sum(given) != 1:
            raise UserError("ask for one thing: a finding, a study, or files")
        if query.study:
            question = self.searcher.of_study(self.library.catalog.row_of(query.study))
            name = f"study: {query.study}"
        elif query.uploads:
            question = self.uploads.question(query.uploads, person)
            contents = [self.uploads.get(number, person).content for number in query.uploads]
            name = f"files: {' '.join(sorted(contents))}"
        else:
            text = " ".join(query.text.split())
            question, name = self.searcher.of_text(text), f"text: {text}"
        said = self.memory.labels(person, name)
        liked, unliked = ([s for s, v in said.items() if v == w] for w in ("like", "unlike"))
        return (
            Question(
                question.kind,
                question.vector,
                question.text,
                [*self.library.catalog.rows_of(liked).values()],
                [*self.library.catalog.rows_of(unliked).values()],
                question.without,
            ),
            name,
        )

    def search(self, asked: Search, person: str, address: str) -> dict[str, Any]:
        """Answer a search, and log it."""
        question, name = self.question(asked.query, person)
        filters = {
            column: wanted if isinstance(wanted, list) else wanted.model_dump()
            for column, wanted in asked.filters.items()
        }
        answer = self.searcher.answer(
            question, count=asked.count, words=asked.words, filters=filters, order=asked.order
        )
        cases = self.library.catalog.cases(answer.near.rows.tolist())
        kind = name.partition(":")[0]
        what = logged_text(question.text) if kind == "text" else name.partition(": ")[2]
        self.log.write(
            person,
            address,
            {
                "kind": kind,
                "query": what,
                "words": logged_text(asked.words),
                "filters": filters,
                "studies": [case.id for case in cases],
            },
        )
        said = self.memory.labels(person, name)
        return _summary(answer, question, self.searcher.studies) | {
            "results": [
                self.shown(case, said.get(case.id, "")) | {"score": float(score), "p": round(p, 5)}
                for case, score, p in zip(cases, answer.near.scores, answer.p_pairs, strict=True)
            ]
        }

    def shown(self, case: Case, verdict: str) -> dict[str, Any]:
        """Return a study as the page shows it."""
        return {
            "row": case.row,
            "id": case.id,
            "report": case.report,
            "fields": dict(case.fields),
            "verdict": verdict,
            "videos": [
                {"number": video.number, "view": video.view, **asdict(self.loops.about(video))}
                for video in case.videos
            ],
        }

    def cases_csv(self, rows: Sequence[tuple[str, ...]], head: Sequence[str]) -> str:
        """Return studies, named last in each row, as CSV with their columns and no report."""
        known = self.library.catalog.rows_of(row[-1] for row in rows)
        found = {study: self._fields(place) for study, place in known.items()}
        names = sorted({name for fields in found.values() for name in fields})
        table = [[*row, *(found.get(row[-1], {}).get(n, "") for n in names)] for row in rows]
        return as_csv([[*head, *names], *table])

    def _fields(self, row: int) -> dict[str, str]:
        case = self.library.catalog.cases([row])[0]
        return {"patient_id": case.patient, **case.fields}


def _summary(answer: Answer, question: Question, studies: int) -> dict[str, Any]:
    return {
        "kind": question.kind,
        "relevant": answer.relevant,
        "strange": answer.strange,
        "unknown_words": answer.unknown_words,
        "p_best": round(answer.p_best, 5),
        "max_p": MAX_P,
        "random": {"median": answer.median, "high": answer.high},
        "matching": answer.matching,
        "studies": studies,
        "refined": len(question.likes) + len(question.unlikes),
    }
