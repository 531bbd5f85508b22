// Records tokens of a real provider, its key set and its discovery document.
//
//   node record.mjs
//
// It takes about 40 seconds: one token has to expire past the leeway of 30 s.
// The private keys live in this process and end with it.

import { createHash, X509Certificate } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { authorizationCode, clientCredentials, dpopProof, getJSON } from './flows.mjs';
import { audience, otherAudience, start } from './provider.mjs';

const issuer = 'https://idp.example.com';
const leeway = 30; // seconds; the default of the key leeway
const here = new URL('.', import.meta.url);
const tokensDir = new URL('../tokens/', here);
const recordedDir = new URL('../recorded/', here);

const READ_WRITE = 'items:read items:write';
const code = 'authorization code with PKCE';
const machine = 'client credentials';

// obtain asks for every token and says what is to be expected of it when it is
// checked at recorded_at against issuer, audience and key set: the verdict's
// code and, where it is ok, whom it names and what it grants.
async function obtain(main, rotated, stranger, certificate) {
  const tokens = {};
  const add = (name, how, verdict, token, about) => { tokens[name] = { how, verdict, token, ...about }; };
  const service = async (name, verdict, asked, about) => {
    const options = { scope: READ_WRITE, ...asked };
    const token = await clientCredentials(main, options);
    add(name, machine, verdict, token, { principal: options.client, client_id: options.client, scope: options.scope, ...about });
  };
  const user = async (name, asked) => {
    const answer = await authorizationCode(main, asked);
    add(name, code, 'ok', answer.access_token, { principal: asked.account, client_id: 'web', scope: asked.scope });
    return answer;
  };

  await service('expired', 'token_expired', { client: 'service-brief' });

  const { id_token } = await user('valid', { account: 'alice', scope: READ_WRITE });
  await user('read-only', { account: 'alice', scope: 'items:read' });
  await user('admin', { account: 'olga', scope: `${READ_WRITE} admin` });
  add('id-token', code, 'audience_mismatch', id_token);

  await service('service', 'ok', { client: 'service' });
  await service('no-scope', 'ok', { client: 'service', scope: undefined });
  await service('es256', 'ok', { client: 'service-es256' });
  await service('ps256', 'ok', { client: 'service-ps256' });
  await service('eddsa', 'ok', { client: 'service-eddsa' });
  await service('wrong-audience', 'audience_mismatch', { client: 'service', resource: otherAudience });
  await service('not-yet-valid', 'token_not_yet_valid', { client: 'service-later' });
  await service('dpop-bound', 'sender_constrained', { client: 'service-dpop', headers: { dpop: await dpopProof(main) } });
  await service('certificate-bound', 'sender_constrained', {
    client: 'service-mtls', headers: { 'x-client-cert': encodeURIComponent(certificate.toString()) },
  }, { verdict_with_certificate: 'ok' });

  add('unknown-key', `${machine}, the same provider with other keys`, 'key_unknown', await clientCredentials(rotated, { client: 'service', scope: READ_WRITE }));
  add('other-issuer', `${machine}, another provider`, 'issuer_unknown', await clientCredentials(stranger, { client: 'service', scope: READ_WRITE }));
  add('tampered', 'the header and signature of valid around the claims of admin', 'signature_invalid', tampered(tokens.valid.token, tokens.admin.token));
  return tokens;
}

function tampered(signed, wanted) {
  const [header, , signature] = signed.split('.');
  return [header, wanted.split('.')[1], signature].join('.');
}

function entry({ token, how, verdict, ...about }) {
  const { kid, alg, typ } = decodeProtectedHeader(token);
  const claims = decodeJwt(token);
  const known = verdict === 'ok' || about.verdict_with_certificate === 'ok';
  return {
    verdict,
    ...(about.verdict_with_certificate && { verdict_with_certificate: about.verdict_with_certificate }),
    how,
    header: { kid, alg, typ },
    ...(known && {
      principal: about.principal,
      client_id: about.client_id,
      scopes: about.scope?.split(' ') ?? [],
      token_id: claims.jti,
    }),
    issued_at: claims.iat,
    expires: claims.exp,
  };
}

async function write(dir, name, value) {
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2);
  await writeFile(new URL(name, dir), `${text}\n`);
}

const certificate = new X509Certificate(await readFile(new URL('client.pem', here)));
const providers = await Promise.all([start({ issuer }), start({ issuer }), start({ issuer: 'https://stranger.example.com' })]);
try {
  const [main] = providers;
  const tokens = await obtain(...providers, certificate);
  const discovery = await getJSON(main, '/.well-known/openid-configuration');
  const jwks = await getJSON(main, new URL(discovery.jwks_uri).pathname);
  await sleep((decodeJwt(tokens.expired.token).exp + leeway + 2) * 1000 - Date.now());

  await Promise.all([tokensDir, recordedDir].map(async (dir) => {
    await rm(dir, { recursive: true, force: true });
    await mkdir(dir);
  }));
  await Promise.all(Object.entries(tokens).map(([name, { token }]) => write(tokensDir, `${name}.jwt`, token)));
  await write(recordedDir, 'jwks.json', jwks);
  await write(recordedDir, 'openid-configuration.json', discovery);
  const manifest = JSON.parse(await readFile(new URL('node_modules/oidc-provider/package.json', here)));
  await write(recordedDir, 'recorded.json', {
    recorded_at: `${new Date().toISOString().slice(0, 19)}Z`,
    provider: `oidc-provider ${manifest.version}`,
    issuer,
    audience,
    certificate_thumbprint: createHash('sha256').update(certificate.raw).digest('base64url'),
    tokens: Object.fromEntries(Object.entries(tokens).map(([name, token]) => [name, entry(token)])),
  });
} finally {
  await Promise.all(providers.map((provider) => provider.close()));
}
