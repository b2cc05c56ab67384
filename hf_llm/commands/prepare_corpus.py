"""Turn text files, JSON lines, parquet or a data set of the Hub into token arrays.

    hf-llm prepare_corpus --files books/ --output_dir runs/books
    hf-llm prepare_corpus --dataset HuggingFaceFW/fineweb-edu --dataset_config sample-10BT \\
        --tokenizer gpt2-tokenizer --output_dir runs/fineweb
"""

from hf_llm.config import command, parse
from hf_llm.tokenization.config import PrepareCorpusConfig


@command
def main():
    config = parse(PrepareCorpusConfig, description=__doc__)

    from hf_llm.data.reading import Reading
    from hf_llm.tokenization.prepare import prepare_corpus

    reading = Reading()
    meta = prepare_corpus(config, reading)
    print(reading)
    print(f"corpus      {config.output_dir}")
    if meta["windows_line_ends"]:
        print(r"line ends   those of Windows, \r\n, were read as \n")
    for split, counts in meta["splits"].items():
        print(
            f"{split:<11} {counts['tokens']:,} tokens in {len(counts['files'])} files, {counts['documents']:,} "
            f"documents, {counts['bytes'] / counts['tokens']:.2f} bytes/token"
        )
    made = meta["tokenizer"]
    origin = made.get("name") or f"trained on {made['sample_documents']:,} documents, {made['sample_bytes']:,} bytes"
    print(f"tokenizer   {made['vocab_size']:,} tokens, {origin}")
    print(f"sha256      {meta['sha256']}")
