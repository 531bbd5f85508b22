// The OpenID provider that tokens come from: npm oidc-provider, in memory, on
// loopback, with keys made at start and never written.
//
// It is one authorization server of two APIs (RFC 8707 resources), whose access
// tokens are JWTs (RFC 9068). What sets one token apart from another is the
// client that asks for it.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';

export const audience = 'https://api.example.com';
export const otherAudience = 'https://other.example.com/api';
export const scopes = ['items:read', 'items:write', 'admin'];
export const redirectURI = 'https://app.example.com/callback';

// Who can sign in, and what the access token says of them beside sub.
const accounts = {
  alice: { email: 'alice@example.com', tenant: 'acme', groups: ['staff'] },
  olga: { email: 'olga@example.com', tenant: 'acme', groups: ['staff', 'ops'] },
};

const service = (id, more) => ({
  client_id: id,
  client_secret: `${id}-secret`,
  grant_types: ['client_credentials'],
  response_types: [],
  redirect_uris: [],
  ...more,
});

const clients = [
  {
    client_id: 'web',
    client_secret: 'web-secret',
    grant_types: ['authorization_code'],
    redirect_uris: [redirectURI],
    token_endpoint_auth_method: 'client_secret_basic',
  },
  service('service'),
  service('service-es256'),
  service('service-ps256'),
  service('service-eddsa'),
  service('service-brief'),
  service('service-later'),
  service('service-dpop', { dpop_bound_access_tokens: true }),
  service('service-mtls', { tls_client_certificate_bound_access_tokens: true }),
];

const algorithms = { 'service-es256': 'ES256', 'service-ps256': 'PS256', 'service-eddsa': 'EdDSA' };

// Seconds. One hour outlives every test that starts the provider.
const hour = 3600;
const lifetime = (ctx, token, client) => (client.clientId === 'service-brief' ? 1 : hour);

async function privateKeys() {
  return Promise.all(['RS256', 'PS256', 'ES256', 'EdDSA'].map(async (alg) => {
    const { privateKey } = await generateKeyPair(alg, { extractable: true });
    return { ...await exportJWK(privateKey), alg, use: 'sig' };
  }));
}

function configuration(keys) {
  return {
    clients,
    jwks: { keys },
    scopes: ['openid', 'email', ...scopes],
    claims: { openid: ['sub'], email: ['email'] },
    cookies: { keys: [crypto.randomUUID()] },
    enabledJWA: {
      dPoPSigningAlgValues: ['ES256'],
      idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA'],
    },
    ttl: {
      AccessToken: lifetime,
      ClientCredentials: lifetime,
      Grant: hour,
      IdToken: hour,
      Interaction: hour,
      Session: hour,
    },
    findAccount: (ctx, id) => accounts[id] && {
      accountId: id,
      claims: () => ({ sub: id, email: accounts[id].email }),
    },
    extraTokenClaims: (ctx, token) => accounts[token.accountId],
    formats: {
      customizers: {
        // No provider issues tokens that are not valid yet unless told to.
        jwt: (ctx, token, parts) => {
          if (token.clientId === 'service-later') parts.payload.nbf = parts.payload.iat + 1800;
        },
      },
    },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: true },
      dPoP: { enabled: true },
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        // As a proxy that ends TLS hands it on. Who held the key was the
        // proxy's business; the provider copies the thumbprint alone.
        getCertificate: (ctx) => decodeURIComponent(ctx.get('x-client-cert')) || undefined,
      },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (ctx, resource, client) => ({
          audience: resource,
          scope: scopes.join(' '),
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: algorithms[client.clientId] ?? 'RS256' } },
        }),
      },
    },
  };
}

// start listens on a free port of 127.0.0.1. Without issuer the provider is its
// own issuer; with one it speaks as if it stood behind a proxy that serves it
// there (X-Forwarded-Proto and -Host are believed).
export async function start({ issuer } = {}) {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}`;

  const provider = new Provider(issuer ?? url, configuration(await privateKeys()));
  provider.proxy = issuer !== undefined;
  server.on('request', provider.callback());
  return {
    url,
    issuer: provider.issuer,
    close: () => new Promise((done) => {
      server.close(done);
      server.closeAllConnections();
    }),
  };
}
