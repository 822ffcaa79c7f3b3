"""Greedy and beam search write what transformers' ``generate`` writes with the same weights."""

import itertools
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from cinelex.models.generation import Ids, write_texts
from cinelex.models.search import GREEDY, Search

BOS, EOS, PAD, MOST = 1, 2, 0, 12


class Prefixes:
    """Rows of a language model that is run on the whole prefix at every step."""

    def __init__(self, model: torch.nn.Module, rows: int) -> None:
        self.model, self.prefix = model, torch.zeros(rows, 0, dtype=torch.int64)
        self.steps: list[int] = []

    def step(self, token: Tensor, position: int) -> Tensor:
        self.prefix = torch.cat([self.prefix, token[:, None]], dim=1)
        assert self.prefix.shape[1] == position + 1
        self.steps.append(len(token))
        logits: Tensor = self.model(self.prefix).logits[:, -1]
        return logits

    def take(self, rows: Tensor) -> None:
        self.prefix = self.prefix[rows]


@pytest.fixture(scope="module")
def gpt() -> Any:
    """A tiny GPT-2 with large weights, so that texts differ and end at different places."""
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=11,
        n_positions=MOST,
        n_embd=16,
        n_layer=1,
        n_head=2,
        eos_token_id=EOS,
        bos_token_id=BOS,
        pad_token_id=PAD,
        initializer_range=0.6,
    )
    return GPT2LMHeadModel(config).eval()


def _written(model: torch.nn.Module, search: Search) -> tuple[Tensor, Prefixes]:
    rows = Prefixes(model, 1)
    ids = Ids(bos=BOS, eos=EOS, pad=PAD)
    text = write_texts(rows, 1, torch.device("cpu"), ids=ids, max_tokens=MOST, search=search)
    return text, rows


@pytest.mark.slow
@pytest.mark.parametrize(
    ("beams", "penalty"), [(1, 1.0), (2, 1.0), (4, 0.0), (4, 1.0), (4, 2.0), (3, -1.0)]
)
def test_greedy_and_beam_search_equal_transformers(gpt: Any, beams: int, penalty: float) -> None:
    ended = 0
    for seed in range(12):
        torch.manual_seed(seed)
        for parameter in gpt.parameters():
            torch.nn.init.normal_(parameter, std=0.6)
        expected = gpt.generate(
            torch.tensor([[BOS]]),
            attention_mask=torch.ones(1, 1, dtype=torch.int64),
            max_length=MOST,
            do_sample=False,
            num_beams=beams,
            **({"length_penalty": penalty, "early_stopping": False} if beams > 1 else {}),
        )
        found, _ = _written(gpt, Search(beams=beams, length_penalty=penalty))
        assert found.tolist() == expected.tolist()
        ended += found.shape[1] < MOST
    assert ended or penalty > 1


class Scripted:
    """Rows that each end at a step of their own."""

    def __init__(self, ends: Tensor) -> None:
        self.ends, self.steps = ends, list[int]()

    def step(self, token: Tensor, position: int) -> Tensor:
        self.steps.append(len(token))
        logits = torch.zeros(len(token), 6)
        logits[:, 3], logits[:, 4] = 2.0, 1.9
        logits[self.ends == position, EOS] = 9.0
        return logits

    def take(self, rows: Tensor) -> None:
        self.ends = self.ends[rows]


def test_rows_that_have_ended_are_no_longer_computed() -> None:
    writing = Scripted(torch.tensor([0, 3, 1]))
    ids = Ids(bos=BOS, eos=EOS, pad=PAD)
    found = write_texts(writing, 3, torch.device("cpu"), ids=ids, max_tokens=9, search=GREEDY)
    assert found.tolist() == [[1, 2, 0, 0, 0], [1, 3, 3, 3, 2], [1, 3, 2, 0, 0]]
    assert writing.steps == [3, 2, 1, 1]


def test_a_nucleus_holds_the_likeliest_tokens_alone() -> None:
    ids, ends = Ids(bos=BOS, eos=EOS, pad=PAD), torch.full((400,), 99)
    of = [
        write_texts(
            Scripted(ends),
            400,
            torch.device("cpu"),
            ids=ids,
            max_tokens=2,
            search=Search(top_p=share, seed=1),
        )[:, 1]
        for share in (0.3, 0.5, 1.0)
    ]
    assert set(of[0].tolist()) == {3}
    assert set(of[1].tolist()) == {3, 4}
    assert set(of[2].tolist()) == {0, 1, 2, 3, 4, 5}
    share = float((of[1] == 3).float().mean())
    assert share == pytest.approx(1 / (1 + torch.tensor(-0.1).exp().item()), abs=0.08)


class Markov:
    """Rows whose next token depends on the last one alone."""

    def __init__(self, logits: Tensor) -> None:
        self.logits = logits

    def step(self, token: Tensor, position: int) -> Tensor:
        return self.logits[torch.arange(len(token)), token]

    def take(self, rows: Tensor) -> None:
        self.logits = self.logits[rows]


def _ended(text: Sequence[int]) -> tuple[int, ...]:
    return tuple(text[: text.index(EOS) + 1] if EOS in text else text)


def test_the_n_best_are_those_of_all_texts_that_there_are() -> None:
    logits = 1.5 * torch.randn(2, 4, 4, generator=torch.Generator().manual_seed(0))
    kind, search = Ids(bos=BOS, eos=EOS, pad=PAD), Search(beams=90, n_best=3)
    found = write_texts(
        Markov(logits), 2, torch.device("cpu"), ids=kind, max_tokens=5, search=search
    )
    texts = {_ended(text) for text in itertools.product((BOS,), *(range(4),) * 4)}
    for row, likely in enumerate(logits.log_softmax(dim=-1)):
        means = {text: float(likely[list(text[:-1]), list(text[1:])].mean()) for text in texts}
        best = sorted(means, key=means.__getitem__, reverse=True)[:3]
        assert [_ended(text) for text in found[3 * row :][:3].tolist()] == best


def test_beams_are_not_drawn_and_there_are_as_many_as_texts() -> None:
    with pytest.raises(ValueError, match="set one of them"):
        Search(beams=2, top_p=0.9)
    with pytest.raises(ValueError, match="raise beams"):
        Search(beams=2, n_best=3)
