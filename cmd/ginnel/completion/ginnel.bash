# shellcheck shell=bash
# bash completion for ginnel: `source <(ginnel completion bash)`.

_ginnel() {
    local current=${COMP_WORDS[COMP_CWORD]} words=() word line prefix i
    for ((i = 1; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        # bash takes words apart at = and :, which may be within ours.
        if ((${#words[@]} > 0)) && [[ $word == [=:]* || ${COMP_WORDS[i - 1]} == *[=:] ]]; then
            words[-1]+=$word
        else
            words+=("$word")
        fi
    done
    [[ $current == [=:]* ]] && current=
    prefix=${words[-1]%"$current"} # what readline leaves alone
    COMPREPLY=()
    while IFS=$'\t' read -r line _; do
        if [[ $line == :files ]]; then
            compopt -o filenames 2>/dev/null
            mapfile -t COMPREPLY < <(compgen -f -- "$current")
        else
            COMPREPLY+=("${line#"$prefix"}")
        fi
    done < <("${1/#\~/$HOME}" complete -- "${words[@]}" 2>/dev/null)
}

complete -F _ginnel ginnel
