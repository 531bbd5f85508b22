// Mints one token for every shape in ../minted, with keys that are thrown away.
//
//   node mint.mjs
//
// These tokens are imitations: shape.json repeats what the service's
// documentation says of its tokens, and nothing here was signed by the service.
// In shape.json {{now}} and {{now+60}} stand for the time of minting, in
// seconds, {{kid}} for the key's id.

import { randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { exportJWK, generateKeyPair, CompactSign } from 'jose';

const dir = new URL('../minted/', import.meta.url);
const now = Math.floor(Date.now() / 1000);

const kids = {
  base64: () => randomBytes(32).toString('base64'), // Cognito: with = at the end
  base64url: () => randomBytes(20).toString('base64url'),
  hex: () => randomBytes(20).toString('hex'),
};

function fillIn(value, kid) {
  if (typeof value === 'string') {
    const time = value.match(/^\{\{now([+-]\d+)?\}\}$/);
    return time ? now + Number(time[1] ?? 0) : value.replace('{{kid}}', kid);
  }
  if (Array.isArray(value)) return value.map((one) => fillIn(one, kid));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, fillIn(one, kid)]));
}

async function newKey(members, kidForm) {
  const { privateKey, publicKey } = await generateKeyPair(members.alg ?? 'RS256', { extractable: true });
  const kid = kids[kidForm]();
  const { about, ...published } = fillIn(members, kid);
  return { privateKey, kid, jwk: { ...await exportJWK(publicKey), kid, ...published } };
}

async function mint(name) {
  const at = new URL(`${name}/`, dir);
  const shape = JSON.parse(await readFile(new URL('shape.json', at)));
  const signing = await newKey(shape.jwk, shape.kid);
  const others = await Promise.all((shape.other_keys ?? []).map((members) => newKey(members, shape.kid)));

  const token = await new CompactSign(Buffer.from(JSON.stringify(fillIn(shape.claims, signing.kid))))
    .setProtectedHeader({ kid: signing.kid, ...fillIn(shape.header, signing.kid) })
    .sign(signing.privateKey);
  const keys = [...others, signing].map(({ jwk }) => jwk);
  await writeFile(new URL('token.jwt', at), `${token}\n`);
  await writeFile(new URL('jwks.json', at), `${JSON.stringify({ keys }, null, 2)}\n`);
}

const entries = await readdir(dir, { withFileTypes: true });
for (const entry of entries) {
  if (entry.isDirectory()) await mint(entry.name);
}
await writeFile(new URL('minted.json', dir), `${JSON.stringify({ minted_at: new Date(now * 1000).toISOString().replace('.000', '') }, null, 2)}\n`);
