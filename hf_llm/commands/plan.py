"""Plan a pretraining: parameters, memory, disk, time to the end, and whether it fits.

    hf-llm plan --config gpt2/small --per_device_train_batch_size 4

Nothing is allocated or written, and the corpus need not be there; without it the epochs are not counted.
"""

from hf_llm.config import command, parse
from hf_llm.training.config import PretrainConfig


@command
def main() -> None:
    config = parse(PretrainConfig, description=__doc__)
    from hf_llm.planning.inputs import plan_inputs
    from hf_llm.planning.plan import make_plan
    from hf_llm.training.launch import start_processes

    shape, corpus = plan_inputs(config)
    if corpus:
        print(corpus.reading)
    plan = make_plan(config, shape, corpus, start_processes(config.threads))
    print(plan.describe())
    plan.require_fit()
