#!/usr/bin/env bash
# Run one config with several seeds, one after the other, and write what they agree on.
#
#   bash scripts/run_seeds.sh --base_config config/clipse/baseline.yaml --seeds 0,1,2 [key.path=value ...]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
export PYTHONSAFEPATH=1 # import what is installed, not what lies where this was started
exec "$python" -m cinelex.core.entry cinelex.scripts.run_seeds "$@"
