"""A folder that holds the package of a billing system which nobody here has heard of."""
