"""`python -m workers.cli`, which is what `./dev` runs."""

from workers.cli.main import main

main()
