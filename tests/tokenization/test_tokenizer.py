"""The byte-level BPE: training, loading, and encoding of any text as text alone."""

import json
import logging

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer, GPT2Config, PreTrainedTokenizerFast

from hf_llm.config import UserError
from hf_llm.tokenization.byte_lengths import token_byte_lengths
from hf_llm.tokenization.tokenizer import (
    END_OF_TEXT,
    begin_documents,
    document_start,
    encode,
    encode_batch,
    encode_document,
    encode_prompt,
    load_tokenizer,
    token_dtype,
    tokenizer_sha256,
    train_bpe,
    without_document_start,
)


def merges_of(tokenizer) -> list[list[str]]:
    return json.loads(tokenizer.backend_tokenizer.to_str())["model"]["merges"]


class TestTraining:
    def test_one_special_token_is_bos_eos_and_pad(self, tokenizer):
        assert tokenizer.convert_ids_to_tokens(0) == END_OF_TEXT
        assert tokenizer.bos_token_id == tokenizer.eos_token_id == tokenizer.pad_token_id == 0
        assert tokenizer.unk_token is None
        assert tokenizer.all_special_ids == [0]
        assert len(tokenizer) == 400

    def test_257_is_bytes_alone(self, sample):
        tokenizer = train_bpe(sample, 257)
        assert len(tokenizer) == 257
        assert len(encode(tokenizer, sample)) == len(sample.encode("utf-8"))

    @pytest.mark.parametrize("vocab_size", [-1, 0, 100, 256])
    def test_less_than_the_bytes_is_refused_with_the_reason(self, vocab_size):
        with pytest.raises(UserError, match=rf"vocab_size {vocab_size} is too small: the 256 bytes and .* take 257"):
            train_bpe("text", vocab_size)

    def test_a_text_with_fewer_merges_says_so(self, caplog):
        with caplog.at_level(logging.WARNING):
            tokenizer = train_bpe("ab ab", 300)
        assert "holds only 2 merges: the vocabulary has 259 tokens, not 300" in caplog.text
        assert len(tokenizer) == 259

    def test_a_long_text_is_learned_as_if_it_were_whole(self, sample):
        long = sample * 40  # several pieces
        whole = Tokenizer(models.BPE())
        whole.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(
            vocab_size=500, special_tokens=[END_OF_TEXT], initial_alphabet=alphabet, show_progress=False
        )
        whole.train_from_iterator([long], trainer)
        assert merges_of(train_bpe(long, 500)) == json.loads(whole.to_str())["model"]["merges"]

    def test_documents_one_by_one(self):
        apart, together = train_bpe(iter(["ab", "cd cd"]), 260), train_bpe("ab\ncd cd", 260)
        assert merges_of(apart)[0] == ["c", "d"]
        assert ["b", "Ċ"] not in merges_of(apart) + merges_of(together)

    def test_a_lone_surrogate_is_refused(self):
        with pytest.raises(UserError, match=r"U\+DC80\) at character 2"):
            train_bpe(iter(["fine", "ab\udc80"]), 300)


