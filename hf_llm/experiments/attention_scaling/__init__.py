"""The experiment `attention-scaling`: what attention does for large models, and its price; `lab.py` names its parts."""
