"""What the page may ask for: every request, checked against its types."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from cinelex.library.search import Order

Text = Annotated[str, Field(max_length=4000)]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Row = Annotated[int, Field(ge=0)]


class Strict(BaseModel):
    """Refuses what nothing reads."""

    model_config = ConfigDict(extra="forbid")


class Between(Strict):
    """The numbers that a column may hold."""

    low: float
    high: float


class Query(Strict):
    """What is looked for: one of a text, the id of a study, or uploads of one study."""

    text: Text = ""
    study: Annotated[str, Field(max_length=200)] = ""
    uploads: Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=16)] = []


class Search(Strict):
    """A search."""

    query: Query
    words: Annotated[str, Field(max_length=400)] = ""
    filters: dict[str, Annotated[list[str], Field(min_length=1, max_length=60)] | Between] = {}
    count: Annotated[int, Field(ge=1, le=100)] = 12
    order: Order = "meaning"


class Explain(Strict):
    """Some answers of a search, to be explained."""

    query: Query
    rows: Annotated[list[Row], Field(max_length=24)]


class Label(Strict):
    """What somebody says of an answer."""

    query: Query
    row: Row
    verdict: Literal["like", "unlike", ""]


class Keep(Strict):
    """A study on a case list, or off it."""

    name: Name
    row: Row
    kept: bool
