#!/usr/bin/env bash
# Ask the doctor about exported logs, a write-up or a run's loss weights; sets up the environment if need be.
#
#   bash scripts/doctor.sh logs wandb_export_*.csv [--out FOLDER]
#   bash scripts/doctor.sh claims RESULTS.md runs/<name>
#   bash scripts/doctor.sh weights runs/<name> [contrastive=0.6 captioning=0.4]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

# Import this project's folders, not whatever lies where this was started or is installed.
export PYTHONSAFEPATH=1 PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}"
exec "$python" -m doctor "$@"
