#compdef ginnel
# zsh completion for ginnel: `source <(ginnel completion zsh)`, or this file as
# _ginnel in a directory of $fpath.

_ginnel() {
    local -a lines choices
    local line
    lines=("${(@f)$(${(Q)words[1]/#\~/$HOME} complete -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
    if [[ $lines[1] == :files ]]; then
        compset -P '--*='
        _files
        return
    fi
    for line in "${(@)lines:#}"; do
        choices+=("${${line%%$'\t'*}//:/\\:}${${(M)line:#*$'\t'*}/#*$'\t'/:}")
    done
    _describe -t words word choices
}

if [[ ${funcstack[1]} == _ginnel ]]; then
    _ginnel "$@" # autoloaded, at the first completion
else
    compdef _ginnel ginnel
fi
