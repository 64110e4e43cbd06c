#!/bin/sh
# leakstop shim 2. It runs leakstop under the name of this hook, then the hook that was here before, if any.
# `leakstop install` writes it and `leakstop uninstall` takes it away. By hand: copy it under a hook's name, make it
# executable, and have leakstop on the PATH.
leakstop='@LEAKSTOP@'

hook=${0##*/}
hook=${hook%.legacy} # pre-commit and prek move a hook aside under this name and go on calling it
hook=${hook%.old}
before=${0%/*}/$hook.before-leakstop

if ! [ -x "$leakstop" ]; then
  # On a server the environment may be the pusher's: there only the installed program will do.
  case $hook in pre-receive | update) found= ;; *) found=$(command -v leakstop) ;; esac
  if [ -z "$found" ]; then
    echo "leakstop: error: the program is gone ($leakstop), so nothing was checked and nothing passes" >&2
    echo "  try: install leakstop again and run 'leakstop install', or remove the hook $0" >&2
    exit 2
  fi
  leakstop=$found
fi

# A hook manager that runs this shim may be the very hook that stands in $before: do not go round in circles. On a server the
# variable may as well come from a pusher who would like to be rid of the hook in $before.
if [ "$LEAKSTOP_CHAINED" = "$before" ]; then
  case $hook in pre-receive | update)
    echo "leakstop: error: LEAKSTOP_CHAINED names $before: that hook calls this one again, or the pusher set it; nothing passes" >&2
    exit 2
    ;;
  esac
fi
if ! [ -x "$before" ] || [ "$LEAKSTOP_CHAINED" = "$before" ]; then
  exec "$leakstop" hook "$hook" "$@"
fi

case $hook in
pre-push | pre-receive)
  # Both want the same input; the dot keeps the final newlines.
  input=$(cat && echo .) || exit 2
  input=${input%.}
  printf %s "$input" | "$leakstop" hook "$hook" "$@" || exit
  printf %s "$input" | LEAKSTOP_CHAINED=$before "$before" "$@"
  ;;
*)
  "$leakstop" hook "$hook" "$@" || exit
  LEAKSTOP_CHAINED=$before exec "$before" "$@"
  ;;
esac
