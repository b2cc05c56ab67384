"""Every committed YAML loads, fixes what would otherwise depend on the machine, and divides among its processes."""

import dataclasses
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from accelerate.commands.config.config_args import load_config_from_file
from accelerate.commands.launch import _validate_launch_command, launch_command_parser

from hf_llm.config import load_yaml
from hf_llm.data import BatchPlan
from hf_llm.models.gpt2 import gpt2_config
from hf_llm.models.image_classifiers import new_image_classifier
from hf_llm.recipes.classifier_config import ClassifierConfig
from hf_llm.recipes.finetune_config import FinetuneConfig
from hf_llm.training.config import PretrainConfig

CONFIGS = Path(__file__).parents[1] / "configs"
GPT2 = sorted((CONFIGS / "gpt2").glob("*.yaml"))
MNIST = sorted((CONFIGS / "mnist").glob("*.yaml"))
FINETUNE = sorted((CONFIGS / "finetune").glob("*.yaml"))
# steps, as they were when each config was measured
WARMUP = {
    "gpt2/verdict": 50, "gpt2/shakespeare": 100, "gpt2/small": 2000, "gpt2/large": 2000, "mnist/mlp": 50,
    "mnist/mlp-dropout": 50, "mnist/lenet": 50, "mnist/resnet": 100, "mnist/efficientnet": 100, "finetune/verdict": 30,
    "finetune/sms-spam": 30, "gpt2/dom-casmurro": 100, "gpt2/verdict-ngram-text": 150, "gpt2/large-adafactor": 2000,
}  # fmt: skip
ACCELERATE = sorted((CONFIGS / "accelerate").glob("*.yaml"))
MACHINES = [path for path in ACCELERATE if "machines" in path.name]
SLURM = CONFIGS / "slurm" / "pretrain.sbatch"
GPT2_IS = pytest.mark.parametrize("path", GPT2, ids=lambda path: path.name)
MNIST_IS = pytest.mark.parametrize("path", MNIST, ids=lambda path: path.name)
FINETUNE_IS = pytest.mark.parametrize("path", FINETUNE, ids=lambda path: path.name)
ACCELERATE_IS = pytest.mark.parametrize("path", ACCELERATE, ids=lambda path: path.name)


@GPT2_IS
def test_a_pretraining_config_names_precision_and_compile(path):
    given = load_yaml(PretrainConfig, path)
    PretrainConfig(**given)
    assert given["precision"] in ("fp32", "bf16")
    assert isinstance(given["compile"], bool)
    assert {"output_dir", "corpus", "model", "attention", "seed"} <= given.keys()


@GPT2_IS
def test_its_model_can_be_built_and_its_batch_divides(path):
    config = PretrainConfig(**load_yaml(PretrainConfig, path))
    gpt2_config(config.model, None, config.n_positions, config.n_layer, config.n_head, config.n_embd, config.dropout)
    most = 1 if config.optimizer_in_bwd else 2 if config.model in ("nano", "micro", "mini") else 8
    for processes in [each for each in (1, 2, 8) if each <= most]:
        BatchPlan(10**6, config.total_batch_size, config.per_device_train_batch_size, processes)


@MNIST_IS
def test_a_classifier_config_names_precision_and_compile_and_its_model_can_be_built(path):
    given = load_yaml(ClassifierConfig, path)
    config = ClassifierConfig(**given)
    assert given["precision"] in ("fp32", "bf16")
    assert isinstance(given["compile"], bool)
    assert {"output_dir", "data", "model", "seed"} <= given.keys()
    new_image_classifier(
        config.model, 0, hidden_sizes=config.hidden_sizes, activation=config.activation, dropout=config.dropout,
        input_dropout=config.input_dropout, batch_norm=config.batch_norm,
    )  # fmt: skip
    for processes in (1, 2):
        BatchPlan(50_000, config.total_batch_size, config.per_device_train_batch_size, processes)


@FINETUNE_IS
def test_a_fine_tuning_config_names_precision_and_compile_and_begins_with_a_model_that_a_config_makes(path):
    given = load_yaml(FinetuneConfig, path)
    config = FinetuneConfig(**given)
    assert given["precision"] in ("fp32", "bf16")
    assert isinstance(given["compile"], bool)
    assert {"output_dir", "model", "task", "data", "method", "seed"} <= given.keys()
    assert config.model in {load_yaml(PretrainConfig, pretraining)["output_dir"] for pretraining in GPT2}


