// The telephone side of the stand-in: takes REGISTER over WebSocket and brings calls whose far end is another
// browser page (see mock/call.mjs). Only what the console's softphone needs; no claim to be a SIP server.

import { WebSocketServer } from 'ws';

const phones = new WebSocketServer({ noServer: true, handleProtocols: () => 'sip' });
let flow = null;
let contact = '';
const waiting = new Map();
const seen = [];

const header = (text, name) => new RegExp(`^${name}\\s*:\\s*(.*)$`, 'im').exec(text)?.[1].trim();

function reply(text, status, extra = []) {
  const copied = ['Via', 'From', 'To', 'Call-ID', 'CSeq'].map((name) => {
    const value = header(text, name);
    return `${name}: ${name === 'To' && !/;tag=/.test(value) ? `${value};tag=mock` : value}`;
  });
  return [`SIP/2.0 ${status}`, ...copied, ...extra, 'Content-Length: 0', '', ''].join('\r\n');
}

phones.on('connection', (ws) => {
  flow = ws;
  ws.on('message', (data) => {
    const text = String(data);
    if (!text.trim()) return;
    const first = text.split('\r\n', 1)[0];
    seen.push({ first, authorization: header(text, 'Authorization') ?? null });
    if (first.startsWith('REGISTER')) {
      contact = /<([^>]+)>/.exec(header(text, 'Contact'))?.[1] ?? '';
      ws.send(reply(text, '200 OK', [`Contact: <${contact}>;expires=120`]));
    } else if (first.startsWith('SIP/2.0')) {
      const call = waiting.get(header(text, 'Call-ID'));
      if (!call || !/INVITE/.test(header(text, 'CSeq'))) return;
      if (/^SIP\/2.0 2/.test(first)) {
        call.to = header(text, 'To');
        ws.send(request('ACK', call));
        call.done({ sdp: text.split('\r\n\r\n').slice(1).join('\r\n\r\n') });
      } else if (/^SIP\/2.0 [3-6]/.test(first)) call.done({ refused: first });
    } else if (first.startsWith('BYE')) {
      ws.send(reply(text, '200 OK'));
      const call = waiting.get(header(text, 'Call-ID'));
      if (call) call.ended = true;
    } else if (!first.startsWith('ACK')) ws.send(reply(text, '200 OK'));
  });
});

function request(method, call, extra = [], body = '') {
  const seq = method === 'BYE' ? 2 : 1;
  return [
    `${method} ${contact} SIP/2.0`,
    `Via: SIP/2.0/WS mock.invalid;branch=z9hG4bK${call.id}${method === 'BYE' ? 'b' : method === 'ACK' ? 'a' : ''}`,
    'Max-Forwards: 70',
    `From: <sip:calls@cordboard.local>;tag=${call.id}`,
    `To: ${call.to}`,
    `Call-ID: ${call.id}@mock`,
    `CSeq: ${seq} ${method}`,
    'Contact: <sip:mock@mock.invalid;transport=ws>',
    ...extra,
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}

/** Rings the console with `sdp`; resolves with its answer. */
export function invite(name, sdp, auto) {
  const call = { id: Math.random().toString(36).slice(2), to: '<sip:kim@cordboard.local>', ended: false };
  const answered = new Promise((done) => (call.done = done));
  waiting.set(`${call.id}@mock`, call);
  const extra = [`X-Cordboard-Call: ${name}`, 'Allow: INVITE, ACK, BYE, CANCEL', 'Content-Type: application/sdp'];
  if (auto) extra.push('Call-Info: <sip:cordboard.local>;answer-after=0');
  flow?.send(request('INVITE', call, extra, sdp));
  return answered.then((answer) => ({ ...answer, call: call.id }));
}

export function bye(id) {
  const call = waiting.get(`${id}@mock`);
  if (call) flow?.send(request('BYE', call));
}

export function phoneState(id) {
  return { registered: contact !== '', ended: waiting.get(`${id}@mock`)?.ended ?? false, seen };
}

export function upgrade(request_, socket, head) {
  phones.handleUpgrade(request_, socket, head, (ws) => phones.emit('connection', ws, request_));
}
