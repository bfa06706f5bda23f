#!/usr/bin/env python
"""Run luacheck over each script of lua/ as Redis gets it: with its includes and its preamble."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from service.pool.scripts import load_all

OPTIONS = ["--std", "lua51", "--read-globals", "redis", "cjson", "KEYS", "ARGV"]
# 211: a shared part may offer what one script does not call. Length: the preamble's lines are generated.
EXCEPTIONS = ["--ignore", "211", "--no-max-line-length"]


def main() -> int:
    luacheck = shutil.which("luacheck")
    if luacheck is None:
        print("luacheck is not installed: the Lua is not checked", file=sys.stderr)
        return int(os.environ.get("CI") == "true")
    with tempfile.TemporaryDirectory() as folder:
        for name, script in load_all().items():
            Path(folder, f"{name}.lua").write_text(script.text, encoding="utf-8")
        return subprocess.run([luacheck, ".", "-q", *OPTIONS, *EXCEPTIONS], cwd=folder, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
