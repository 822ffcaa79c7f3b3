#!/usr/bin/env bash
# Run a sweep: many runs of one config with other values. The sweep file is in W&B's format.
#
#   bash scripts/run_sweep.sh --base_config config/clip/multitask_config.yaml \
#     --sweep_config config/clip/sweep_config_multitask.yaml [--selected_gpus 0,1,2] [--count 20]
#
#   everything else: see --help of scripts/sweep.py
set -euo pipefail
extras="ray sweep"
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

export PYTHONSAFEPATH=1 # import what is installed, not what lies where this was started
exec "$python" -m cinelex.core.entry cinelex.scripts.sweep "$@"
