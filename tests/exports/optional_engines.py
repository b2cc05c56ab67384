"""Engines that may not be installed: a test that wants one is skipped by its name."""

import importlib.util
import sys

import pytest

from hf_llm.exports.formats import PACKAGES


def need(to: str) -> None:
    """Skip the test where a format's packages are not installed."""
    if to == "openvino":
        sys.modules.setdefault("openvino_telemetry", None)  # whatever imports it first: nothing is sent
    for module in PACKAGES[to]:
        if importlib.util.find_spec(module.split(".")[0]) is None:
            pytest.skip(f"{PACKAGES[to][module]} is not installed: pip install 'hf_llm[{to}]'")
