"""A model of an installation under load: what fills up first, and how long an event takes to its mail."""
