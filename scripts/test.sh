#!/usr/bin/env bash
# Check everything: lint, format, import direction, types, documents, tests.
#
#   bash scripts/test.sh                  all of it
#   bash scripts/test.sh --quick          the loop of daily work: no documents, and none of the tests
#                                         marked slow, which train a run or start processes
#   bash scripts/test.sh -k contrastive   other arguments go to pytest
set -euo pipefail
extras="all"
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
cd "$root"

quick="" tests=()
if [ "${1:-}" = --quick ]; then
  quick=1 tests=(-m "not slow") && shift
fi

# A process of tests for each core, and one thread for each of these. What Python compiles is kept,
# whatever the shell asks for: else each process that a test starts compiles all its libraries again.
export OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=
tests=(-n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder ${tests[@]+"${tests[@]}"})

bin="$root/.venv/bin" failed=()
check() {
  printf '== %s\n' "$*"
  "$@" || failed+=("${*#"$bin/"}")
}

beside=$(mktemp -d)
trap 'rm -rf "$beside"' EXIT
# Types and documents are looked at while the first tests run.
(
  check "$bin/mypy"
  [ -n "$quick" ] || NO_MKDOCS_2_WARNING=1 check "$bin/python" -m mkdocs build --strict
  printf '%s\n' ${failed[@]+"${failed[@]}"} >"$beside/failed"
) >"$beside/said" 2>&1 &

check "$bin/ruff" check .
check "$bin/ruff" format --check .
check "$bin/lint-imports" --no-logo
check "$bin/pytest" -q "${tests[@]}" "$@"
wait
cat "$beside/said"
while IFS= read -r command; do
  [ -z "$command" ] || failed+=("$command")
done <"$beside/failed"

if ((${#failed[@]})); then
  printf 'error: failed: %s\n' "$(printf '%s; ' "${failed[@]}")" >&2
  exit 1
fi
printf 'all checks passed\n'
