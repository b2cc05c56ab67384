"""Are exports the same model? Many prompts in every engine, and models of drawn shapes and vocabularies."""
