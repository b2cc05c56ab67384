"""What was pushed, with unmodified transformers and an empty cache, as on another machine."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hub_clients import HEAVY
from PIL import Image
from test_push import succeeded
from transformers import AutoModelForCausalLM, AutoTokenizer, pipeline

GENERATE = """
import json, sys, torch
from transformers import AutoModelForCausalLM, AutoTokenizer

torch.set_num_threads(1)
tokenizer = AutoTokenizer.from_pretrained("me/verdict")
model = AutoModelForCausalLM.from_pretrained("me/verdict")
ids = tokenizer("It", return_tensors="pt").input_ids
text = tokenizer.decode(model.generate(ids, max_new_tokens=12, do_sample=False)[0])
tokens = AutoTokenizer.from_pretrained("me/tokenizer").tokenize("It was a small town")
print(json.dumps([text, tokens]))
"""
CLASSIFY = """
import json, sys
sys.modules["hf_llm"] = None  # importing it raises
from transformers import pipeline

try:
    pipeline("image-classification", model="me/mlp", trust_remote_code=False)
except ValueError as error:
    refused = "trust_remote_code" in str(error)
classify = pipeline("image-classification", model="me/mlp", revision=sys.argv[1], trust_remote_code=True)
print(json.dumps([refused, classify(sys.argv[2], top_k=10)]))
"""


PUSH = """
import sys
from transformers import AutoModelForCausalLM, AutoTokenizer

for auto in (AutoModelForCausalLM, AutoTokenizer):
    auto.from_pretrained(sys.argv[1]).push_to_hub("me/theirs")
print(1)
"""


def run_python(scripts, folder: Path, code: str, *words):
    """Run code that needs transformers as a client of the Hub, and return what it prints as JSON last."""
    (folder / "code.py").write_text(code)
    return json.loads(succeeded(scripts(folder / "code.py", *words)).splitlines()[-1])


@pytest.mark.slow
def test_the_same_greedy_text_and_tokens(either_scripts, all_scripts, runs, tmp_path):
    succeeded(either_scripts("hub.py", "push", runs / "verdict", "me/verdict"))
    succeeded(either_scripts("hub.py", "push", runs / "tokenizer", "me/tokenizer"))
    text, tokens = run_python(all_scripts(either_scripts.xet, HEAVY), tmp_path, GENERATE)
    tokenizer = AutoTokenizer.from_pretrained(runs / "verdict")
    model = AutoModelForCausalLM.from_pretrained(runs / "verdict")
    ids = tokenizer("It", return_tensors="pt").input_ids
    assert text == tokenizer.decode(model.generate(ids, max_new_tokens=12, do_sample=False)[0])
    assert tokens == AutoTokenizer.from_pretrained(runs / "tokenizer").tokenize("It was a small town")


@pytest.mark.slow
def test_a_classifier_with_the_code_that_it_carries(hub, heavy_scripts, scripts, runs, tmp_path):
    pixels = np.zeros((28, 28), np.uint8)
    pixels[4:24, 12:16] = np.random.default_rng(0).integers(128, 256, (20, 4))  # a stroke in MNIST's form
    Image.fromarray(pixels).save(tmp_path / "digit.png")
    succeeded(scripts("hub.py", "push", runs / "mlp", "me/mlp"))
    commit = hub.repository("me/mlp").branches["main"]
    refused, there = run_python(heavy_scripts, tmp_path, CLASSIFY, commit, tmp_path / "digit.png")
    assert refused
    here = pipeline("image-classification", model=str(runs / "mlp"), trust_remote_code=True)
    answers = there, here(str(tmp_path / "digit.png"), top_k=10)
    scores = [{answer["label"]: answer["score"] for answer in found} for found in answers]
    assert scores[0] == pytest.approx(scores[1], abs=1e-6)


@pytest.mark.slow
def test_what_others_push_can_be_pulled(heavy_scripts, scripts, runs, tmp_path):
    """With `push_to_hub`, as most models on the Hub came there."""
    run_python(heavy_scripts, tmp_path, PUSH, runs / "verdict")
    succeeded(scripts("hub.py", "pull", "me/theirs", tmp_path / "pulled"))
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path / "pulled").state_dict()
    ours = AutoModelForCausalLM.from_pretrained(runs / "verdict").state_dict()
    assert theirs.keys() == ours.keys()
    assert all(torch.equal(theirs[name], tensor) for name, tensor in ours.items())
