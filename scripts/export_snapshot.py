#!/usr/bin/env python
"""Export the pool to a file: ``evoproxy export`` under the name that scripts know."""

from __future__ import annotations

import sys

from service.cli import main

if __name__ == "__main__":
    main(["export", *sys.argv[1:]])
