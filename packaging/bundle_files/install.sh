#!/bin/sh
# Installs TagSight from this folder, without internet. Data and configuration lie elsewhere and are not touched.
#   sh install.sh [TARGET]                              default /opt/tagsight
#   PYTHON=/usr/bin/python3.11 sh install.sh [TARGET]   with another Python
# An installation that is there is replaced, and kept as TARGET.previous; if anything fails, it comes back.
set -eu
umask 022  # the account of the service must read what root installs
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python3}
target=${1:-/opt/tagsight}
case $target in /*) ;; *) target=$PWD/$target ;; esac
target=${target%/}
kept=$target.previous
export PIP_CONFIG_FILE=/dev/null  # no settings of this machine: they could name an index

fail() {
    echo "error: $*" >&2
    exit 1
}

command -v "$python" >/dev/null || fail "there is no $python; name one: PYTHON=/usr/bin/python3.11 sh install.sh"
"$python" -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11))' || fail "$python is $("$python" -V 2>&1)," \
    "TagSight needs Python 3.11 or newer; name another: PYTHON=/usr/bin/python3.11 sh install.sh"
"$python" -I "$here/check_machine.py" "$target" || exit 1
if [ -e "$target" ] && ! { [ -f "$target/pyvenv.cfg" ] && [ -e "$target/bin/tagsight" ]; }; then
    fail "$target exists and is no installation of TagSight; remove it, or name another folder"
fi
if [ -e "$target" ] && systemctl is-active --quiet tagsight 2>/dev/null &&
    systemctl show --property=ExecStart tagsight | grep -qF "$target/"; then
    fail "the service runs from $target; stop it first: systemctl stop tagsight"
fi

replaced=no
undo() {
    rm -rf "$target"
    if [ $replaced = yes ]; then mv "$kept" "$target"; fi
    echo "error: not installed; everything is as it was" >&2
}
trap 'exit 1' HUP INT TERM
trap undo EXIT
if [ -e "$target" ]; then
    rm -rf "$kept"
    mv "$target" "$kept"
    replaced=yes
fi
"$python" -I -m venv "$target"
"$target/bin/python" -I -m pip --isolated --disable-pip-version-check install --quiet --no-cache-dir --no-index --no-deps \
    --require-hashes --find-links "$here/wheels" --requirement "$here/requirements.txt"
"$target/bin/python" -I -m pip --isolated check
"$target/bin/tagsight" --version
trap - EXIT
echo "Installed in $target. To see it work: $target/bin/tagsight demo --once"
echo "As a service: $here/packaging/systemd/README.md"