class TestEncoding:
    def test_any_unicode_text_comes_back(self, tokenizer, random_texts):
        texts = random_texts(100_000)
        decoded = tokenizer.batch_decode(encode_batch(tokenizer, texts), skip_special_tokens=False)
        failures = [text for text, back in zip(texts, decoded) if text != back]
        assert failures == []

    def test_white_space_and_apostrophes_come_back(self, tokenizer):
        text = " a ,  b .\r\n\t\n it 's  n't\u00a0\u2028 <unk> ⁇ \x00"
        assert tokenizer.decode(encode(tokenizer, text)) == text

    def test_the_special_token_in_a_text_is_text(self, tokenizer):
        text = f"before{END_OF_TEXT}after {END_OF_TEXT}"
        ids = encode(tokenizer, text)
        assert tokenizer.bos_token_id not in ids
        assert tokenizer.decode(ids, skip_special_tokens=True) == text
        # written by a program it still means what it means, behind the one that begins every document
        assert tokenizer(END_OF_TEXT)["input_ids"] == [0, 0]

    def test_a_lone_surrogate_gets_a_sentence(self, tokenizer):
        with pytest.raises(UserError, match=r"half of a surrogate pair \(U\+D83D\) at character 3, which UTF-8"):
            encode(tokenizer, "abc\ud83d")

    def test_a_document_begins_with_its_token(self, tokenizer):
        assert encode_document(tokenizer, "ab").tolist() == [0, *encode(tokenizer, "ab")]
        assert encode_document(tokenizer, "").tolist() == [0]

    def test_no_texts_and_empty_texts(self, tokenizer):
        assert encode_batch(tokenizer, []) == []
        assert [len(ids) for ids in encode_batch(tokenizer, ["", "a", ""])] == [0, 1, 0]
        assert encode(tokenizer, "").dtype == np.uint16

    def test_truncation_of_an_earlier_call_has_no_effect(self, sample):
        tokenizer = train_bpe(sample, 300)
        expected = encode(tokenizer, sample)
        tokenizer(["a", sample], padding=True, truncation=True, max_length=5)
        assert np.array_equal(encode(tokenizer, sample), expected)

    @pytest.mark.parametrize(("size", "dtype"), [(257, np.uint16), (1 << 16, np.uint16), ((1 << 16) + 1, np.uint32)])
    def test_ids_have_the_smallest_type(self, size, dtype):
        assert token_dtype(range(size)) == dtype

    def test_a_tokenizer_without_bos_begins_documents_with_eos(self, tokenizer):
        backend = tokenizer.backend_tokenizer
        assert document_start(PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="a")) == encode(
            tokenizer, "a"
        )
        with pytest.raises(UserError, match="neither a bos nor an eos token"):
            document_start(PreTrainedTokenizerFast(tokenizer_object=backend))


class TestBytes:
    def test_lengths_add_up_to_the_text(self, tokenizer, random_texts):
        lengths = token_byte_lengths(tokenizer)
        assert lengths.shape == (400,)
        for text in random_texts(200):
            assert lengths[encode(tokenizer, text)].sum() == len(text.encode("utf-8"))
        assert lengths[0] == 0

    def test_an_added_word_counts_and_an_added_special_does_not(self, sample):
        tokenizer = train_bpe(sample, 300)
        tokenizer.add_tokens(["não"])
        tokenizer.add_special_tokens({"mask_token": "<mask>"})
        assert token_byte_lengths(tokenizer)[300:].tolist() == [4, 0]


