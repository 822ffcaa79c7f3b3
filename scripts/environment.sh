# Sourced by the other scripts: makes .venv hold this project and what of requirements.lock the core
# and the extras in $extras need, once; "all" is the whole lock. What was asked for earlier stays.
# Sets: root (the project's folder), python (its interpreter), OMP_WAIT_POLICY. Needs Python >= 3.11 only.
# shellcheck shell=bash

root=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python="$root/.venv/bin/python"

# Ends the script with one line that says what is wrong and what to do.
fail() {
  printf 'error: %s\n' "$*" >&2
  exit 2
}

# What the environment was made from; it has to be made again when any of it changes.
ingredients() {
  printf '%s\n' "$root"
  cat "$root/requirements.lock" "$root/pyproject.toml" "$root/setup.py" "$root/scripts/lock_part.py"
}

# Prints the extras that are installed, and those that are asked for now, each once.
wanted_extras() {
  { cat "$root/.venv/extras" 2>/dev/null || true; printf '%s\n' ${extras:-}; } | sed '/^$/d' | sort -u
}

environment_is_current() {
  [ -x "$python" ] && ingredients | cmp -s - "$root/.venv/made_from" &&
    wanted_extras | cmp -s - "$root/.venv/extras"
}

find_python() {
  local candidate
  for candidate in python3 python3.13 python3.12 python3.11 python; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
      "$candidate" -c 'import sys; print(sys.executable)'
      return
    fi
  done
  fail "no Python 3.11 or newer on PATH; install one and run this again"
}

# Prints the uv to use: the one on PATH, or the locked one in a folder of its own.
find_uv() {
  local base_python=$1
  if uv --version >/dev/null 2>&1; then
    command -v uv
    return
  fi
  if ! "$root/.uv/bin/uv" --version >/dev/null 2>&1; then
    "$base_python" -m pip --version >/dev/null 2>&1 ||
      fail "$base_python has neither pip nor uv; install either (on Debian: python3-pip) and run this again"
    rm -rf "$root/.uv" && mkdir -p "$root/.uv"
    awk '/^uv==/ {on = 1} on {print} on && !/\\$/ {exit}' "$root/requirements.lock" >"$root/.uv/lock"
    PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1 "$base_python" -m pip install \
      --quiet --no-deps --require-hashes --only-binary :all: \
      --target "$root/.uv" --requirement "$root/.uv/lock" >&2 ||
      fail "uv could not be installed; see the lines above"
  fi
  printf '%s\n' "$root/.uv/bin/uv"
}

make_environment() {
  local base_python uv chosen quiet=()
  environment_is_current && return # another process made it while this one waited
  base_python=$(find_python) || exit 2
  uv=$(find_uv "$base_python") || exit 2
  [ -t 2 ] || quiet=(--quiet)
  chosen=$(wanted_extras)
  printf 'setting up %s/.venv, once (%s; about 5.5 GB, of which 5 are torch and its GPU libraries)\n' \
    "$root" "core${chosen:+, }${chosen//$'\n'/, }" >&2
  export UV_PYTHON_DOWNLOADS=never UV_HTTP_TIMEOUT="${UV_HTTP_TIMEOUT:-300}"
  rm -f "$root/.venv/made_from" "$root/.venv/lock"
  if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
    rm -rf "$root/.venv"
    "$uv" venv --quiet --python "$base_python" "$root/.venv" >&2 ||
      fail "the virtual environment could not be made; see the lines above"
  fi
  # shellcheck disable=SC2086 # one word for each extra
  "$base_python" "$root/scripts/lock_part.py" "$root/requirements.lock" "$root/pyproject.toml" \
    $chosen >"$root/.venv/lock" || fail "requirements.lock could not be read"
  "$uv" pip sync ${quiet[@]+"${quiet[@]}"} --python "$python" --require-hashes \
    --build-constraints "$root/requirements.lock" "$root/.venv/lock" >&2 &&
    "$uv" pip install --quiet --python "$python" --no-deps --no-build-isolation \
      --editable "$root" >&2 ||
    fail "the packages could not be installed; see the lines above, then run this again"
  printf '%s\n' "$chosen" | sed '/^$/d' >"$root/.venv/extras"
  ingredients >"$root/.venv/made_from"
}

if ! environment_is_current; then
  # The lock is released with the subshell; two starts at once make one environment.
  (
    if command -v flock >/dev/null; then
      flock 9
    fi
    make_environment
  ) 9>"$root/.venv.lock" || exit 2
fi

# Threads that wait for one another sleep: beside other work, spinning ones hold the core that the
# thread they wait for needs (benchmarks/results.md).
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-PASSIVE}"
