# fish completion for go tool packvendor

# __packvendor_go_tool_at prints which word of the command line is packvendor.
function __packvendor_go_tool_at
    set -l words (commandline -opc)
    test (count $words) -ge 3; and test $words[2] = tool; or return 1
    for at in (seq 3 (count $words))
        switch $words[$at]
            case packvendor
                echo $at
                return 0
            case '-*'
            case '*'
                return 1
        end
    end
    return 1
end

function __packvendor_go_tool
    set -l at (__packvendor_go_tool_at); or return
    set -l words (commandline -opc) (commandline -ct)
    set -l last $words[-1]
    set -l out (command go $words[2..$at] __complete $words[(math $at + 1)..-1] 2>/dev/null); or return
    set -l directive (string replace ':' '' -- $out[-1])
    set -l flag (string match -r -- '^-[^=]*=' $last)
    set -l value (string replace -- "$flag" '' $last)
    set -l offered (string match -e -r -- '^'(string escape --style=regex -- $value) $out | string match -v -r '^:\d+$')
    test -n "$offered"; and string replace -r -- '^' "$flag" $offered
    if test (math "floor($directive / 8) % 4") -gt 0; or test -z "$offered" -a (math "floor($directive / 4) % 2") -eq 0
        __fish_complete_path $value | string replace -r -- '^' "$flag"
    end
end

complete -c go -n '__packvendor_go_tool_at >/dev/null' -f -a '(__packvendor_go_tool)'
