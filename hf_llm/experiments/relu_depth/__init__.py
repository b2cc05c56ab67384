"""The experiment `relu-depth`: why ReLU is preferred in deep hidden layers; `lab.py` names its parts."""
