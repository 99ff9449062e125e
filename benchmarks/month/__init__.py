"""A month of events in the tables: what becomes slower, and what taking a day of it away costs."""
