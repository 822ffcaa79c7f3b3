#!/usr/bin/env bash
# Everything that waits for a GPU: bash benchmarks/device.sh [--out FOLDER] [--only PART] [--dry]
# Installs nothing. Python packages that the machine lacks (pydantic) may lie in .site/ in the clone:
#   pip install --target .site pydantic
set -euo pipefail
cd "$(dirname "$0")/.."
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}:$PWD/.site"
exec "${PYTHON:-python3}" -m benchmarks.device "$@"
