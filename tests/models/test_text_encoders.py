"""Text encoders: what every entry of the table must do."""

import json
import shutil
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import BertConfig, BertForMaskedLM, BertModel, RobertaConfig, RobertaModel

from cinelex.config.build import build_at
from cinelex.config.strict import Part
from cinelex.core.errors import UserError
from cinelex.models import TEXT_ENCODERS
from cinelex.models.blocks import Block
from cinelex.models.contracts import TextEncoder
from cinelex.models.huggingface_text import HuggingFaceText
from cinelex.models.pooling import TokenPooling
from cinelex.models.terms_and_sentences import TermsAndSentences
from cinelex.models.text_transformer import TextTransformer
from cinelex.models.tfidf_text import TfidfText

CONTEXT: dict[str, Any] = {"width": 16, "vocab": 11, "max_tokens": 8}
TINY = BertConfig(
    vocab_size=11,
    hidden_size=12,
    num_hidden_layers=1,
    intermediate_size=24,
    max_position_embeddings=8,
)


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bert")
    torch.manual_seed(0)
    BertForMaskedLM(TINY).save_pretrained(folder)
    return folder


def options(name: str, bert: Path) -> dict[str, Any]:
    if name == "open_clip":
        return {**CONTEXT, "name": str(Path(__file__).parent / "tiny_open_clip" / "text")}
    if name in ("huggingface", "terms_and_sentences"):
        return {**CONTEXT, "name": str(bert)}
    if name == "tfidf":
        return {"width": 16, "vocab": 11, "trained": True}
    return {**CONTEXT, "depth": 1, "heads": 2}


@pytest.fixture(params=sorted(TEXT_ENCODERS))
def encoder(request: pytest.FixtureRequest, bert: Path) -> TextEncoder:
    torch.manual_seed(0)
    found = TEXT_ENCODERS[request.param](**options(request.param, bert))
    if isinstance(found, TfidfText | TermsAndSentences):
        found.fit([[3, 4, 5], [5, 6, 7, 7], [8, 9, 10, 3]], np.arange(11))
    return found


@pytest.fixture
def token_ids() -> Tensor:
    return torch.randint(3, 11, (3, 7), generator=torch.Generator().manual_seed(1))


PRESENT = torch.arange(7) < torch.tensor([[7], [4], [1]])


def test_one_vector_a_word_and_one_a_report(encoder: TextEncoder, token_ids: Tensor) -> None:
    features = encoder(token_ids, PRESENT)
    assert features.shape == (3, 7, encoder.width)
    assert encoder.pool(features, PRESENT).shape == (3, encoder.width)


def test_padding_has_no_say(encoder: TextEncoder, token_ids: Tensor) -> None:
    noise = torch.where(PRESENT, token_ids, torch.zeros_like(token_ids))
    for one, other in [(token_ids, noise), (token_ids[:, :7], noise)]:
        first, second = encoder(one, PRESENT), encoder(other, PRESENT)
        torch.testing.assert_close(first[PRESENT], second[PRESENT])
        torch.testing.assert_close(encoder.pool(first, PRESENT), encoder.pool(second, PRESENT))
    short = encoder(token_ids[1:2, :4], PRESENT[1:2, :4])
    torch.testing.assert_close(encoder(token_ids, PRESENT)[1:2, :4], short)


def test_the_order_of_the_words_matters(encoder: TextEncoder, token_ids: Tensor) -> None:
    if isinstance(encoder, TfidfText):
        pytest.skip("counts tokens, and knows no order")
    flipped = encoder(token_ids.flip(1), PRESENT)
    straight = encoder(token_ids, PRESENT)
    difference = encoder.pool(straight, PRESENT)[0] - encoder.pool(flipped, PRESENT)[0]
    assert difference.abs().max() > 1e-5


