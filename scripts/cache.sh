#!/usr/bin/env bash
# List, verify, prune or retry decoded frames; sets up the environment if need be.
#
#   bash scripts/cache.sh list|verify|prune|retry [data.cache, or one store] [--unused-days N]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

export PYTHONSAFEPATH=1 # import what is installed, not what lies where this was started
exec "$python" -m cinelex.core.entry cinelex.scripts.cache "$@"
