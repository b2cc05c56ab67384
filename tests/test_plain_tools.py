"""What others' tools make of a folder of ours, with their defaults; and that a prompt means the same in all of them."""

import json
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GPT2Tokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
    pipeline,
)

from hf_llm.app.pages.generate import answers
from hf_llm.app.server.library import Library
from hf_llm.data import read_text
from hf_llm.models.gpt2 import gpt2_config, new_gpt2
from hf_llm.recipes.publish import plain_parts
from hf_llm.tokenization.tokenizer import encode_prompt, load_tokenizer, train_bpe

CONTEXT, NEW = 32, 12
GENERATE = Path(__file__).parents[1] / "scripts" / "generate.py"
STARTS = {"ours": ["<|endoftext|>"], "an-old-run": ["<|endoftext|>"], "gpt2": [], "llama": ["<s>"], "without-bos": []}
PROMPTS = ["Era uma vez", " two  spaces ", "ação\n\n", "", "x"]
LONG = "Once upon a time " * 20


def save_gpt2(folder: Path, tokenizer) -> None:
    config = gpt2_config("nano", vocab_size=300, n_positions=CONTEXT, n_embd=32, dropout=0.0, bos_token_id=0)
    config.initializer_range = 0.2  # a sure opinion: greedy text must not hang on rounding
    config.tie_word_embeddings = False
    for part in plain_parts(new_gpt2(config, seed=0), tokenizer):
        part.save_pretrained(folder)


def save_ours(folder: Path) -> None:
    save_gpt2(folder, train_bpe(read_text("sample").text, 300))


def save_old_run(folder: Path) -> None:
    """As earlier versions did: neither tokenizer.json nor tokenizer_config.json says how a document begins."""
    save_published(folder)
    (folder / "run.json").write_text('{"job": "pretraining", "config": {}}')


def save_published(folder: Path) -> None:
    model = json.loads(train_bpe(read_text("sample").text, 300).backend_tokenizer.to_str())["model"]
    merges, end = [tuple(pair) for pair in model["merges"]], "<|endoftext|>"
    save_gpt2(folder, GPT2Tokenizer(vocab=model["vocab"], merges=merges, unk_token=None, bos_token=end, eos_token=end))


