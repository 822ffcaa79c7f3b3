#!/usr/bin/env bash
# List, show and compare finished runs; sets up the environment if need be.
#
#   bash scripts/runs.sh list [--folder runs]
#   bash scripts/runs.sh show runs/<name>
#   bash scripts/runs.sh diff runs/<name> runs/<other>
#   bash scripts/runs.sh compare --first runs/a-seed* --second runs/b-seed* [--by recall_at_1]
#   bash scripts/runs.sh leaderboard [--by recall_at_1]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

export PYTHONSAFEPATH=1 # import what is installed, not what lies where this was started
exec "$python" -m cinelex.core.entry cinelex.scripts.finished_runs.command "$@"
