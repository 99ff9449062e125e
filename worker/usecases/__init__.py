"""What a worker does, one use case a file. Actors call them; so do tests and commands, with another `now`."""
