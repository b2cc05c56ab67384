"""scripts/exercise.py without MNIST, with its recipe and its study cut short: two nets, the figure, the report."""

import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from hf_llm.experiments.dropout_study import curves, other_setting
from hf_llm.experiments.dropout_study.curves import Size
from hf_llm.experiments.dropout_study.other_setting import SETTINGS

SCRIPT = Path(__file__).parents[2] / "scripts" / "exercise.py"


def test_the_exercise_falls_back_to_the_digits_and_does_not_train_twice(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("HF_LLM_DATA_DIR", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    size = Size(None, 1, least_steps=8, evaluations=2, dropouts=[0.0, 0.5])
    monkeypatch.setattr(curves, "QUICK", {"few": size, "all": size})
    tiny = {name: replace(one, width=8 * n, steps=10 * n) for n, (name, one) in enumerate(SETTINGS.items(), 1)}
    monkeypatch.setattr(other_setting, "SETTINGS", tiny)
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
        assert (folder / "dropout-study" / "figures" / f"curves.{language}.png").is_file()  # loss and accuracy

    assert "percentage points" in call()  # the answer
    assert [model.stat().st_mtime_ns for model in models] == written
