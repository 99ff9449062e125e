"""What docs/performance.md quotes: the real programs, each beside its ceiling and its peers, in one run."""
