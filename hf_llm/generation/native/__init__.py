"""One token through GPT-2 on a CPU in a single call: step.cpp, compiled on this machine."""
