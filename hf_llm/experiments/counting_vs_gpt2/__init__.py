"""When does a network beat counting? Byte n-grams and a compressor beside GPT-2, on more and more text."""
