"""``python -m service.cli``: the same as ``evoproxy``."""

from service.cli import main

main()
