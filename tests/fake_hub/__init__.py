"""A Hub on loopback: what huggingface_hub and transformers ask of the real one, and faults on request."""
