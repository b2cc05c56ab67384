"""What a training will take, before anything is allocated: memory, disk, time, and whether it fits.

    parameters → FLOPs per token → memory at the worst moment of a step → disk → seconds per step → time to the end

`memory.py` follows a step's memory, `speed.py` its time from what `matmul_probe.py` measures, `table.py` prints the
result. A training that cannot fit is refused, with the first of those in `smaller.py` that does.

>>> plan = make_plan(config, gpt2_config("small"), corpus=None, processes=start_processes())
>>> print(plan.describe())
>>> plan.require_fit()
"""

import dataclasses
import math
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import psutil
import torch
from accelerate import PartialState
from transformers import GPT2Config

from hf_llm.config import UserError, free_bytes, has, library_folder
from hf_llm.data import BatchPlan
from hf_llm.evaluation.logits import LOGITS
from hf_llm.models.gpt2 import gpt2_config, parameter_counts
from hf_llm.planning.matmul_probe import ProbeError, Speed, machine_speed
from hf_llm.planning.memory import FP32, OPTIMIZER_TENSORS, Workload, peak
from hf_llm.planning.smaller import as_flags, smaller_trainings
from hf_llm.planning.speed import flops_per_token, step_seconds
from hf_llm.planning.table import plan_table, size
from hf_llm.tokenization.corpus import Corpus
from hf_llm.training.config import PretrainConfig
from hf_llm.training.launch import local_processes


@dataclass(frozen=True)
class Machine:
    """What one process finds.

    Args:
        free_memory: Bytes, of the GPU or of this machine, that all local processes share.
        free_disk: Bytes where the run folder is, or will be; infinite where its disk does not say.
        threads: CPU threads of a process.
        processes: Processes of the run, on all machines.
        local_processes: Those that share `free_memory`; one where each has a GPU of its own.
        cuda: On a GPU.
    """

    free_memory: int
    free_disk: float
    threads: int
    processes: int = 1
    local_processes: int = 1
    cuda: bool = False


def make_plan(
    config: PretrainConfig, model_config: GPT2Config, corpus: Corpus | None, processes: PartialState
) -> "Plan":
    """Plan a training on this machine.

    Args:
        config: Settings.
        model_config: Shape of the GPT-2.
        corpus: What it trains on; None where it is not at hand: then there are no epochs to count.
        processes: The processes of this launch.

    Raises:
        UserError: When `total_batch_size` does not divide into micro-batches.
    """
    cuda, folder = processes.device.type == "cuda", library_folder(config.output_dir)
    own = 0 if config.restart else _size(folder)  # what an earlier part of this run wrote is there already
    free = free_bytes(folder)
    machine = Machine(
        free_memory=torch.cuda.mem_get_info(processes.device)[0] if cuda else free_memory(),
        free_disk=math.inf if free is None else free + own,
        threads=torch.get_num_threads(),
        processes=processes.num_processes,
        local_processes=1 if cuda else local_processes(),
        cuda=cuda,
    )
    tokens = (len(corpus.train), len(corpus.validation)) if corpus else (None, None)
    return Plan(config, model_config, machine, *tokens)


