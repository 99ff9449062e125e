"""The HTTP API subset, spoken by the real client."""
