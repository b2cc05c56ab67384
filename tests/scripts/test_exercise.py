"""scripts/exercise.py without MNIST, with its recipe and its study cut short: two nets, both figures, the report."""

import runpy
from pathlib import Path

import pytest

from hf_llm.experiments.dropout import lab as dropout
from hf_llm.experiments.dropout.lab import Grid

SCRIPT = Path(__file__).parents[2] / "scripts" / "exercise.py"


def test_the_exercise_falls_back_to_the_digits_and_does_not_train_twice(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("HF_LLM_DATA_DIR", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setattr(dropout, "QUICK", Grid({"all": None}, (0.0, 0.5), {"all": 1}, least_steps=8, evaluations=2))
    short = {"max_steps": 4, "warmup_steps": 1, "hidden_sizes": [8], "eval_steps": 2, "threads": 1}
    monkeypatch.setattr("hf_llm.config.load_yaml", lambda *_: short)

    def call():
        monkeypatch.setattr("sys.argv", [str(SCRIPT)])
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(SCRIPT), run_name="__main__")
        assert end.value.code == 0
        return capsys.readouterr().out

    assert "taking the embedded digits instead" in call()
    folder = tmp_path / "runs" / "digits"
    models = [folder / name / "model.safetensors" for name in ("mlp", "mlp-dropout")]
    written = [model.stat().st_mtime_ns for model in models]
    for language in ("pt-BR", "en"):
        assert (folder / "dropout-study" / f"report.{language}.md").is_file()
        for figure in ("loss", "accuracy"):
            assert (folder / "dropout-study" / "figures" / f"{figure}.{language}.png").is_file()

    assert "95 % interval" in call()
    assert [model.stat().st_mtime_ns for model in models] == written
