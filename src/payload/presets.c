#include "presets.h"
#include "lang.h"

#define RECORD(function)  .kind = SA_PART_RECORD, .parse = function
#define MESSAGE(of)       .kind = SA_PART_MESSAGE, .family = of
#define PATTERN(template) .kind = SA_PART_PATTERN, .xlog = template

const struct sa_preset sa_presets[] = {
    {"kamailio-acc", RECORD(sa_payload_acc), .automatic = true, .proxy = SA_PROXY_KAMAILIO,
     .literal = "transaction answered: ",
     .description = N_("acc module of Kamailio: one line for each answered transaction"),
     .sample = "NOTICE: acc [acc.c:279]: acc_log_request(): ACC: transaction answered: "
               "timestamp=1604565560;method=BYE;…;code=200;…"},
    {"opensips-acc", RECORD(sa_payload_acc), .automatic = true, .proxy = SA_PROXY_OPENSIPS,
     .literal = "transaction answered: ",
     .description = N_("acc module of OpenSIPS: one line for each answered transaction"),
     .sample = "NOTICE:ACC: transaction answered: timestamp=1474540760;method=BYE;…;code=400;reason=Reason"},
    {"kamailio-xlog", PATTERN("[$ci] $rs $rr from $si:$sp method $rm"), .automatic = true,
     .description = N_("the recommended xlog line for a reply route"),
     .sample = "INFO: <script>: [1-46@192.0.2.2] 302 Moved Temporarily from 192.0.2.5:5080 method INVITE"},
    {"kamailio-sipdump", MESSAGE(&sa_message_family_sipdump), .automatic = true,
     .description = N_("text files of Kamailio's sipdump module"), .sample = "tag: rcv"},
    {"opensips-tracer", MESSAGE(&sa_message_family_tracer), .automatic = true,
     .description = N_("text files of OpenSIPS' tracer module"),
     .sample = "in udp 2026-11-20 16:44:04 192.0.2.2:5062 -> 192.0.2.1:5060"},
    {"asterisk-pjsip", MESSAGE(&sa_message_family_pjsip), .automatic = true,
     .description = N_("PJSIP logger of Asterisk (pjsip set logger on)"),
     .sample = "<--- Received SIP response (648 bytes) from UDP:192.0.2.5:5060 --->"},
    {"asterisk-chan-sip", MESSAGE(&sa_message_family_chan_sip), .automatic = true,
     .description = N_("chan_sip debug of Asterisk up to 20 (sip set debug on)"),
     .sample = "<--- SIP read from UDP:192.0.2.5:5060 --->"},
    {"asterisk-got-response", RECORD(sa_payload_got_response), .automatic = true,
     .literal = "Got SIP response ",
     .description = N_("chan_sip of Asterisk without debug: failures that came back"),
     .sample = "-- Got SIP response 503 \"Service Unavailable\" back from 192.0.2.5:5060"},
    {"sofia", MESSAGE(&sa_message_family_sofia), .automatic = true,
     .description = N_("sofia-sip trace of FreeSWITCH, drachtio and Flexisip"),
     .sample = "recv 584 bytes from udp/[192.0.2.5]:5090 at 12:30:57.916812:"},
    {"flexisip", RECORD(sa_payload_flexisip), .automatic = true, .literal = "> --> ",
     .description = N_("Flexisip's event log of calls"),
     .sample = "Fri Nov 20 16:46:06 2026: <sip:a@example.org> --> <sip:b@example.org> 404 Not Found"},
    {"oracle-sipmsg", MESSAGE(&sa_message_family_oracle), .automatic = true,
     .description = N_("sipmsg.log of Oracle and Acme Packet session border controllers"),
     .sample = "Mar  6 13:34:49.516 On [6:0]192.0.2.1:5060 received from 192.0.2.5:5060"},
    {"audiocodes", MESSAGE(&sa_message_family_audiocodes), .automatic = true,
     .description = N_("syslog of AudioCodes session border controllers"),
     .sample = "[S=7] [SID=2ed1c8:96:5]  (N  9) ---- Incoming SIP Message from 192.0.2.5:5060 to "
               "SIPInterface #0 (SBC) UDP ----"},
    {"cisco-ccsip", MESSAGE(&sa_message_family_ccsip), .automatic = true,
     .description = N_("debug ccsip messages of Cisco CUBE"),
     .sample = "661105: Dec  9 07:18:47.029: //2113420/C544D4800002/SIP/Msg/ccsipDisplayMsg:"},
    {"sippy", MESSAGE(&sa_message_family_sippy), .automatic = true, .description = N_("Sippy B2BUA"),
     .sample = "16 Sep 07:42:42.107/GLOBAL/b2bua: RECEIVED message from udp:192.0.2.5:5060:"},
    {"portaone", MESSAGE(&sa_message_family_portaone), .automatic = true,
     .description = N_("PortaSIP edge proxy"),
     .sample = "2018-10-31T14:38:49.293806Z|edgeproxy[4783]|a@b|IS|981| RECEIVED message from "
               "UDP:192.0.2.5:5061 at UDP:192.0.2.1:5060:"},
    {"repro", RECORD(sa_payload_repro), .automatic = true,
     .literal = "SipResp: ", .description = N_("reSIProcate's repro"),
     .sample = "DEBUG | 20130211-160354.045 | repro | RESIP | 140 | SipStack.cxx:543 | RECV: SipResp: 489 "
               "tid=8 cseq=1 SUBSCRIBE / 1 from(wire)"},
    {"yate", MESSAGE(&sa_message_family_yate), .automatic = true, .description = N_("SIP trace of Yate"),
     .sample = "'udp:0.0.0.0:5060' received 512 bytes SIP message from 192.0.2.5:5060 [0x7f]"},
    {"sipp-messages", MESSAGE(&sa_message_family_sipp), .automatic = true,
     .description = N_("SIPp -trace_msg"), .sample = "UDP message received [302] bytes :"},
    {"sipp-shortmsg", RECORD(sa_payload_shortmsg), .automatic = true, .literal = "\tSIP/2.0 ",
     .description = N_("SIPp -trace_shortmsg"),
     .sample = "2026-11-20\t16:44:45.919152\t1795193085.919152\tR\t1-45@192.0.2.12\tCSeq:1 INVITE\tSIP/2.0 "
               "100 Trying"},
    {"pjsua", MESSAGE(&sa_message_family_pjsua), .automatic = true,
     .description = N_("pjsua and other programs of pjproject"),
     .sample = "16:44:04.534           pjsua_core.c  .RX 252 bytes Response msg 100/INVITE/cseq=102 "
               "(rdata0x7f) from UDP 192.0.2.5:5060:"},
    {"sngrep", MESSAGE(&sa_message_family_sngrep), .automatic = true,
     .description = N_("text saved by sngrep"),
     .sample = "2026/01/01 12:00:00.000000 192.0.2.5:5060 -> 192.0.2.1:5060"},
    {"sip-message", MESSAGE(NULL), .automatic = true,
     .description = N_("whole SIP messages that any record introduces, on many lines or escaped on one"),
     .sample = "INFO: <script>: SIP/2.0 302 Moved Temporarily#015#012Via: …"},
    {"kv", RECORD(sa_payload_kv),
     .description = N_("words of the form key=value: code, method, peer, dir, callid"),
     .sample = "SIPALERT dir=in code=503 method=INVITE peer=192.0.2.5:5060 callid=a@b"},
    {.name = NULL},
};

const struct sa_preset *
sa_preset_find(const char *name)
{
    for (const struct sa_preset *preset = sa_presets; preset->name != NULL; preset++)
        if (strcmp(preset->name, name) == 0)
            return preset;
    return NULL;
}
