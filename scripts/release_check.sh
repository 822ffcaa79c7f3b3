#!/usr/bin/env bash
# Try what would be released: build wheel and source distribution, install each in an environment of
# its own, and the wheel with each extra, train the quick start at toy size from the wheel, list the
# licences of all that the lock names, look for known holes.
#
#   bash scripts/release_check.sh [FOLDER]   keeps everything in FOLDER (default: dist/check)
#
# Needs a network, or a cache of packages. What cannot be checked here is said; the exit code is 1
# where something that was checked fails.
set -euo pipefail
extras="all"
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

out=$(mkdir -p "${1:-$root/dist/check}" && cd "${1:-$root/dist/check}" && pwd)
uv="$root/.venv/bin/uv"
failed=() unchecked=() started=$SECONDS
SKIPPED=77
say() { printf '[%4d s] %s\n' "$((SECONDS - started))" "$*"; }
check() {
  local what=$1
  shift
  local code=0
  "$@" || code=$?
  case $code in
    0) say "ok: $what" ;;
    "$SKIPPED") say "not checked: $what" && unchecked+=("$what") ;;
    *) say "FAILED: $what" && failed+=("$what") ;;
  esac
}

build() {
  rm -rf "$out"/dist && "$python" -m build --quiet --no-isolation --outdir "$out/dist" "$root" &&
    ls -l "$out"/dist
}

# A wheel that was made in another way than from the links must hold the rooms once, and no tests.
contents() {
  "$python" - "$out"/dist/*.whl <<'P'
import sys, zipfile
names = zipfile.ZipFile(sys.argv[1]).namelist()
tops = {name.split("/")[0] for name in names if ".dist-info" not in name}
assert tops == {"cinelex"}, tops
assert "cinelex/config/clip/multitask_config.yaml" in names
assert not [name for name in names if "/tests/" in name]
print(f"{len(names)} files, {sum(1 for name in names if name.endswith('.py'))} of them Python")
P
}

# install NAME FILE: into an environment of its own, and say how large it is and how long it took.
install() {
  local place=$out/$1 began=$SECONDS
  rm -rf "$place" && "$uv" venv --quiet --python "$python" "$place" &&
    "$uv" pip install --quiet --python "$place/bin/python" --constraints "$out/constraints.txt" "$2" &&
    say "$1: $(du -sm "$place" | cut -f1) MB in $((SECONDS - began)) s"
}

# Each extra beside the core, with what it adds to it; the environments go again.
extras_install() {
  local extra core
  core=$(du -sm "$out/wheel" | cut -f1)
  for extra in $(sed -n 's/^Provides-Extra: //p' \
    "$out"/wheel/lib/python*/site-packages/cinelex-*/METADATA); do
    install "$extra" "$(echo "$out"/dist/*.whl)[$extra]" || return 1
    say "  $extra: + $(($(du -sm "$out/$extra" | cut -f1) - core)) MB beside the core"
    rm -rf "${out:?}/$extra"
  done
}

quick_start() {
  local work=$out/work
  rm -rf "$work" && mkdir "$work" && cd "$work" && export PYTHONSAFEPATH=1 &&
    "$out/wheel/bin/cinelex" --version &&
    "$out/wheel/bin/cinelex" train --base_config config/clip/multitask_config.yaml \
      device=cpu threads=1 steps=6 batch=8 optimizer.warmup_steps=1 validate_every=0 \
      data.size=32 data.frames=4 data.stored_frames=8 model.width=32 model.dim=16 \
      'model.video_encoder.options.tubelet=[4,8,8]' data.synthetic.train=32 \
      data.synthetic.val=8 data.synthetic.test=12 evaluation.bootstrap=50 >"$out/quick_start.log" &&
    tail -n 4 "$out/quick_start.log" && test -s runs/multitask/report.html || return 1
  # so short a run is sick, and the doctor says so by 1
  local code=0
  "$out/wheel/bin/cinelex" doctor check runs/multitask >"$out/doctor.log" || code=$?
  [ "$code" -le 1 ]
}

sdist_works() {
  (cd "$out" && "$out/sdist/bin/cinelex" --help >/dev/null)
}

# What is released to others may not oblige them to more than naming it; LGPL libraries are linked.
licences() {
  "$python" -m piplicenses --python "$python" --from=mixed --format=csv --order=license \
    >"$out/licences.csv" &&
    "$python" - "$out/licences.csv" <<'P'
import csv, re, sys
rows = list(csv.DictReader(open(sys.argv[1], encoding="utf-8")))
strict = [row["Name"] for row in rows if re.search(r"(?<![L])A?GPL|(?<!Lesser )General Public", row["License"])
          and not re.search(r"LGPL|Lesser|with exceptions| OR | or ", row["License"])]
unknown = [row["Name"] for row in rows if row["License"] in ("UNKNOWN", "")]
print(f"{len(rows)} packages; GPL: {', '.join(strict) or 'none'}; says nothing: {', '.join(unknown) or 'none'}")
sys.exit(bool(strict))
P
}

audit() {
  local place
  place=$("$python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
  "$uv" tool run --quiet pip-audit --version >/dev/null 2>&1 || return "$SKIPPED"
  "$uv" tool run --quiet pip-audit --format json --path "$place" >"$out/audit.json" 2>"$out/audit.log" || true
  "$python" - "$out/audit.json" <<'P' || return $?
import json, sys
try:
    found = json.load(open(sys.argv[1], encoding="utf-8"))["dependencies"]
except (ValueError, KeyError):
    sys.exit(77)  # the service that lists known holes is not reached from here
audited = [one for one in found if "vulns" in one]
holes = [f"{one['name']} {hole['id']}" for one in audited for hole in one["vulns"]]
print(f"{len(audited)} of {len(found)} packages audited; known holes: {', '.join(holes) or 'none'}")
sys.exit(1 if holes else 0 if len(audited) > len(found) / 2 else 77)
P
}

container() {
  local builder
  for builder in podman docker buildah; do
    if "$builder" info >/dev/null 2>&1; then
      "$builder" build --file "$root/Containerfile" --tag cinelex:check "$root" >"$out/container.log" 2>&1
      return
    fi
  done
  return "$SKIPPED" # no builder answers here
}

"$python" - "$root/.venv/lock" >"$out/constraints.txt" <<'P'
import re, sys
lock = open(sys.argv[1], encoding="utf-8").read()
print("\n".join(re.findall(r"^([a-z0-9._-]+==[^\s\\]+(?: ; [^\\]+)?) \\", lock, re.M)))
P
check "wheel and source distribution are built" build
check "the wheel holds the package alone" contents
check "the wheel installs" install wheel "$(echo "$out"/dist/*.whl)"
check "the wheel installs with each extra" extras_install
check "the quick start runs from the wheel" quick_start
check "the source distribution installs" install sdist "$(echo "$out"/dist/*.tar.gz)"
check "the command of the source distribution answers" sdist_works
check "no dependency is under the GPL" licences
check "no dependency has a known hole" audit
check "the container is built" container

if ((${#failed[@]})); then
  printf 'error: %s\n' "$(printf '%s; ' "${failed[@]}")" >&2
  exit 1
fi
say "what was checked held${unchecked[0]:+; not checked here: $(printf '%s; ' "${unchecked[@]}")}; see $out"
