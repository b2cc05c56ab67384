"""What are the limits of classic optimizers (SGD) on language models?"""
