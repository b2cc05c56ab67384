"""A pull with what huggingface_hub offers, which compares sizes: what ours is measured against.

python hf_llm/benchmarks/hub_faults/unprotected_pull.py REPO_ID DIR
"""

import sys

from huggingface_hub import snapshot_download

if __name__ == "__main__":
    snapshot_download(sys.argv[1], local_dir=sys.argv[2], max_workers=1)
