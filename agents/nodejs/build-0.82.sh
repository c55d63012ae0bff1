#!/usr/bin/env bash
# The agent for Node.js 22.15 and newer.
exec "$(dirname "${BASH_SOURCE[0]}")/line.sh" line-0.82 22.15.0 "$1"
