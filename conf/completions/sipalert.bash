# bash completion for sipalert and sipalertd

_sipalert()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} word command= i
    local commands="explain compare codes scan replay match formats status alarms top reload test-notify help"
    local format="--format --xlog --xlog-sent --regex"

    case $prev in
    -c) COMPREPLY=($(compgen -f -- "$cur")) && return ;;
    --socket) COMPREPLY=($(compgen -f -- "$cur")) && return ;;
    --lang) COMPREPLY=($(compgen -W "en ru vi" -- "$cur")) && return ;;
    --format) COMPREPLY=($(compgen -W "auto $(sipalert formats 2>/dev/null | awk '/^[a-z]/ { print $1 }')" -- "$cur")) && return ;;
    --by) COMPREPLY=($(compgen -W "code method peer source minute" -- "$cur")) && return ;;
    --kind) COMPREPLY=($(compgen -W "$(sipalert codes --json 2>/dev/null | sed -n 's/.*"kind": "\(.*\)".*/\1/p' | sort -u)" -- "$cur")) && return ;;
    --xlog | --xlog-sent | --regex | --every | -j) return ;;
    esac
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        -c | --socket | --lang) ((i++)) ;;
        -*) ;;
        *) command=${COMP_WORDS[i]} && break ;;
        esac
    done
    case $command in
    "") COMPREPLY=($(compgen -W "$commands -c --socket --lang --json --help --version" -- "$cur")) ;;
    explain | compare) COMPREPLY=($(compgen -W "$(sipalert codes 2>/dev/null | cut -c1-3) --json --lang --help" -- "$cur")) ;;
    codes) COMPREPLY=($(compgen -W "--kind --json --help" -- "$cur")) ;;
    scan)
        case $cur in
        -*) COMPREPLY=($(compgen -W "$format --by --plot -j --json --help" -- "$cur")) ;;
        *) COMPREPLY=($(compgen -f -- "$cur")) ;;
        esac
        ;;
    replay)
        case $cur in
        -*) COMPREPLY=($(compgen -W "--since --until --source --plot --json --help" -- "$cur")) ;;
        *) COMPREPLY=($(compgen -f -- "$cur")) ;;
        esac
        ;;
    match)
        case $cur in
        -*) COMPREPLY=($(compgen -W "$format --missed --json --help" -- "$cur")) ;;
        *) COMPREPLY=($(compgen -f -- "$cur")) ;;
        esac
        ;;
    top) COMPREPLY=($(compgen -W "--every --json --help" -- "$cur")) ;;
    *) COMPREPLY=($(compgen -W "--json --help" -- "$cur")) ;;
    esac
}

_sipalertd()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}

    case $prev in
    -c) COMPREPLY=($(compgen -f -- "$cur")) ;;
    *) COMPREPLY=($(compgen -W "-c -t -T -v -V --help" -- "$cur")) ;;
    esac
}

complete -o filenames -F _sipalert sipalert
complete -o filenames -F _sipalertd sipalertd
