#!/bin/sh
# Prints the command of the Python for .venv: $PYTHON, or the first suitable one that was built with optimizations,
# or the first suitable one. Messages go to standard error.
set -eu

# Builds with optimizations say so, or, as Debian's, do not say how they were configured. `pyenv install` makes none.
PROBE='
import sys, sysconfig

config = sysconfig.get_config_var
if not (3, 11, 2) <= sys.version_info < (3, 14):
    sys.exit(1)
try:
    import ensurepip, venv
except ImportError:
    print("no_venv")
else:
    plain = config("PGO_PROF_USE_FLAG") and "--enable-optimizations" not in config("CONFIG_ARGS")
    print("plain" if plain else "optimized")
'

if test -n "${PYTHON:-}"; then
  set -- "$PYTHON"
else
  set -- python3 python3.13 python3.12 python3.11 /usr/bin/python3
fi

found= plain= no_venv=
for python in "$@"; do
  case $("$python" -c "$PROBE" 2>/dev/null || true) in
    optimized) found=$python; break ;;
    plain) plain=${plain:-$python} ;;
    no_venv) no_venv=${no_venv:-$python} ;;
  esac
done

if test -n "$found"; then
  if test -n "$plain"; then
    echo "$found is used, because $plain was built without optimizations. 'make PYTHON=$plain ...' uses it anyway." >&2
  fi
  echo "$found"
elif test -n "$plain"; then
  echo "$plain was built without optimizations: everything takes longer. docs/development.md says how much." >&2
  echo "$plain"
elif test -n "$no_venv"; then
  echo "$no_venv has no venv module. On Debian and Ubuntu: apt install python3-venv" >&2
  exit 1
elif test -n "${PYTHON:-}"; then
  echo "PYTHON=$PYTHON is not Python 3.11 (from 3.11.2), 3.12 or 3.13." >&2
  exit 1
else
  echo 'Python 3.11 (from 3.11.2), 3.12 or 3.13 is needed, and none was found. PYTHON=/path/to/python make ... names one.' >&2
  exit 1
fi
