// The two ways to a token, over HTTP, as any client goes them.

import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { audience, redirectURI } from './provider.mjs';

const pages = (from) => new URL(from.issuer).origin;

// ask sends a request to the provider at its loopback address, in the name of
// the address it is known under.
async function ask(from, url, { headers, ...init } = {}) {
  const { host, protocol } = new URL(from.issuer);
  return fetch(url.replace(pages(from), from.url), {
    redirect: 'manual',
    ...init,
    headers: { 'x-forwarded-host': host, 'x-forwarded-proto': protocol.slice(0, -1), ...headers },
  });
}

export async function getJSON(from, path) {
  const response = await ask(from, `${pages(from)}${path}`);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

const basic = (client) => `Basic ${Buffer.from(`${client}:${client}-secret`).toString('base64')}`;

async function tokenEndpoint(from, client, form, headers) {
  const response = await ask(from, `${pages(from)}/token`, {
    method: 'POST',
    headers: { authorization: basic(client), ...headers },
    body: new URLSearchParams(form),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`token endpoint for ${client}: ${response.status} ${answer.error}: ${answer.error_description}`);
  return answer;
}

// clientCredentials is RFC 6749 section 4.4, with the resource of RFC 8707.
export async function clientCredentials(from, { client, scope, resource = audience, headers }) {
  const form = { grant_type: 'client_credentials', resource };
  if (scope) form.scope = scope;
  return (await tokenEndpoint(from, client, form, headers)).access_token;
}

// dpopProof is RFC 9449 section 4.2, for the token endpoint, with a key that
// nobody keeps.
export async function dpopProof(from) {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  return new SignJWT({ htm: 'POST', htu: `${pages(from)}/token`, jti: randomUUID() })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(publicKey) })
    .setIssuedAt()
    .sign(privateKey);
}

// authorizationCode is RFC 6749 section 4.1 with PKCE (RFC 7636): it follows
// the provider's redirects, signs in and consents on the forms it meets.
export async function authorizationCode(from, { account, scope, resource = audience, client = 'web' }) {
  const verifier = randomBytes(32).toString('base64url');
  const query = new URLSearchParams({
    client_id: client,
    response_type: 'code',
    redirect_uri: redirectURI,
    scope: `openid ${scope}`,
    resource,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const callback = await signIn(from, `${pages(from)}/auth?${query}`, account);
  const code = callback.searchParams.get('code');
  if (!code) throw new Error(`no code: ${callback.searchParams.get('error')}: ${callback.searchParams.get('error_description')}`);
  return tokenEndpoint(from, client, {
    grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: redirectURI, resource,
  });
}

async function signIn(from, url, account) {
  const cookies = new Map();
  let next = { url };
  for (let step = 0; step < 12; step++) {
    const response = await ask(from, next.url, {
      method: next.form ? 'POST' : 'GET',
      headers: { cookie: [...cookies.values()].join('; ') },
      body: next.form && new URLSearchParams(next.form),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const pair = cookie.split(';', 1)[0];
      cookies.set(pair.split('=', 1)[0], pair);
    }
    const location = response.headers.get('location');
    if (location) {
      next = { url: new URL(location, next.url).href };
      if (next.url.startsWith(redirectURI)) return new URL(next.url);
    } else {
      next = fillIn(await response.text(), next.url, account);
    }
  }
  throw new Error('sign-in did not come to an end');
}

function fillIn(page, at, account) {
  const action = page.match(/<form[^>]* action="([^"]+)"/)?.[1];
  const prompt = page.match(/name="prompt" value="([^"]+)"/)?.[1];
  if (!action || !prompt) throw new Error(`no form to fill in at ${new URL(at).pathname}`);
  return {
    url: new URL(action.replaceAll('&amp;', '&'), at).href,
    form: prompt === 'login' ? { prompt, login: account, password: 'any' } : { prompt },
  };
}
