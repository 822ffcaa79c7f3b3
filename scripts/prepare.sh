#!/usr/bin/env bash
# Make a data set of a hospital's folder of DICOM files, or go on with one.
#
#   bash scripts/prepare.sh --dicom FOLDER [--reports FILE] --out DATASET [--part 3/16] [key=value ...]
#   bash scripts/prepare.sh --demo    shows all of it on a synthetic hospital, in minutes
#
#   everything else: see --help of scripts/prepare.py
set -euo pipefail
extras="dicom"
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

export PYTHONSAFEPATH=1 # import what is installed, not what lies where this was started
exec "$python" -m cinelex.core.entry cinelex.scripts.prepare "$@"
