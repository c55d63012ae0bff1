#!/usr/bin/env bash
# Fills the folder $1 with the files of the agent for Python.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# The distribution's Python, whichever other is first in PATH; nothing of the user's settings.
exec /usr/bin/python3 -I build.py "$1"
