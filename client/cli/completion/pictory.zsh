#compdef pictory
# Completes the words of `pictory` in zsh. What may stand there, the program itself says.

_pictory() {
  local line
  local -a lines values shown
  lines=("${(@f)$(command "${(Q)words[1]}" __complete "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" </dev/null 2>/dev/null)}")
  for line in "${(@)lines[2,-1]}"; do
    values+=("${line%%$'\t'*}")
    shown+=("${line/$'\t'/  }")
  done
  local -i added=1
  if (( $#values )); then
    compadd -l -V pictory -d shown -a values
    added=$?
  fi
  if [[ $lines[1] == files ]]; then
    [[ $PREFIX != --*=* ]] || compset -P '*='
    _files && added=0
  fi
  return added
}

if [[ $funcstack[1] == _pictory ]]; then
  _pictory "$@"
else
  compdef _pictory pictory
fi