@pytest.mark.parametrize("path", [*GPT2, *MNIST, *FINETUNE], ids=lambda path: path.name)
def test_the_warm_up_is_a_share_so_that_a_short_run_needs_no_other_setting(path):
    config_class = {"gpt2": PretrainConfig, "mnist": ClassifierConfig, "finetune": FinetuneConfig}[path.parent.name]
    config = config_class(**load_yaml(config_class, path))
    assert config.warmup == WARMUP[f"{path.parent.name}/{path.stem}"]
    assert 1 <= dataclasses.replace(config, max_steps=24).warmup <= 3


def test_every_config_writes_to_a_folder_of_its_own():
    folders = [load_yaml(PretrainConfig, path)["output_dir"] for path in GPT2]
    folders += [load_yaml(ClassifierConfig, path)["output_dir"] for path in MNIST]
    folders += [load_yaml(FinetuneConfig, path)["output_dir"] for path in FINETUNE]
    assert len(set(folders)) == len(GPT2) + len(MNIST) + len(FINETUNE)


@ACCELERATE_IS
def test_a_launch_config_is_read_by_accelerate(path):
    config = load_config_from_file(str(path))
    given = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert config.num_processes == given["num_processes"]
    assert config.use_cpu is given.get("use_cpu", False)
    assert config.mixed_precision == "no"  # precision is a setting of the run, recorded in its manifest
    assert given["distributed_type"] != "MULTI_CPU"  # it starts one process, and says nothing


def test_one_process_on_the_cpu_two_and_a_machine_of_gpus_can_be_launched():
    assert {"cpu-1.yaml", "cpu-2.yaml"} <= {path.name for path in ACCELERATE}
    assert any(path.name.startswith("gpu-") for path in ACCELERATE)


@pytest.mark.parametrize("path", MACHINES, ids=lambda path: path.name)
def test_the_command_for_several_machines_does_what_its_file_says(path):
    """accelerate 1.15 reads rdzv_backend from the file and then takes its own default, unless a flag says it too."""
    given = yaml.safe_load(path.read_text(encoding="utf-8"))
    (command,) = re.findall(r"^# +accelerate launch (.+) …$", path.read_text(encoding="utf-8"), re.MULTILINE)
    words = [str(CONFIGS.parent / word) if word.startswith("configs/") else word for word in command.split()]
    arguments, *_ = _validate_launch_command(launch_command_parser().parse_args(words))
    assert arguments.config_file == str(path)
    for name in ("num_machines", "num_processes", "main_process_ip", "main_process_port", "rdzv_backend"):
        assert getattr(arguments, name) == given[name], name
    assert arguments.multi_gpu
    assert arguments.use_cpu is given.get("use_cpu", False)
    assert given["num_processes"] % given["num_machines"] == 0


def test_there_are_both_rendezvous_for_machines_with_and_without_gpus():
    kinds = {(path.name[:3], yaml.safe_load(path.read_text(encoding="utf-8"))["rdzv_backend"]) for path in MACHINES}
    assert kinds == {(device, rendezvous) for device in ("cpu", "gpu") for rendezvous in ("static", "c10d")}


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash to read it")
def test_the_slurm_template_is_bash_and_calls_what_exists():
    text = SLURM.read_text(encoding="utf-8")
    read = subprocess.run(["bash", "-n", str(SLURM)], capture_output=True, text=True)
    assert (read.returncode, read.stderr) == (0, "")
    named = re.findall(r"\b(?:configs|scripts)/[\w./-]+\.(?:yaml|py|sbatch)\b", text)
    assert {"scripts/pretrain.py", "configs/slurm/pretrain.sbatch"} <= set(named)
    for name in named:
        assert (CONFIGS.parent / name).is_file(), name
    (command,) = re.findall(r"exec \S+/accelerate launch ((?:.|\\\n)+?) scripts/pretrain", text)
    known = {flag for action in launch_command_parser()._actions for flag in action.option_strings}
    assert set(re.findall(r"--\w+", command)) <= known
    assert "--rdzv_backend c10d" in command
    assert re.search(r"^#SBATCH --signal=B:TERM@\d+$", text, re.MULTILINE)  # before the time is over, time to save
    assert re.search(r"^#SBATCH --requeue$", text, re.MULTILINE)


@pytest.mark.parametrize("path", [*GPT2, *MNIST, *FINETUNE, *ACCELERATE], ids=lambda path: path.name)
def test_the_files_that_its_comments_name_exist(path):
    comments = "\n".join(line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#"))
    for name in re.findall(r"\b(?:configs|scripts)/[\w./-]+\.(?:yaml|py)\b", comments):
        assert (CONFIGS.parent / name).is_file(), name
