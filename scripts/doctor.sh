#!/usr/bin/env bash
# Ask the doctor about a run, logs, a write-up, predictions or weights; sets up the environment.
#
#   bash scripts/doctor.sh check runs/<name> [--reference runs/<other>]
#   bash scripts/doctor.sh logs wandb_export_*.csv [--out FOLDER]
#   bash scripts/doctor.sh claims RESULTS.md runs/<name>
#   bash scripts/doctor.sh predictions TABLE --manifest MANIFEST [--score P=Y] [--text T]
#   bash scripts/doctor.sh weights runs/<name> [contrastive=0.6 captioning=0.4]
set -euo pipefail
extras="logs"
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

export PYTHONSAFEPATH=1 # import what is installed, not what lies where this was started
exec "$python" -m cinelex.core.entry cinelex.doctor.__main__ "$@"
