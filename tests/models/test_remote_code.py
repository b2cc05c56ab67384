"""A saved classifier where this project is not installed: transformers runs the folder's code, if it is allowed to.

One other process, in which importing hf_llm raises, does all of it; its cache of code is empty.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import AutoModelForImageClassification

from hf_llm.data.digits import read_digits
from hf_llm.models.image_classifiers import new_image_classifier
from hf_llm.models.image_processing_digits import DigitsImageProcessor

NAMES = ("mlp", "lenet", "resnet")
OURS = ("mlp", "lenet")
ELSEWHERE = """
import json, os, sys
sys.modules["hf_llm"] = None  # importing it raises
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import AutoImageProcessor, AutoModelForImageClassification, pipeline

torch.set_num_threads(int(sys.argv[1]))
pixel_values, found, logits = load_file("pixels.safetensors")["pixel_values"], {}, {}
for name in sys.argv[2:]:
    here = found[name] = {"refused": []}
    for load in (AutoModelForImageClassification.from_pretrained, AutoImageProcessor.from_pretrained,
                 lambda folder, **trust: pipeline("image-classification", model=folder, **trust)):
        try:
            load(name, trust_remote_code=False)
            here["refused"].append("")
        except ValueError as error:
            here["refused"].append(str(error))
    model = AutoModelForImageClassification.from_pretrained(name, trust_remote_code=True)
    with torch.no_grad():
        logits[name] = model(pixel_values).logits
    here["module"] = type(model).__module__
    classify = pipeline("image-classification", model=name, trust_remote_code=True)
    here["pipeline"] = classify(["digit.png", "scan.png", "deep.png", "clear.png"], top_k=10)
    here["again"] = model.save_pretrained("again/" + name) or sorted(os.listdir("again/" + name))
save_file(logits, "logits.safetensors")
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def digit() -> tuple[np.ndarray, int]:
    """A digit, uint8 (28, 28), and what it is."""
    (images, labels), _ = read_digits()
    return images[0], int(labels[0])


@pytest.fixture(scope="module")
def models() -> dict:
    """Classifiers that have learnt some hundred digits, the first of which is `digit`."""
    (images, labels), _ = read_digits()
    pixel_values = DigitsImageProcessor(digit_form="digits")(list(images[:400]), return_tensors="pt").pixel_values
    labels = torch.from_numpy(labels[:400])
    models = {}
    for name in NAMES:
        models[name] = model = new_image_classifier(name, seed=0)
        optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
        for _ in range(40):
            model(pixel_values, labels=labels).loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        model.eval()
    return models


@pytest.fixture(scope="module")
def elsewhere(models, digit, tmp_path_factory) -> tuple[Path, dict]:
    """Save the models, and return the folder of theirs and what the other process found there."""
    folder = tmp_path_factory.mktemp("elsewhere")
    for name, model in models.items():
        model.save_pretrained(folder / name)
        DigitsImageProcessor(digit_form="digits").save_pretrained(folder / name)
    pixel_values = torch.randn(8, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    save_file({"pixel_values": pixel_values}, folder / "pixels.safetensors")
    Image.fromarray(digit[0]).save(folder / "digit.png")
    scan = Image.fromarray(255 - digit[0]).convert("RGB").resize((280, 280), Image.Resampling.NEAREST)
    scan.save(folder / "scan.png")
    Image.fromarray(digit[0].astype(np.uint16) * 257).save(folder / "deep.png")  # 16 bits
    clear = Image.new("RGBA", (28, 28))  # black ink on nothing
    clear.putalpha(Image.fromarray(digit[0]))
    clear.save(folder / "clear.png")
    result = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, str(torch.get_num_threads()), *NAMES],
        cwd=folder,
        env=os.environ | {"HF_HOME": str(folder / "home"), "HF_HUB_OFFLINE": "1"},
        stdin=subprocess.DEVNULL,  # nobody is there to answer a question
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert result.returncode == 0, result.stderr[-3000:]
    return folder, json.loads(result.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", OURS)
def test_logits_are_the_same_to_the_last_bit(models, elsewhere, name):
    folder, found = elsewhere
    with torch.no_grad():
        expected = models[name](load_file(folder / "pixels.safetensors")["pixel_values"]).logits
    assert torch.equal(load_file(folder / "logits.safetensors")[name], expected)
    assert found[name]["module"].startswith("transformers_modules.")  # the folder's code, not the package's


@pytest.mark.parametrize("name", OURS)
def test_without_the_flag_model_processor_and_pipeline_are_refused(elsewhere, name):
    refused = elsewhere[1][name]["refused"]
    assert len(refused) == 3
    assert all("trust_remote_code" in sentence for sentence in refused), refused


@pytest.mark.parametrize("name", NAMES)
def test_pipeline_classifies_a_png(models, elsewhere, digit, name):
    image, label = digit
    with torch.no_grad():
        logits = models[name](**DigitsImageProcessor(digit_form="digits")(image, return_tensors="pt")).logits
    expected = logits.softmax(-1)[0]
    scan, *same = [elsewhere[1][name]["pipeline"][i] for i in (1, 0, 2, 3)]
    for answers in (scan, *same):  # a scan of ten times the size, dark on white; and the same pixels in three formats
        assert answers[0]["label"] == str(label)
        assert {answer["label"] for answer in answers} == set("0123456789")
    for answers in same:
        for answer in answers:
            assert answer["score"] == pytest.approx(expected[int(answer["label"])].item(), abs=1e-6)


@pytest.mark.parametrize("name", OURS)
def test_the_folder_holds_the_code_and_saving_again_keeps_it(elsewhere, name):
    folder, found = elsewhere
    code = {f"configuration_{name}.py", "configuration_image_classifier.py",
            f"modeling_{name}.py", "modeling_image_classifier.py"}  # fmt: skip
    saved = {path.name for path in (folder / name).glob("*.py")}
    finding = {f"digit_{part}.py" for part in ("form", "ink", "regions", "sheet")}
    assert saved == code | finding | {"image_processing_digits.py", "pipeline_digits.py"}
    assert code <= set(found[name]["again"])
    config = json.loads((folder / name / "config.json").read_text(encoding="utf-8"))
    assert set(config["auto_map"]) == {"AutoConfig", "AutoModelForImageClassification"}
    assert config["id2label"]["7"] == "7"


@pytest.mark.parametrize("name", OURS)
def test_here_the_package_s_own_class_is_taken_whatever_the_flag(elsewhere, name):
    for trust in (True, False):
        model = AutoModelForImageClassification.from_pretrained(elsewhere[0] / name, trust_remote_code=trust)
        assert type(model).__module__ == f"hf_llm.models.modeling_{name}"
