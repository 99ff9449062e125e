"""The load generator: a process of its own, so that making requests does not slow down who measures them."""
