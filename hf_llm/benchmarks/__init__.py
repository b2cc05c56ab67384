"""Measurements that the README and the notebook quote: one file each, `run(output_dir)` writes result.json."""
