"""Thirty days of dunning in under a minute: customers with stories, played through the real program."""
