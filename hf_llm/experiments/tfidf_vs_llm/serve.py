"""A fresh process that loads one saved method, classifies messages one by one, and prints the memory that it holds.

    python -m hf_llm.experiments.tfidf_vs_llm.serve FOLDER

FOLDER holds texts.json and either model.pickle (a pipeline of scikit-learn that we have just written ourselves) or a
model of transformers. Each kind imports only the libraries that it needs.
"""

import json
import pickle
import sys
from pathlib import Path

import psutil


def main(folder: Path) -> None:
    """Print {"memory": bytes of the resident set after the last message}."""
    texts = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
    if (folder / "model.pickle").exists():
        model = pickle.loads((folder / "model.pickle").read_bytes())
        for text in texts:
            model.decision_function([text])
    else:
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        torch.set_num_threads(1)
        model = AutoModelForSequenceClassification.from_pretrained(folder)
        tokenizer = AutoTokenizer.from_pretrained(folder)
        longest = model.config.max_position_embeddings
        with torch.inference_mode():
            for text in texts:
                model(**tokenizer([text], truncation=True, max_length=longest, return_tensors="pt"))
    print(json.dumps({"memory": psutil.Process().memory_info().rss}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
