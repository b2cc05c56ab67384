"""The experiment `families`: BERT, GPT, T5, LSTM and GRU on their own objectives; `lab.py` names its parts."""
