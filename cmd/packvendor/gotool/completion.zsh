# zsh completion for go tool packvendor

__packvendor_go_tool() {
    local at=3 directive last line value
    local -a out given offered
    while [[ $words[at] == -* ]]; do (( at++ )); done
    if [[ $words[2] != tool || $words[at] != packvendor || $CURRENT -le $at ]]; then
        ${__packvendor_go_before:-_default} "$@"
        return
    fi
    given=("${(@Q)words[at+1,CURRENT]}")
    out=("${(@f)$(command go "${(@Q)words[2,at]}" __complete "${(@)given}" 2>/dev/null)}") || return
    directive=${out[-1]#:}
    last=$given[-1]
    [[ $last == -*=* ]] && last=${last#*=} && compset -P '*='
    for line in "${(@)out[1,-2]}"; do
        value=${line%%$'\t'*}
        [[ $value == "$last"* ]] && offered+=("${value//:/\\:}${${line#$value}/$'\t'/:}")
    done
    if (( directive & 16 )); then
        _files -/
    elif (( directive & 8 )) || (( $#offered == 0 && (directive & 4) == 0 )); then
        _files
    elif (( directive & 2 )); then
        _describe packvendor offered -S ''
    else
        _describe packvendor offered
    fi
}

(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
if [[ -n $_comps[go] && $_comps[go] != __packvendor_go_tool ]]; then
    __packvendor_go_before=$_comps[go]
fi
compdef __packvendor_go_tool go
