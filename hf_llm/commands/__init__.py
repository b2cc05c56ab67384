"""The commands: `hf-llm NAME`, and the file of that name in scripts/, call the `main` of the file NAME here, which
parses a config and calls one function of the packages below.
"""