def save_other(folder: Path, config_class, model_class, specials: dict[str, str], begins: bool) -> None:
    """A model of a family whose tokenizer is not GPT-2's, with random weights."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer, backend.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    alphabet, names = pre_tokenizers.ByteLevel.alphabet(), sorted(set(specials.values()))
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=names, initial_alphabet=alphabet, show_progress=False)
    backend.train_from_iterator([read_text("sample").text], trainer)
    if begins:
        bos = specials["bos_token"]
        backend.post_processor = processors.TemplateProcessing(
            single=f"{bos} $A", special_tokens=[(bos, backend.token_to_id(bos))]
        )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, **specials)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = config_class(
        vocab_size=304, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=2, max_position_embeddings=64, initializer_range=0.2, tie_word_embeddings=False,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=None,
    )  # fmt: skip
    model_class(config).save_pretrained(folder)


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    found = {kind: folder / kind for kind in STARTS}
    for path in found.values():
        path.mkdir()
    save_ours(found["ours"])
    save_old_run(found["an-old-run"])
    save_published(found["gpt2"])
    save_other(found["llama"], LlamaConfig, LlamaForCausalLM, {"bos_token": "<s>", "eos_token": "</s>"}, begins=True)
    save_other(found["without-bos"], Qwen2Config, Qwen2ForCausalLM, {"eos_token": "<|end|>"}, begins=False)
    return found


def by_script(monkeypatch, capsys, folder: Path, prompt: str) -> str:
    flags = ["--model", str(folder), "--prompt", prompt, "--no_do_sample", "--max_new_tokens", str(NEW)]
    monkeypatch.setattr(sys, "argv", ["generate.py", *flags])
    capsys.readouterr()
    with pytest.raises(SystemExit) as exit:
        runpy.run_path(str(GENERATE), run_name="__main__")
    assert exit.value.code == 0
    return capsys.readouterr().out.removeprefix(prompt).removesuffix("\n")


def by_app(folder: Path, prompt: str) -> str:
    app = SimpleNamespace(library=Library(folder, [str(folder)]), config=SimpleNamespace(max_characters=1000))
    *_, text = answers.generate(app, prompt, str(folder), max_new_tokens=NEW, do_sample=False)
    return text


@pytest.mark.parametrize("kind", [kind for kind in STARTS if kind != "an-old-run"])
def test_one_prompt_four_ways_one_text(folders, monkeypatch, capsys, kind):
    folder = folders[kind]
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    write = pipeline("text-generation", model=str(folder))
    for prompt in filter(None, PROMPTS):
        inputs = tokenizer(prompt, return_tensors="pt", return_token_type_ids=False)
        assert encode_prompt(load_tokenizer(folder), prompt) == inputs.input_ids[0].tolist()
        output = model.generate(**inputs, max_new_tokens=NEW, do_sample=False)[0, inputs.input_ids.shape[1] :]
        text = tokenizer.decode(output, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        (piped,) = write(
            prompt, max_new_tokens=NEW, do_sample=False, return_full_text=False, clean_up_tokenization_spaces=False
        )
        assert piped["generated_text"] == text
        assert by_script(monkeypatch, capsys, folder, prompt) == text
        assert by_app(folder, prompt) == text


@pytest.mark.parametrize("kind", STARTS)
def test_a_document_begins_as_its_model_has_learned_it(folders, kind):
    tokenizer = load_tokenizer(folders[kind])
    for prompt in PROMPTS:
        ids = encode_prompt(tokenizer, prompt)
        start = STARTS[kind] or ([] if prompt else [tokenizer.bos_token or tokenizer.eos_token])
        assert tokenizer.convert_ids_to_tokens(ids[: len(start)]) == start
        assert tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False) == prompt
        assert len(set(tokenizer.all_special_ids) & set(ids)) == len(start)  # and not twice


def test_an_old_run_folder_writes_what_a_new_one_does(folders, monkeypatch, capsys):
    for prompt in PROMPTS:
        old, new = (by_script(monkeypatch, capsys, folders[kind], prompt) for kind in ("an-old-run", "ours"))
        assert old == new


def test_the_files_say_the_context(folders):
    folder = folders["ours"]
    said = {name: json.loads((folder / f"{name}.json").read_text()) for name in ("config", "generation_config")}
    assert said["config"]["n_positions"] == said["config"]["n_ctx"] == CONTEXT
    assert said["generation_config"]["max_length"] == CONTEXT
    assert json.loads((folder / "tokenizer_config.json").read_text())["model_max_length"] == CONTEXT
    assert Tokenizer.from_file(str(folder / "tokenizer.json")).encode("Once").ids[0] == 0  # without transformers, too


def test_a_pipeline_with_its_defaults_ends_at_the_context(folders):
    write = pipeline("text-generation", model=str(folders["ours"]))
    for prompt in PROMPTS:
        (written,) = write(prompt)
        assert written["generated_text"].startswith(prompt)
    assert len(write("Once", return_tensors=True)[0]["generated_token_ids"]) <= CONTEXT
    (written,) = write(LONG, handle_long_generation="hole", max_new_tokens=8)  # the way to go on with a longer text
    assert len(written["generated_text"]) > len(LONG)


def test_generate_without_arguments_ends_at_the_context(folders):
    model = AutoModelForCausalLM.from_pretrained(folders["ours"])
    ids = AutoTokenizer.from_pretrained(folders["ours"])("Once", return_tensors="pt")
    assert model.generate(**ids).shape[1] <= CONTEXT
    assert model.generate().shape[1] <= CONTEXT


def test_a_prompt_beyond_the_context_is_one_clear_message(folders):
    said = f"Input length of input_ids is .*`max_length` is set to {CONTEXT}"
    with pytest.raises(ValueError, match=said):
        pipeline("text-generation", model=str(folders["ours"]))(LONG)
    ids = AutoTokenizer.from_pretrained(folders["ours"])(LONG, return_tensors="pt")
    with pytest.raises(ValueError, match=said):
        AutoModelForCausalLM.from_pretrained(folders["ours"]).generate(**ids)


def test_lm_evaluation_harness(folders, tmp_path):
    """Choice, free text and a text's own probability, each with a text that is longer than the context."""
    lm_eval = pytest.importorskip("lm_eval", reason="lm-evaluation-harness is not installed: pip install lm_eval[hf]")
    from lm_eval.tasks import TaskManager

    rows = [{"text": "Once upon", "choices": [" a", " b"]}, {"text": LONG, "choices": [" a", " b"]}]
    (tmp_path / "texts.jsonl").write_text("\n".join(map(json.dumps, rows)))
    tasks = {
        "choice": "output_type: multiple_choice\ndoc_to_text: '{{text}}'\ndoc_to_choice: '{{choices}}'\n"
        "doc_to_target: 0\nmetric_list: [{metric: acc}]",
        "writing": "output_type: generate_until\ndoc_to_text: '{{text}}'\ndoc_to_target: a\n"
        "generation_kwargs: {until: ['.'], do_sample: false, max_gen_toks: 8}\nmetric_list: [{metric: exact_match}]",
        "text": "output_type: loglikelihood_rolling\ndoc_to_text: ''\ndoc_to_target: '{{text}}'\n"
        "metric_list: [{metric: bits_per_byte}]",
    }
    for name, settings in tasks.items():
        source = f"dataset_path: json\ndataset_kwargs: {{data_files: {{test: '{tmp_path / 'texts.jsonl'}'}}}}"
        (tmp_path / f"{name}.yaml").write_text(f"task: {name}\n{source}\ntest_split: test\n{settings}\n")
    results = lm_eval.simple_evaluate(
        model="hf", model_args={"pretrained": str(folders["ours"])}, tasks=[*tasks],
        task_manager=TaskManager(include_path=str(tmp_path), include_defaults=False), device="cpu",
    )["results"]  # fmt: skip
    assert 0 <= results["choice"]["acc,none"] <= 1
    assert results["text"]["bits_per_byte,none"] > 0
    assert "exact_match,none" in results["writing"]
