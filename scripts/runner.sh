#!/usr/bin/env bash
# Run one config: set up the environment if need be, start one process or several, pass the rest on.
#
#   bash scripts/runner.sh --base_config config/clip/multitask_config.yaml [key.path=value ...]
#     --selected_gpus 0,1,2   one process on each of these GPUs
#     --processes N           N processes on the CPU
#     everything else         see --help
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

export PYTHONSAFEPATH=1 # import what is installed, not what lies where this was started
exec "$python" -m cinelex.core.entry cinelex.scripts.run "$@"