def test_every_parameter_gets_a_gradient(encoder: TextEncoder, token_ids: Tensor) -> None:
    if isinstance(encoder, TermsAndSentences):
        pytest.skip("stands still")
    pooled = encoder.pool(encoder(token_ids, PRESENT), PRESENT)
    (pooled * torch.randn_like(pooled)).sum().backward()
    missing = [
        name
        for name, value in encoder.named_parameters()
        if value.grad is None or not value.grad.any()
    ]
    assert missing == []


def test_nothing_is_drawn_in_training(encoder: TextEncoder, token_ids: Tensor) -> None:
    encoder.train()
    assert torch.equal(encoder(token_ids, PRESENT), encoder(token_ids, PRESENT))


def test_the_state_survives_a_file(
    encoder: TextEncoder, token_ids: Tensor, tmp_path: Path, bert: Path
) -> None:
    save_file(encoder.state_dict(), tmp_path / "state.safetensors")
    (name,) = [name for name, kind in TEXT_ENCODERS.items() if type(encoder) is kind]
    other = TEXT_ENCODERS[name](**options(name, bert))
    other.load_state_dict(load_file(tmp_path / "state.safetensors"))
    assert torch.equal(encoder.eval()(token_ids, PRESENT), other.eval()(token_ids, PRESENT))


def test_a_pretrained_encoder_gives_what_transformers_gives(bert: Path, token_ids: Tensor) -> None:
    ours = HuggingFaceText(width=12, vocab=11, max_tokens=8, name=str(bert))
    theirs = BertModel.from_pretrained(bert, add_pooling_layer=False).eval()
    expected = theirs(input_ids=token_ids, attention_mask=PRESENT.long()).last_hidden_state
    torch.testing.assert_close(ours(token_ids, PRESENT)[PRESENT], expected[PRESENT])


def test_a_pretrained_encoder_that_cannot_be_had_names_the_file_to_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match=r"nobody/no-such-bert .* model.safetensors into a folder"):
        HuggingFaceText(**CONTEXT, name="nobody/no-such-bert")


def test_a_tokenizer_or_report_too_large_for_the_encoder_is_refused(bert: Path) -> None:
    with pytest.raises(UserError, match="tokenizer has 12 tokens"):
        HuggingFaceText(width=16, vocab=12, max_tokens=8, name=str(bert))
    with pytest.raises(UserError, match="reads 8 tokens, not 9"):
        HuggingFaceText(width=16, vocab=11, max_tokens=9, name=str(bert))


def test_a_checkpoint_that_lacks_tensors_is_refused(bert: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes((bert / "config.json").read_bytes())
    weights = load_file(bert / "model.safetensors")
    gone = next(name for name in weights if "attention" in name)
    del weights[gone]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match="lacks .*attention"):
        HuggingFaceText(**CONTEXT, name=str(tmp_path))


def test_fresh_words_and_positions_lie_apart_and_fresh_blocks_are_small() -> None:
    torch.manual_seed(0)
    encoder = TextTransformer(width=96, vocab=99, max_tokens=99, depth=1)
    assert encoder.embed.weight.std().item() == pytest.approx(0.3, rel=0.05)
    assert encoder.positions.weight.std().item() == pytest.approx(0.3, rel=0.05)
    first = encoder.blocks[0]
    assert isinstance(first, Block)
    assert first.query_key_value.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert not first.query_key_value.bias.any()


@pytest.mark.parametrize(("kind", "value"), [("mean", 2.0), ("first", 1.0)])
def test_pooling_is_what_its_name_says(kind: Any, value: float) -> None:
    features = torch.tensor([[[1.0], [3.0], [torch.inf]]])
    pooled = TokenPooling(width=1, kind=kind)(features, torch.tensor([[True, True, False]]))
    assert pooled.tolist() == [[value]]


