"""What is the main difference between a model pretrained at scale and one that is only fine-tuned on a task?"""
