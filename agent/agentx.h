/* AgentX (RFC 2741) as net-snmp's sessions speak it; net-snmp's public headers do not have these. */
#ifndef SA_AGENTX_H
#define SA_AGENTX_H

#define SA_AGENTX_VERSION_1 0xC1 /* of sessions and PDUs */
#define SA_AGENTX_NOTIFY    12   /* agentx-Notify-PDU, section 6.1.1 */
#define SA_AGENTX_PING      13   /* agentx-Ping-PDU */

#endif
