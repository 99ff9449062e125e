"""dj-stripe as it comes from PyPI, in an environment of its own: it is no dependency of ours."""
