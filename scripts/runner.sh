#!/usr/bin/env bash
# Run one config: set up the environment if need be, start one process or several, pass the rest on.
#
#   bash scripts/runner.sh --base_config config/clip/multitask_config.yaml [key.path=value ...]
#     --selected_gpus 0,1,2   one process on each of these GPUs
#     --processes N           N processes on the CPU
#     everything else         see --help of scripts/main.py
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

gpus="" processes="" rest=()
while (($#)); do
  case $1 in
    --selected_gpus | --processes)
      (($# >= 2)) || fail "$1 needs a value"
      if [ "$1" = --processes ]; then processes=$2; else gpus=$2; fi
      shift 2
      ;;
    --selected_gpus=*) gpus=${1#*=} && shift ;;
    --processes=*) processes=${1#*=} && shift ;;
    *) rest+=("$1") && shift ;;
  esac
done

if [ -n "$gpus" ]; then
  [[ $gpus =~ ^[A-Za-z0-9/-]+(,[A-Za-z0-9/-]+)*$ ]] || fail "--selected_gpus must be like 0,1,2, got '$gpus'"
  [ -z "$processes" ] || fail "--selected_gpus and --processes exclude each other"
  [ -z "$(tr , '\n' <<<"$gpus" | sort | uniq -d)" ] || fail "--selected_gpus names a GPU twice: '$gpus'"
  export CUDA_VISIBLE_DEVICES=$gpus
  commas=${gpus//[^,]/}
  processes=$((${#commas} + 1))
elif [ -n "$processes" ]; then
  [[ $processes =~ ^[1-9][0-9]{0,3}$ ]] || fail "--processes must be a positive number, got '$processes'"
  export CUDA_VISIBLE_DEVICES=""
fi

export PYTHONSAFEPATH=1 # import what is installed, not what lies where this was started
if ((${processes:-1} == 1)); then
  exec "$python" -m cinelex.core.entry cinelex.scripts.main ${rest[@]+"${rest[@]}"}
fi
exec "$python" -m cinelex.core.entry cinelex.scripts.launch --processes "$processes" ${rest[@]+"${rest[@]}"}
