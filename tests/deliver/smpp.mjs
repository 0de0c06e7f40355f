// A carrier by npm's smpp: takes texts and says on its standard output, one line of JSON each, what came; does what it is
// told on its standard input, one line of JSON each. Written for tests/deliver/smpp.rs.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const require = createRequire(process.argv[2]);
const smpp = require('smpp');
// Its own alphabet, in which texts travel that name none: ASCII (septets, as npm's smpp calls them) or LATIN1.
smpp.encodings.default = process.argv[3];

const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
/** What the next submit_sm are answered with; then they are taken. */
const answers = [];
/** What texts are called, the first of them first. */
const ids = [];
let bound = null;
let count = 0;

const server = smpp.createServer({}, (session) => {
  session.on('error', () => {});
  session.on('close', () => {
    if (bound === session) bound = null;
    say({ closed: true });
  });
  session.on('bind_transceiver', (pdu) => {
    if (pdu.password !== 'secret') {
      session.send(pdu.response({ command_status: smpp.ESME_RBINDFAIL }));
      return;
    }
    bound = session;
    session.send(pdu.response({ system_id: 'carrier' }));
    say({ bound: pdu.system_id, version: pdu.interface_version });
  });
  session.on('submit_sm', (pdu) => {
    const answer = answers.shift();
    if (answer === 'silence') return;
    if (answer === 'hang up') {
      session.close();
      return;
    }
    if (answer) {
      session.send(pdu.response({ command_status: answer }));
      say({ refused: answer });
      return;
    }
    count += 1;
    const id = ids[count - 1] ?? `id-${count}`;
    session.send(pdu.response({ message_id: id }));
    const message = pdu.short_message.message;
    say({
      id,
      from: pdu.source_addr,
      to: pdu.destination_addr,
      coding: pdu.data_coding,
      class: pdu.esm_class,
      receipt: pdu.registered_delivery,
      head: pdu.short_message.udh ? pdu.short_message.udh.map((part) => (Buffer.isBuffer(part) ? part.toString('hex') : String(part))) : null,
      text: Buffer.isBuffer(message) ? message.toString('hex') : message,
    });
  });
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => {
    session.send(pdu.response());
    say({ unbound: true });
    session.close();
  });
});

server.listen(0, '127.0.0.1', () => say({ port: server.address().port }));

createInterface({ input: process.stdin }).on('line', (line) => {
  const order = JSON.parse(line);
  if (order.answers) {
    answers.push(...order.answers);
    say({ ready: answers.length });
  }
  if (order.ids) {
    ids.push(...order.ids);
    say({ named: ids.length });
  }
  if (order.close && bound) bound.close();
  if (order.deliver && bound) {
    const { hex, ...fields } = order.deliver;
    const short_message = hex === undefined ? fields.short_message : Buffer.from(hex, 'hex');
    bound.deliver_sm({ ...fields, short_message }, (pdu) => say({ answered: pdu.command_status }));
  }
});
process.stdin.on('end', () => process.exit(0));
// Nobody listens any more.
process.stdout.on('error', () => process.exit(0));