@dataclass(frozen=True)
class Plan:
    """A training on a machine, in numbers.

    Args:
        config: Settings.
        model: Shape of the GPT-2.
        machine: What it runs on.
        train_tokens: Tokens of the training part, where known.
        validation_tokens: Tokens of the validation part, where known.
        speed: {"fp32" and/or "bf16": speed}; default: probed when first needed, in a process of its own. Without a
            probe nothing is predicted: the properties that need a speed are None.
    """

    config: PretrainConfig
    model: GPT2Config
    machine: Machine
    train_tokens: int | None = None
    validation_tokens: int | None = None
    speed: dict[str, Speed] | None = None

    def __post_init__(self):
        _ = self.batches  # refuses a total that does not divide

    @cached_property
    def batches(self) -> BatchPlan:
        """The batch arithmetic; the number of samples plays no part in it."""
        return BatchPlan(
            samples=1,
            total_batch_size=self.config.total_batch_size,
            per_device_batch_size=self.config.per_device_train_batch_size,
            world_size=self.machine.processes,
        )

    @cached_property
    def workloads(self) -> list[Workload]:
        """What a step may be: one, or with precision `auto` both of which a step is timed."""
        precisions = ["fp32", "bf16"] if self.config.precision == "auto" else [self.config.precision]
        context = self.model.n_positions
        stride = max(1, context // 2)  # while training; see CausalLM.evaluate
        at_most = max(1, min(32, LOGITS // (stride * self.model.vocab_size)))  # see evaluate_tokens
        windows = math.ceil(max(0, self.eval_tokens - context) / stride)  # behind the first one, which goes alone
        return [
            Workload(
                model=self.model,
                batch=self.batches.micro_batch_size,
                accumulation=self.batches.accumulation,
                precision=precision,
                gradient_checkpointing=self.config.gradient_checkpointing,
                optimizer=self.config.optimizer,
                optimizer_in_bwd=self.config.optimizer_in_bwd,
                processes=self.machine.processes,
                shard=self.config.shard,
                eval_windows=max(1, min(at_most, windows)),
                eval_scored=stride if windows else min(context, self.eval_tokens),
                cuda=self.machine.cuda,
            )
            for precision in precisions
        ]

    @property
    def eval_tokens(self) -> int:
        """Tokens scored by an evaluation while training."""
        return min(self.config.eval_tokens, (self.validation_tokens or self.config.eval_tokens + 1) - 1)

    @property
    def tokens_per_step(self) -> int:
        return self.config.total_batch_size * self.model.n_positions

    @cached_property
    def peak_memory_bytes(self) -> int:
        """Peak memory of a process, above what it holds after its imports; on a GPU, of the GPU."""
        return round(max(peak(work) for work in self.workloads))

    @property
    def disk_bytes(self) -> int:
        """Bytes of a finished run folder, and of one checkpoint more: a new one is whole before an old one goes."""
        parameters = parameter_counts(self.model)["total"]
        checkpoint = FP32 * parameters * (1 + OPTIMIZER_TENSORS[self.config.optimizer] + 1)  # weights, moments, best
        return checkpoint * (self.config.save_total_limit + 1) + FP32 * parameters

    @property
    def generation_cache_bytes(self) -> int:
        """Keys and values of one full context, kept while generating; fp32."""
        return 2 * FP32 * self.model.n_layer * self.model.n_positions * self.model.n_embd

    @cached_property
    def probed(self) -> dict[str, Speed] | ProbeError:
        """The machine's speed by precision, or why there is none; probing takes a few seconds, once per process."""
        device = "cuda" if self.machine.cuda else "cpu"
        try:
            return self.speed or {
                work.precision: machine_speed(work.precision, self.machine.threads, device) for work in self.workloads
            }
        except ProbeError as error:
            return error

    @cached_property
    def expected(self) -> tuple[Workload, Speed] | None:
        """The step that is predicted to be taken, with precision `auto` the faster one, and the machine's speed."""
        if isinstance(self.probed, ProbeError):
            return None
        steps = [(work, self.probed[work.precision]) for work in self.workloads]
        return min(steps, key=lambda step: step_seconds(*step))

    @property
    def step_seconds(self) -> float | None:
        """Predicted seconds of an optimizer step."""
        return self.expected and step_seconds(*self.expected)

    @property
    def evaluation_seconds(self) -> float | None:
        """Predicted seconds of all evaluations, the final ones included; None without a corpus."""
        if self.validation_tokens is None or self.step_seconds is None:
            return None
        context = self.model.n_positions
        evaluations = math.ceil(self.config.max_steps / self.config.eval_steps)
        windows = evaluations * self.eval_tokens / max(1, context // 2)
        windows += 2 * self.validation_tokens / (self.config.eval_stride or max(1, context // 2))  # best, last
        sample_seconds = self.step_seconds / (self.batches.micro_batch_size * self.batches.accumulation)
        return windows * sample_seconds / 3  # a forward pass is a third of the work

    def utilisation(self, tokens_per_second: float) -> float | None:
        """Return the FLOP/s that the model needs, over what the probe reached in as many processes."""
        if self.expected is None:
            return None
        _, speed = self.expected
        return round(tokens_per_second * flops_per_token(self.model) / (speed.flops * self.machine.processes), 3)

    def require_fit(self) -> None:
        """Refuse a training that memory or disk cannot hold.

        Raises:
            UserError: Says what is needed, what is free, and the nearest settings that fit.
        """
        lacking = self._lacking()
        if lacking:
            raise UserError(f"this training cannot fit: {lacking}; {self._advice()}")

    def fits(self) -> bool:
        return not self._lacking()

    def _lacking(self) -> str:
        memory = self.peak_memory_bytes * self.machine.local_processes
        if memory > self.machine.free_memory:
            return f"it needs {size(memory)} of memory, and {size(self.machine.free_memory)} are free"
        if self.disk_bytes > self.machine.free_disk:
            return (
                f"checkpoints and model need {size(self.disk_bytes)} in {self.config.output_dir}, "
                f"and {size(self.machine.free_disk)} are free"
            )
        return ""

    def _advice(self) -> str:
        disk_is_short = self.disk_bytes > self.machine.free_disk
        for change in smaller_trainings(self.config, self.model, self.batches, disk_is_short):
            plan = self._with(change)
            if plan.fits():
                memory = plan.peak_memory_bytes * self.machine.local_processes
                command = "" if has(*change) else " as flags of hf-llm pretrain"
                return (
                    f"this fits{command}: {as_flags(change)} "
                    f"({size(memory)} of memory, {size(plan.disk_bytes)} of disk)"
                )
        return "nothing smaller that was tried fits either, so free some"

    def _with(self, change: dict) -> "Plan":
        config = dataclasses.replace(self.config, **{"n_positions": self.model.n_positions, **change})
        model = gpt2_config(vocab_size=self.model.vocab_size, **config.shape)
        return dataclasses.replace(self, config=config, model=model)

    def describe(self) -> str:
        """Return the plan as a table for people."""
        return plan_table(self)


def free_memory() -> int:
    """Return the bytes this process may still take: of the machine, or of the container it is in."""
    free = psutil.virtual_memory().available
    group = Path("/sys/fs/cgroup")  # a container's limit, which the machine's figures do not show
    try:
        limit = int((group / "memory.max").read_text())
        reclaimable = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())["inactive_file"]
        used = int((group / "memory.current").read_text()) - int(reclaimable)
        return min(free, limit - used)
    except (OSError, ValueError, KeyError):  # no container, or one without a limit ("max")
        return free


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):  # another process of this run may just be renaming it
            total += path.lstat().st_size
    return total
