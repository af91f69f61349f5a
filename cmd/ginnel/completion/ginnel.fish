# fish completion for ginnel: `ginnel completion fish | source`.

function __ginnel_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l lines (command $words[1] complete -- $words[2..-1] 2>/dev/null)
    if test "$lines[1]" = :files
        set -l option (string match -r '^--[^=]*=' -- $words[-1])
        for file in (__fish_complete_path (string replace -r '^--[^=]*=' '' -- $words[-1]))
            printf '%s\n' "$option$file"
        end
    else if set -q lines[1]
        printf '%s\n' $lines
    end
end

complete -c ginnel -f -a '(__ginnel_complete)'
