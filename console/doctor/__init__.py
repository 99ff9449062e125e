"""Is it set up so that nothing goes wrong that need not? One file looks at one thing, `doctor.py` at all."""
