"""What the figures are held against: ceilings, and the ways it is usually done, small and honest."""
