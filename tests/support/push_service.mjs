// A push service for tests (RFC 8030), with Node's own cryptography (OpenSSL): hands out subscriptions, checks each push's
// signature (RFC 8292), decrypts what it carries (RFC 8291), and tells what came.
//
//   node push_service.mjs APPLICATION_SERVER_KEY
//
// prints each as a line of JSON; first {"subscriptions": {"taken", "gone", "busy"}}. To `gone` it answers 410, to `busy` 503.

import { createDecipheriv, createECDH, createPublicKey, hkdfSync, randomBytes, verify } from 'node:crypto';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

function subscribe(known, name, base) {
  const device = createECDH('prime256v1');
  const p256dh = device.generateKeys();
  const auth = randomBytes(16);
  known.set(name, { device, p256dh, auth });
  return { endpoint: `${base}/push/${name}`, keys: { p256dh: p256dh.toString('base64url'), auth: auth.toString('base64url') } };
}

/** RFC 8292 §2 and §3: ES256 over a token for this origin, by the key of the subscription. */
function claims(header, base, serverKey) {
  const [, token, key] = /^vapid t=([\w.-]+), k=([\w-]+)$/.exec(header ?? '') ?? [];
  if (key !== serverKey) throw new Error('signed with another key');
  const [head, body, signature] = token.split('.');
  const point = Buffer.from(key, 'base64url');
  const jwk = { kty: 'EC', crv: 'P-256', x: point.subarray(1, 33).toString('base64url'), y: point.subarray(33).toString('base64url') };
  const right = verify(
    'sha256',
    Buffer.from(`${head}.${body}`),
    { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  );
  if (!right) throw new Error('the signature is wrong');
  if (JSON.parse(Buffer.from(head, 'base64url')).alg !== 'ES256') throw new Error('not ES256');
  const told = JSON.parse(Buffer.from(body, 'base64url'));
  if (told.aud !== base) throw new Error(`for ${told.aud}`);
  return told;
}

/** RFC 8188 §2.1 and RFC 8291 §3.4: one record. */
function decrypt(body, { device, p256dh, auth }) {
  const [salt, size, length] = [body.subarray(0, 16), body.readUInt32BE(16), body[20]];
  const sender = body.subarray(21, 21 + length);
  const sealed = body.subarray(21 + length);
  if (sealed.length > size) throw new Error('more than one record');
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), p256dh, sender]);
  const ikm = hkdfSync('sha256', device.computeSecret(sender), auth, info, 32);
  const derive = (name, bytes) => Buffer.from(hkdfSync('sha256', ikm, salt, Buffer.from(`Content-Encoding: ${name}\0`), bytes));
  const open = createDecipheriv('aes-128-gcm', derive('aes128gcm', 16), derive('nonce', 12));
  open.setAuthTag(sealed.subarray(-16));
  const plain = Buffer.concat([open.update(sealed.subarray(0, -16)), open.final()]);
  // The last record ends with 2 and zeros.
  const end = plain.lastIndexOf(2);
  return plain.subarray(0, end).toString();
}

/** Serves on a port of loopback for subscriptions made with this key; `tell` hears of each push. */
export async function servePushes(serverKey, tell) {
  const known = new Map();
  let base = '';
  const server = createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      const name = request.url.split('/').pop();
      try {
        const { exp, sub } = claims(request.headers.authorization, base, serverKey);
        const { ttl, urgency, 'content-encoding': encoding } = request.headers;
        tell({ name, exp, sub, ttl, urgency, encoding, payload: decrypt(Buffer.concat(parts), known.get(name)) });
        response.writeHead({ gone: 410, busy: 503 }[name] ?? 201).end();
      } catch (error) {
        tell({ name, refused: String(error) });
        response.writeHead(403).end();
      }
    });
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  base = `http://127.0.0.1:${server.address().port}`;
  const subscriptions = Object.fromEntries(['taken', 'gone', 'busy'].map((name) => [name, subscribe(known, name, base)]));
  return { subscriptions, close: () => server.close() };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const say = (what) => console.log(JSON.stringify(what));
  const { subscriptions } = await servePushes(process.argv[2], say);
  say({ subscriptions });
  process.stdin.resume();
  process.stdin.on('end', () => process.exit(0));
}
