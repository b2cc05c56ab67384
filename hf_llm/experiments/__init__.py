"""One folder a question or lab, each with `run(config, progress) -> Result`; `config.EXPERIMENTS` names them."""
