# bash completion for go tool packvendor

__packvendor_go_tool() {
    local line=${COMP_LINE:0:COMP_POINT} at=2 words=() out directive last value IFS=$' \t\n'
    read -ra words <<<"$line"
    [[ $line == *[[:blank:]] ]] && words+=("")
    while [[ ${words[at]} == -* ]]; do ((at++)); done
    if [[ ${words[1]} != tool || ${words[at]} != packvendor ]] || ((${#words[@]} <= at + 1)); then
        __packvendor_go_other "$@"
        return
    fi
    out=$(command go "${words[@]:1:at}" __complete "${words[@]:at+1}" 2>/dev/null) || return
    directive=${out##*:}
    last=${words[${#words[@]}-1]}
    [[ $last == -*=* ]] && last=${last#*=}
    COMPREPLY=()
    while IFS=$'\t' read -r value _; do
        [[ $value == "$last"* ]] && COMPREPLY+=("$value")
    done <<<"${out%:*}"
    if ((directive & 16)); then
        compopt -o dirnames
    elif ((directive & 8)) || ((${#COMPREPLY[@]} == 0 && (directive & 4) == 0)); then
        compopt -o default
        COMPREPLY=()
    fi
    ((directive & 2)) && compopt -o nospace
    return 0
}

# __packvendor_go_other does what was done for go before.
__packvendor_go_other() {
    if [[ -n $__packvendor_go_before ]]; then
        "$__packvendor_go_before" "$@"
    else
        compopt -o default
    fi
}

if [[ $(complete -p go 2>/dev/null) =~ \ -F\ ([^ ]+)\  && ${BASH_REMATCH[1]} != __packvendor_go_tool ]]; then
    __packvendor_go_before=${BASH_REMATCH[1]}
fi
complete -F __packvendor_go_tool go
