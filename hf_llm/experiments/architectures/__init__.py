"""Four families of nets at equal parameters and in equal time, what is special in them, and where ReLU is standard."""
