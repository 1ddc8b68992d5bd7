# fish completion for sipalert and sipalertd

set -l commands explain compare codes scan replay match formats status alarms top reload test-notify help

complete -c sipalert -f
complete -c sipalert -s c -r -F -d 'Configuration'
complete -c sipalert -l socket -r -F -d 'Control socket'
complete -c sipalert -l lang -x -a 'en ru vi' -d 'Language'
complete -c sipalert -l json -d 'Print JSON'
complete -c sipalert -s h -l help -d 'Help'
complete -c sipalert -s V -l version -d 'Version'

set -l none "not __fish_seen_subcommand_from $commands"
complete -c sipalert -n $none -a explain -d 'What a SIP status code means and what to do'
complete -c sipalert -n $none -a compare -d 'Two codes side by side'
complete -c sipalert -n $none -a codes -d 'The whole catalog of status codes'
complete -c sipalert -n $none -a scan -d 'Count the responses in log files'
complete -c sipalert -n $none -a replay -d 'When rules would have spoken in log files'
complete -c sipalert -n $none -a match -d 'Show what each line is taken for'
complete -c sipalert -n $none -a formats -d 'The log formats that are understood'
complete -c sipalert -n $none -a status -d 'The running daemon'
complete -c sipalert -n $none -a alarms -d 'The active alarms and what to do'
complete -c sipalert -n $none -a top -d 'The running daemon, live'
complete -c sipalert -n $none -a reload -d 'Make the daemon read its configuration again'
complete -c sipalert -n $none -a test-notify -d 'Send a test notification'
complete -c sipalert -n $none -a help -d 'How it is used'

complete -c sipalert -n '__fish_seen_subcommand_from explain compare' -a "(sipalert codes 2>/dev/null | cut -c1-3)"
complete -c sipalert -n '__fish_seen_subcommand_from codes' -l kind -x -d 'Only this kind' \
    -a "(sipalert codes --json 2>/dev/null | string replace -rf '.*\"kind\": \"(.*)\".*' '\$1' | sort -u)"
complete -c sipalert -n '__fish_seen_subcommand_from scan replay match' -F
complete -c sipalert -n '__fish_seen_subcommand_from scan match' -l format -x \
    -a "auto (sipalert formats 2>/dev/null | awk '/^[a-z]/ { print \$1 }')" -d 'Format'
complete -c sipalert -n '__fish_seen_subcommand_from scan match' -l xlog -x -d 'Template of replies received'
complete -c sipalert -n '__fish_seen_subcommand_from scan match' -l xlog-sent -x -d 'Template of replies sent'
complete -c sipalert -n '__fish_seen_subcommand_from scan match' -l regex -x -d 'Pattern'
complete -c sipalert -n '__fish_seen_subcommand_from scan' -l by -x -a 'code method peer source minute' -d 'Table by'
complete -c sipalert -n '__fish_seen_subcommand_from scan' -l plot -d 'Draw over time'
complete -c sipalert -n '__fish_seen_subcommand_from scan' -s j -x -d 'Threads'
complete -c sipalert -n '__fish_seen_subcommand_from replay' -l since -x -d 'From'
complete -c sipalert -n '__fish_seen_subcommand_from replay' -l until -x -d 'Before'
complete -c sipalert -n '__fish_seen_subcommand_from replay' -l source -x -d 'Whose logs'
complete -c sipalert -n '__fish_seen_subcommand_from replay' -l plot -d 'Draw over time'
complete -c sipalert -n '__fish_seen_subcommand_from match' -l missed -d 'Only what was missed'
complete -c sipalert -n '__fish_seen_subcommand_from top' -l every -x -d 'Seconds'

complete -c sipalertd -f
complete -c sipalertd -s c -r -F -d 'Configuration'
complete -c sipalertd -s t -d 'Check the configuration'
complete -c sipalertd -s T -d 'Print the configuration'
complete -c sipalertd -s v -d 'More log lines'
complete -c sipalertd -s V -d 'Version'
