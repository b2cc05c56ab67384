"""Train a byte-level BPE tokenizer on a text.

What comes out is a folder that AutoTokenizer loads.

Only the first 90 % of the text is used: the rest stays unseen, so that a model can be judged on it.

    hf-llm train_tokenizer --corpus the-verdict --output_dir runs/tokenizer --replay 10
"""

from hf_llm.config import command, parse
from hf_llm.tokenization.config import TrainTokenizerConfig


@command
def main():
    config = parse(TrainTokenizerConfig, description=__doc__)

    from hf_llm.tokenization.readable import readable, token_bytes
    from hf_llm.tokenization.train import train_tokenizer

    trained = train_tokenizer(config)

    def show(tokens):
        return " ".join(readable(token_bytes(token)) for token in tokens)

    if trained.merges:
        print(f"{'step':>5} {'count':>7}  {'pair':<20} a word before -> after")
    for merge in trained.merges:
        print(f"{merge.step:>5} {merge.count:>7,}  {show(merge.pair):<20} {show(merge.before)} -> {show(merge.after)}")
    print(trained.reading)
    size = len(trained.tokenizer)
    print(f"tokenizer    {config.output_dir} ({size:,} tokens: 1 special, 256 bytes, {size - 257:,} merges)")
    print(f"trained on   {trained.train_bytes:,} bytes of {config.corpus}")
    print(f"bytes/token  {trained.train_bytes_per_token:.2f} on the training text", end="")
    unseen = trained.validation_bytes_per_token
    print(f", {unseen:.2f} on the rest, which it never saw" if unseen else "")
    print(f"sha256       {trained.sha256}")
    if config.push_to_hub:
        from hf_llm.hub.push import push_after_training

        push_after_training(config.output_dir, config.hub_model_id, config.hub_private_repo)
