#!/usr/bin/env python
"""Import proxies from a file: ``evoproxy populate`` under the name that scripts know."""

from __future__ import annotations

import sys

from service.cli import main

if __name__ == "__main__":
    main(["populate", *sys.argv[1:]])