def test_attention_pooling_prefers_the_word_its_query_points_to() -> None:
    pooling = TokenPooling(width=2, kind="attention")
    assert pooling.query is not None
    torch.nn.init.constant_(pooling.query.weight, 50.0)
    features = torch.tensor([[[1.0, 0.0], [0.0, 0.0], [9.0, 9.0]]])
    pooled = pooling(features, torch.tensor([[True, True, False]]))
    torch.testing.assert_close(pooled, torch.tensor([[1.0, 0.0]]))


def test_an_encoder_that_counts_behind_its_padding_reads_fewer_tokens(tmp_path: Path) -> None:
    sizes = TINY.to_dict() | {"max_position_embeddings": 20, "pad_token_id": 1}
    RobertaModel(RobertaConfig(**sizes)).save_pretrained(tmp_path)
    HuggingFaceText(width=16, vocab=11, max_tokens=18, name=str(tmp_path))
    with pytest.raises(UserError, match=r"reads 18 tokens, not 20; set tokenizer\.max_tokens=18"):
        HuggingFaceText(width=16, vocab=11, max_tokens=20, name=str(tmp_path))


def test_what_a_run_keeps_of_an_encoder_builds_it_without_its_folder(
    bert: Path, token_ids: Tensor
) -> None:
    first = HuggingFaceText(**CONTEXT, name=str(bert))
    kept = json.loads(json.dumps(first.kept))
    again = HuggingFaceText(**CONTEXT, name="/gone", kept=kept)
    again.load_state_dict(first.state_dict())
    torch.testing.assert_close(again(token_ids, PRESENT), first(token_ids, PRESENT))


BROKEN: dict[str, tuple[str, bytes | None]] = {
    "no config": ("config.json", None),
    "no weights": ("model.safetensors", None),
    "empty config": ("config.json", b""),
    "a list as config": ("config.json", b"[1, 2]"),
    "an unknown kind": ("config.json", b'{"model_type": "nothing"}'),
    "a word as a size": ("config.json", b'{"model_type": "bert", "hidden_size": "wide"}'),
    "heads that do not fit": (
        "config.json",
        b'{"model_type": "bert", "hidden_size": 12, "num_attention_heads": 5}',
    ),
    "no size at all": ("config.json", b'{"model_type": "bert", "vocab_size": 0}'),
    "empty weights": ("model.safetensors", b""),
    "weights cut off": ("model.safetensors", b"\x08\x00\x00\x00\x00\x00\x00\x00{}"),
    "text as weights": ("model.safetensors", b"once upon a time, not a model at all"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_folder_is_refused_in_one_line(kind: str, bert: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(bert, folder)
    name, content = BROKEN[kind]
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    part = Part(name="huggingface", options={"name": str(folder)})
    with pytest.raises(UserError) as refused:
        build_at("model.text_encoder", TEXT_ENCODERS, part, kept=None, **CONTEXT)
    assert str(refused.value).startswith("model.text_encoder: ")
    assert "\n" not in str(refused.value)


def test_terms_and_sentences_stand_side_by_side_as_unit_rows(bert: Path, token_ids: Tensor) -> None:
    found = TermsAndSentences(**CONTEXT, name=str(bert), share=0.5)
    found.fit([[3, 4, 5], [5, 6, 7, 7], [8, 9, 10, 3]], np.arange(11))
    rows = found.pool(found(token_ids, PRESENT), PRESENT)
    terms = TfidfText(width=4, vocab=11)
    terms.fit([[3, 4, 5], [5, 6, 7, 7], [8, 9, 10, 3]], np.arange(11))
    alone = torch.nn.functional.normalize(terms.pool(terms(token_ids, PRESENT), PRESENT))
    torch.testing.assert_close(rows[:, :4], alone)
    torch.testing.assert_close(rows[:, 4:].norm(dim=1), torch.full((3,), 0.5))
    assert not any(weight.requires_grad for weight in found.parameters())


def test_a_width_without_room_for_terms_is_refused(bert: Path) -> None:
    with pytest.raises(UserError, match="no room for terms"):
        TermsAndSentences(**{**CONTEXT, "width": 12}, name=str(bert))
