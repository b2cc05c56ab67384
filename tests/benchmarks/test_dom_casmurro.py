"""What the Portuguese model is put beside, and that its recipe is the one of the benchmark's name."""

from hf_llm.benchmarks.dom_casmurro import baselines
from hf_llm.benchmarks.record import recipe
from hf_llm.data import Text, read_text, split_text
from hf_llm.evaluation.byte_ngrams import ByteNGrams
from hf_llm.training.config import PretrainConfig


def test_the_scored_text_does_not_choose_the_order_of_the_ngrams():
    text = read_text("sample")
    train, scored = split_text(text.text)
    found = baselines(text)
    order = found["ngrams"]["order"]
    model = ByteNGrams.fit(train.encode("utf-8"), order)
    assert found["ngrams"]["bits_per_byte"] == round(model.bits_per_byte(scored.encode("utf-8")), 4)
    other = baselines(Text(text.name, train + "?" * len(scored), "another hash"))
    assert other["ngrams"]["order"] == order
    assert other["lzma"] != found["lzma"]


def test_the_recipe_reads_dom_casmurro_into_the_folder_that_the_app_looks_in():
    config = recipe(PretrainConfig, "gpt2/dom-casmurro")
    assert (config.corpus, config.output_dir) == ("dom-casmurro", "runs/dom-casmurro")
