#!/bin/sh
# Prints the command of the Python for .venv. That is $PYTHON if it is set, else the first suitable one that was built
# with optimizations, else the first suitable one. Messages go to standard error.
set -eu

# A build from source has PGO_PROF_USE_FLAG, and --enable-optimizations if it was asked for. Debian clears both.
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
    unoptimized = config("PGO_PROF_USE_FLAG") and "--enable-optimizations" not in config("CONFIG_ARGS")
    print("unoptimized" if unoptimized else "optimized")
'

if test -n "${PYTHON:-}"; then
  set -- "$PYTHON"
else
  set -- python3 python3.13 python3.12 python3.11 /usr/bin/python3
fi

found= unoptimized= no_venv=
for python in "$@"; do
  case $("$python" -c "$PROBE" 2>/dev/null || true) in
    optimized) found=$python; break ;;
    unoptimized) unoptimized=${unoptimized:-$python} ;;
    no_venv) no_venv=${no_venv:-$python} ;;
  esac
done

if test -n "$found"; then
  if test -n "$unoptimized"; then
    echo "$found is used, because $unoptimized was built without optimizations. 'make PYTHON=$unoptimized ...' uses it anyway." >&2
  fi
  echo "$found"
elif test -n "$unoptimized"; then
  echo "$unoptimized was built without optimizations: everything takes longer. docs/development.md says how much." >&2
  echo "$unoptimized"
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
