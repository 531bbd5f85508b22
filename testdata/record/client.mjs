// Signs requests with the npm package http-message-signatures, a client of
// RFC 9421 that shares no code with the authorizer, and sends them with fetch.
//
//   node client.mjs <requests.json
//
// Standard input: {"keyid", "secret" (base64), "requests": [{"method", "url",
// "body", "fields", "send"}]}. A request with a body gets a Content-Digest.
// "fields" are the covered components, by default all that is needed; "send":
// false signs alone. Standard output: the requests with their "headers" and,
// where they were sent, "status" and "answer".

import { createHash, randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { createSigner, httpbis } from 'http-message-signatures';

const input = JSON.parse(await text(process.stdin));
const key = createSigner(Buffer.from(input.secret, 'base64'), 'hmac-sha256', input.keyid);

async function sign({ method, url, body, fields }) {
  const headers = {};
  let covered = ['@method', '@authority', '@path', '@query'];
  if (body !== undefined) {
    headers['Content-Type'] = 'application/json';
    headers['Content-Digest'] = `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;
    covered = [...covered, 'content-digest', 'content-type'];
  }
  const message = await httpbis.signMessage({
    key,
    name: 'client',
    params: ['created', 'nonce', 'keyid', 'alg', 'tag'],
    paramValues: { created: new Date(), nonce: randomUUID(), tag: 'interop' },
    fields: fields ?? covered,
  }, { method, url, headers });
  return message.headers;
}

const out = [];
for (const request of input.requests) {
  const headers = await sign(request);
  const done = { ...request, headers };
  if (request.send !== false) {
    const answer = await fetch(request.url, { method: request.method, headers, body: request.body });
    done.status = answer.status;
    done.answer = await answer.text();
  }
  out.push(done);
}
console.log(JSON.stringify(out));
