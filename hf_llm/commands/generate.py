"""Let a causal language model continue a prompt: text on stdout, as it is written.

hf-llm generate --model runs/verdict --prompt "I had always thought"
"""

import sys

from hf_llm.config import command, parse
from hf_llm.generation.config import GenerateConfig


@command
def main():
    config = parse(GenerateConfig, description=__doc__)
    from hf_llm.generation.generate import TextStream
    from hf_llm.models.loading import load_causal_lm
    from hf_llm.tokenization.tokenizer import load_tokenizer

    stream = TextStream(load_causal_lm(config.model), load_tokenizer(config.model), config.prompt, config)
    print(config.prompt, end="", flush=True)
    for piece in stream:
        print(piece, end="", flush=True)
    print()
    if stream.prompt_changes:
        print(f"note: {stream.prompt_changes}", file=sys.stderr)
    if stream.result.slid:
        print("note: the text outgrew the model's context; it no longer saw the beginning", file=sys.stderr)
