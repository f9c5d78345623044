# Completes the words of `pictory` in bash 4.4 or later. What may stand there, the program itself says.

_pictory() {
  local rest=${COMP_LINE:0:COMP_POINT} word way='' kept='' breaks
  local -a words=()
  local -i i
  COMPREPLY=()
  # bash also cuts words at = and at colons. What stands together is one word for the program.
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if ((i == 0)) || [[ $rest == [[:blank:]]* ]]; then
      words+=('')
      rest=${rest#"${rest%%[![:blank:]]*}"}
    fi
    ((i < COMP_CWORD)) || word=$rest  # what is typed of it before the cursor
    words[-1]+=$word
    rest=${rest#"$word"}
  done
  # It replaces only what comes after them.
  breaks=${COMP_WORDBREAKS//[^:=]/}
  [[ -z $breaks ]] || kept=${words[-1]} kept=${kept%"${kept##*["$breaks"]}"}

  while IFS=$'\t' read -r word _; do
    if [[ -z $way ]]; then
      way=$word
    else
      COMPREPLY+=("${word#"$kept"}")
    fi
  done < <(command "${words[0]}" __complete "${words[@]:1}" </dev/null 2>/dev/null)
  compopt -o nosort
  [[ $way == files ]] || return 0
  if ((${#COMPREPLY[@]} == 0)); then
    compopt -o default
  else
    compopt -o filenames
    mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "${words[-1]#"$kept"}")
  fi
}

complete -F _pictory pictory
