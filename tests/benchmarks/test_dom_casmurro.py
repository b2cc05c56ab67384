"""The recipe of the Portuguese model is the one of the benchmark's name."""

from hf_llm.benchmarks.record import recipe
from hf_llm.training.config import PretrainConfig


def test_the_recipe_reads_dom_casmurro_into_the_folder_that_the_app_looks_in():
    config = recipe(PretrainConfig, "gpt2/dom-casmurro")
    assert (config.corpus, config.output_dir) == ("dom-casmurro", "runs/dom-casmurro")
