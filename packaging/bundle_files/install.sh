#!/bin/sh
# Installs TagSight from this folder into TARGET (default /opt/tagsight), without internet. Needs Python 3.11 or newer
# of the same version as the bundle was made with, and its venv module. PYTHON names another interpreter.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target=${1:-/opt/tagsight}
python=${PYTHON:-python3}

"$python" -m venv "$target"
"$target/bin/python" -m pip install --no-index --no-deps --require-hashes \
    --find-links "$here/wheels" --requirement "$here/requirements.txt"
"$target/bin/python" -m pip check
"$target/bin/tagsight" --version
echo "Installed in $target. As a service: $here/systemd/README.md"
