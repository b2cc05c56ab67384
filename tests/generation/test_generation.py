"""From a prompt to a result: text, tokens, the reason of the end."""

import pytest
import torch

from hf_llm.config import UserError
from hf_llm.data import read_text
from hf_llm.generation.config import GenerationSettings
from hf_llm.generation.generate import TextStream, generate
from hf_llm.tokenization.tokenizer import encode, train_bpe

GREEDY = GenerationSettings(max_new_tokens=20, do_sample=False)


def test_greedy_text_is_that_of_transformers(model, tokenizer):
    result = generate(model, tokenizer, "Era uma vez", GREEDY)
    ids = torch.tensor([result.prompt_ids])
    output = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=20, do_sample=False)
    assert result.text == tokenizer.decode(output[0, ids.shape[1] :], skip_special_tokens=True)


def test_a_prompt_begins_a_document(model, tokenizer):
    assert generate(model, tokenizer, "", GREEDY).prompt_ids == [0]
    assert generate(model, tokenizer, "Once", GREEDY).prompt_ids == [0, *encode(tokenizer, "Once").tolist()]


def test_the_start_token_is_not_taken_for_padding(model, tokenizer, monkeypatch):
    warned = []
    monkeypatch.setattr("transformers.modeling_utils.logger.warning_once", warned.append)
    generate(model, tokenizer, "Once", GREEDY)
    assert warned == []


def test_user_text_is_no_special_token(model, tokenizer):
    assert generate(model, tokenizer, "a<|endoftext|>b", GREEDY).prompt_ids.count(0) == 1


@pytest.mark.parametrize("text", ["Ação 漢字 🤗!", "plain", ""])
def test_stream_and_end_of_text(scripted, byte_tokenizer, text):
    stream = TextStream(scripted(byte_tokenizer, text), byte_tokenizer, "", GenerationSettings(max_new_tokens=99))
    assert stream.result is None
    assert [piece for piece in stream if piece] == list(text)
    assert stream.result.text == text
    assert stream.result.token_ids == encode(byte_tokenizer, text).tolist()
    assert stream.result.finish_reason == "end_of_text"
    assert not stream.result.slid


def test_a_piece_for_each_token(scripted, byte_tokenizer):
    model = scripted(byte_tokenizer, "\u6f22")  # three bytes, hence three tokens: whoever stops is asked at each
    stream = TextStream(model, byte_tokenizer, "", GenerationSettings(max_new_tokens=3))
    assert list(stream) == ["", "", "\u6f22"]


def test_max_new_tokens(scripted, byte_tokenizer):
    result = generate(scripted(byte_tokenizer, "abcdef"), byte_tokenizer, "", GenerationSettings(max_new_tokens=4))
    assert (result.text, result.finish_reason, len(result.token_ids)) == ("abcd", "length", 4)


def test_a_character_cut_by_the_length_is_shown_as_such(scripted, byte_tokenizer):
    settings = GenerationSettings(max_new_tokens=2)  # "a" and the first of the two bytes of "é"
    stream = TextStream(scripted(byte_tokenizer, "aé"), byte_tokenizer, "", settings)
    assert list(stream) == ["a", "", "\ufffd"]
    assert stream.result.text == "a\ufffd"


@pytest.mark.parametrize(("stop", "text"), [(["FIM"], "the story "), (["x", "y F"], "the stor"), (["FIM!"], None)])
def test_stop_texts(scripted, byte_tokenizer, tokenizer, stop, text):
    for some in (byte_tokenizer, tokenizer):
        stream = TextStream(scripted(some, "the story FIM"), some, "", GenerationSettings(stop=stop))
        pieces = list(stream)
        assert "".join(pieces) == stream.result.text == (text or "the story FIM")
        assert stream.result.finish_reason == ("stop" if text else "end_of_text")


def test_slid_says_that_the_beginning_was_forgotten(model, tokenizer):
    model.generation_config.eos_token_id = None
    fits = GenerationSettings(max_new_tokens=32, do_sample=False)  # 1 + 32 tokens, the last one is not read
    assert not generate(model, tokenizer, "", fits).slid
    beyond = generate(model, tokenizer, "", GenerationSettings(max_new_tokens=33, do_sample=False))
    assert beyond.slid
    assert len(beyond.token_ids) == 33


def test_beams_give_their_text(model, tokenizer):
    settings = GenerationSettings(max_new_tokens=12, do_sample=False, num_beams=3)
    stream = TextStream(model, tokenizer, "Once", settings)
    assert "".join(stream) == stream.result.text != ""


def test_a_model_in_training_is_not_disturbed(tokenizer, model):
    expected = generate(model, tokenizer, "Once", GREEDY).text
    model.train()  # with dropout 0.1
    assert generate(model, tokenizer, "Once", GREEDY).text == expected
    assert model.training
    for _ in TextStream(model, tokenizer, "Once", GREEDY):
        assert torch.is_grad_enabled()
        assert not torch.is_inference_mode_enabled()
        break
    assert model.training


def test_another_models_tokenizer(model):
    larger = train_bpe(read_text("sample").text, 400)
    with pytest.raises(UserError, match="another model's tokenizer"):
        TextStream(model, larger, "a", GREEDY)


def test_a_pad_token_that_was_added_and_never_learned_is_no_other_models_tokenizer(model):
    own = train_bpe(read_text("sample").text, model.config.vocab_size)
    before = generate(model, own, "Once", GREEDY).text
    own.add_special_tokens({"pad_token": "[PAD]"})
    assert len(own) == model.config.vocab_size + 1
    assert generate(model, own, "Once [PAD]", GREEDY).token_ids
    assert generate(model, own, "Once", GREEDY).text == before


@pytest.mark.parametrize("use", [{"bos_token": "[BOS]"}, {"eos_token": "[EOS]"}])
def test_a_token_that_begins_or_ends_texts_needs_a_row(model, use):
    other = train_bpe(read_text("sample").text, model.config.vocab_size)
    other.add_special_tokens(use)
    with pytest.raises(UserError, match="another model's tokenizer"):
        TextStream(model, other, "a", GREEDY)


def test_so_does_a_word_that_a_text_may_hold(model):
    other = train_bpe(read_text("sample").text, model.config.vocab_size)
    other.add_tokens(["harbour"])
    with pytest.raises(UserError, match="another model's tokenizer"):
        TextStream(model, other, "a", GREEDY)


def test_beams_beyond_the_context_are_refused_at_once(model, tokenizer):
    with pytest.raises(UserError, match="at most 31"):
        TextStream(model, tokenizer, "", GenerationSettings(max_new_tokens=99, do_sample=False, num_beams=2))


def test_a_lone_surrogate(model, tokenizer):
    with pytest.raises(UserError, match="surrogate"):
        TextStream(model, tokenizer, "\ud83d", GREEDY)
