# Completes the words of `pictory` in fish. What may stand there, the program itself says.

function __pictory_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program $words[1]
    set -e words[1]
    set -l lines (command $program __complete $words "$current" </dev/null 2>/dev/null)
    set -g __pictory_way $lines[1]
    set -g __pictory_line (commandline -cp)
    set -e lines[1]
    string join \n -- $lines
end

# Whether no file is meant, which the other rule has learned for the same line, if it came first.
function __pictory_no_files
    test "$__pictory_line" = (commandline -cp | string collect)
    or __pictory_complete >/dev/null
    test "$__pictory_way" != files
end

complete -c pictory -k -a '(__pictory_complete)'
complete -c pictory -n __pictory_no_files -f
