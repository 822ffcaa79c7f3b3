#!/usr/bin/env bash
# Check everything: lint, format, types, import direction, tests. Arguments go to pytest.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
cd "$root"

failed=()
check() {
  printf '== %s\n' "$*"
  "$@" || failed+=("$(basename "$1")")
}

bin="$root/.venv/bin"
check "$bin/ruff" check .
check "$bin/ruff" format --check .
check "$bin/mypy"
check "$bin/lint-imports" --no-logo
NO_MKDOCS_2_WARNING=1 check "$bin/python" -m mkdocs build --strict
check "$bin/pytest" -q "$@"

if ((${#failed[@]})); then
  printf 'error: failed: %s\n' "${failed[*]}" >&2
  exit 1
fi
printf 'all checks passed\n'
