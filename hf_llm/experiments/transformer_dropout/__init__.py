"""The experiment `transformer-dropout`: where and how a Transformer drops; `lab.py` names its parts."""
