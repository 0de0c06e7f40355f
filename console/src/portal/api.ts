// The doors of the server's API that are a client's. The session and the problems are those of `lib/api`. Knows nothing of what is
// shown; every path names its account, and the server answers for no other.

import { fetchBlob, postBlob, query, request, type SimulationBody } from '../lib/api';
import type { Approval, GoingLive } from '../lib/clients';
import type { Simulation } from '../lib/protocols';
import type {
  ChangeCheck,
  ContactEdit,
  MessageFilter,
  Morning,
  OnDuty,
  PortalContact,
  PortalGreeting,
  PortalHoliday,
  PortalHome,
  PortalMessage,
  PortalMessageWhole,
  PortalProtocols,
  PortalSettings,
  ProtocolBody,
  ProtocolChange,
  RecapPlan,
  Report,
  Use,
  VerifyBy,
} from './types';
import { spanOf } from './days';

const id = encodeURIComponent;
const at = (account: string, rest: string) => `/portal/accounts/${id(account)}${rest}`;
const contactAt = (account: string, contact: string, rest = '') => at(account, `/contacts/${id(contact)}${rest}`);
const verification = (account: string, contact: string, destination: string) =>
  contactAt(account, contact, `/destinations/${id(destination)}/verification`);

export const portal = {
  home: () => request<PortalHome>('GET', '/portal'),
  /** Of whoever is logged in; their other sessions end. */
  setPassword: (old_password: string, password: string) => request<void>('PUT', '/portal/password', { old_password, password }),
  morning: (account: string, date?: string) => request<Morning>('GET', at(account, `/morning${query({ date })}`)),
  messages: (account: string, zone: string, filter: MessageFilter, cursor?: string) => {
    const { from, to, open, call_type, ...rest } = filter;
    return request<{ items: PortalMessage[]; next: string | null }>(
      'GET',
      at(account, `/messages${query({ ...rest, ...spanOf(from, to, zone), open: open ? 1 : undefined, call_type: call_type?.id, cursor, limit: 30 })}`),
    );
  },
  message: (account: string, message: string) => request<PortalMessageWhole>('GET', at(account, `/messages/${id(message)}`)),
  recording: (account: string, message: string) => fetchBlob(at(account, `/messages/${id(message)}/recording`)),
  onCall: (account: string) => request<{ at: number; items: OnDuty[] }>('GET', at(account, '/on_call')),

  contacts: (account: string) => request<{ edition: number; items: PortalContact[] }>('GET', at(account, '/contacts')),
  addContact: (account: string, body: ContactEdit) => request<PortalContact & { edition: number }>('POST', at(account, '/contacts'), body),
  putContact: (account: string, contact: string, body: ContactEdit) => request<PortalContact & { edition: number }>('PUT', contactAt(account, contact), body),
  removeContact: (account: string, contact: string, edition: number) =>
    request<void>('DELETE', contactAt(account, contact), undefined, { 'if-match': `"${edition}"` }),
  uses: (account: string, contact: string) => request<{ items: Use[] }>('GET', contactAt(account, contact, '/uses')),
  setPin: (account: string, contact: string, pin: string) => request<void>('PUT', contactAt(account, contact, '/pin'), { pin }),
  removePin: (account: string, contact: string) => request<void>('DELETE', contactAt(account, contact, '/pin')),
  setSpokenAs: (account: string, contact: string, spoken_as: string | null) =>
    request<PortalContact>('PUT', contactAt(account, contact, '/spoken_as'), { spoken_as }),
  /** As a call-out would say it. */
  hearSpokenAs: (account: string, spoken_as: string) => postBlob(at(account, '/spoken_as/listen'), { spoken_as }),
  sendCode: (account: string, contact: string, destination: string, by: VerifyBy) => request<void>('POST', verification(account, contact, destination), { by }),
  giveCode: (account: string, contact: string, destination: string, code: string) =>
    request<PortalContact>('POST', `${verification(account, contact, destination)}/code`, { code }),

  settings: (account: string) => request<PortalSettings>('GET', at(account, '/settings')),
  setHolidays: (account: string, edition: number, holidays: PortalHoliday[]) => request<PortalSettings>('PUT', at(account, '/holidays'), { edition, holidays }),
  setStatusGreeting: (account: string, text: string, until: number | null) =>
    request<PortalSettings>('PUT', at(account, '/status_greeting'), { text, until }),
  endStatusGreeting: (account: string) => request<PortalSettings>('DELETE', at(account, '/status_greeting')),
  setRecap: (account: string, plan: RecapPlan) => request<PortalSettings>('PUT', at(account, '/recap'), plan),
  removeRecap: (account: string) => request<void>('DELETE', at(account, '/recap')),

  report: (account: string, from?: string, to?: string) => request<Report>('GET', at(account, `/report${query({ from, to })}`)),
  reportCsv: (account: string, from: string, to: string) => fetchBlob(at(account, `/report.csv${query({ from, to })}`)),

  protocols: (account: string) => request<PortalProtocols>('GET', at(account, '/protocols')),
  checkChange: (account: string, protocol: ProtocolBody) => request<ChangeCheck>('POST', at(account, '/protocol_changes/check'), protocol),
  simulate: (account: string, body: SimulationBody) => request<Simulation>('POST', at(account, '/simulate'), body),
  propose: (account: string, protocol: ProtocolBody, note: string) => request<ProtocolChange>('POST', at(account, '/protocol_changes'), { protocol, note }),
  changes: (account: string) => request<{ items: ProtocolChange[] }>('GET', at(account, '/protocol_changes')),
  withdraw: (account: string, change: string) => request<ProtocolChange>('POST', at(account, `/protocol_changes/${id(change)}/withdraw`)),

  goingLive: (account: string) => request<GoingLive>('GET', at(account, '/going_live')),
  /** What callers hear, and one of it as a sound. */
  greetings: (account: string) => request<{ items: PortalGreeting[] }>('GET', at(account, '/greetings')),
  greetingSound: (account: string, where: string) => fetchBlob(at(account, `/greetings/sound${query({ at: where })}`)),
  approve: (account: string, body: Approval) => request<GoingLive>('POST', at(account, '/approvals'), body),
};
