"""`python -m cli` is `dunning`: for starting processes with the interpreter that is running."""

from cli.main import main

main()