class TestSavedFolder:
    @pytest.mark.parametrize("in_a_run_folder", [False, True])
    def test_autotokenizer_gives_the_same_ids(self, tokenizer, random_texts, tmp_path, in_a_run_folder):
        tokenizer.save_pretrained(tmp_path)
        if in_a_run_folder:  # a model's config.json beside it lets AutoTokenizer choose the class by other rules
            special = {"bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}
            GPT2Config(vocab_size=400, **special).save_pretrained(tmp_path)
        loaded = AutoTokenizer.from_pretrained(tmp_path, trust_remote_code=False)
        texts = random_texts(1000)
        assert all(np.array_equal(a, b) for a, b in zip(encode_batch(loaded, texts), encode_batch(tokenizer, texts)))
        assert (loaded.bos_token_id, loaded.eos_token_id, loaded.pad_token_id, loaded.unk_token) == (0, 0, 0, None)
        assert tokenizer_sha256(loaded) == tokenizer_sha256(tokenizer)

    def test_the_hash_is_that_of_the_content(self, tokenizer, sample):
        again = train_bpe(sample, 400)
        again(["a", "b c d"], padding=True, truncation=True, max_length=2)
        assert tokenizer_sha256(again) == tokenizer_sha256(tokenizer)
        assert tokenizer_sha256(train_bpe(sample, 399)) != tokenizer_sha256(tokenizer)


class TestBeginningOfADocument:
    """It is no part of the tokens of a text, so that runs and corpora of earlier versions keep their hash."""

    @pytest.mark.parametrize("habit", [None, processors.ByteLevel(trim_offsets=False)])
    def test_it_is_saved_and_does_not_change_the_hash(self, tokenizer, tmp_path, habit):
        earlier = without_document_start(tokenizer)
        if habit:  # as OpenAI's tokenizer.json has it
            earlier.backend_tokenizer.post_processor = habit
        assert earlier("ab")["input_ids"] == encode(tokenizer, "ab").tolist()
        sha256 = tokenizer_sha256(earlier)
        for _ in range(2):  # once is enough
            assert begin_documents(earlier)("ab")["input_ids"] == [0, *encode(tokenizer, "ab")]
        assert tokenizer_sha256(earlier) == sha256
        earlier.save_pretrained(tmp_path)
        saved = AutoTokenizer.from_pretrained(tmp_path)
        assert saved("ab")["input_ids"] == [0, *encode(tokenizer, "ab")]
        assert tokenizer_sha256(saved) == sha256

    def test_a_prompt_is_what_the_tokenizer_makes_of_it_but_never_a_special_token(self, tokenizer):
        assert encode_prompt(tokenizer, "ab") == tokenizer("ab")["input_ids"]
        assert encode_prompt(tokenizer, f"a{END_OF_TEXT}") == encode_document(tokenizer, f"a{END_OF_TEXT}").tolist()
        assert encode_prompt(without_document_start(tokenizer), "") == [0]

    def test_a_tokenizer_that_has_only_eos_begins_with_it(self, tokenizer):
        other = begin_documents(PreTrainedTokenizerFast(tokenizer_object=tokenizer.backend_tokenizer, eos_token="a"))
        assert other("b")["input_ids"][-2:] == [other.eos_token_id, *encode(other, "b")]
        assert other.bos_token == "a"


class TestLoading:
    def test_gpt2(self, gpt2_tokenizer_files):
        tokenizer = load_tokenizer("gpt2-tokenizer")
        assert len(tokenizer) == 50257
        assert encode_document(tokenizer, "Hello world").tolist() == [50256, 15496, 995]
        text = "Ação, reação: 你好 🙂\n\n  it's"
        assert tokenizer.decode(encode(tokenizer, text)) == text

    def test_a_folder_without_a_tokenizer(self, tmp_path):
        GPT2Config().save_pretrained(tmp_path)
        with pytest.raises(UserError, match="is a folder without a tokenizer"):
            load_tokenizer(tmp_path)

    def test_a_damaged_tokenizer(self, tokenizer, tmp_path):
        tokenizer.save_pretrained(tmp_path)
        file = tmp_path / "tokenizer.json"
        file.write_bytes(file.read_bytes()[:1000])
        with pytest.raises(UserError, match="cannot be read"):
            load_tokenizer(tmp_path)

    def test_a_file(self, tmp_path):
        (tmp_path / "tokenizer.json").write_text("{}")
        with pytest.raises(UserError, match="is a file; name the folder"):
            load_tokenizer(tmp_path / "tokenizer.json")

    def test_a_folder_that_does_not_exist_is_not_sought_on_the_hub(self, tmp_path, monkeypatch):
        monkeypatch.setattr(AutoTokenizer, "from_pretrained", None)
        monkeypatch.chdir(tmp_path)
        (tmp_path / "runs").mkdir()
        for name in (tmp_path / "nothing", "runs/nothing"):
            with pytest.raises(UserError, match="there is no tokenizer folder"):
                load_tokenizer(name)

    def test_a_hub_id_that_the_hub_does_not_give(self):
        with pytest.raises(UserError, match="there is no tokenizer 'nobody/nothing'"):
            load_tokenizer("nobody/nothing")


def test_a_run_folder_with_another_tokenizer_is_refused(tmp_path):
    train_bpe("low lower lowest", 260).save_pretrained(tmp_path)
    (tmp_path / "run.json").write_text('{"config": {}, "files": {"tokenizer.json": "' + "0" * 64 + '"}}')
    with pytest.raises(UserError, match="is another model's: its SHA-256"):
        load_tokenizer(tmp_path)
