#!/usr/bin/env bash
# The agent for Node.js 18.19, 20.6 and newer.
exec "$(dirname "${BASH_SOURCE[0]}")/line.sh" line-0.81 18.19.0 "$1"
