// Serves the provider to a live test, on a free port of loopback.
//
// One line of JSON on stdout says that it is ready and how to use it. It ends
// when its stdin does, so it cannot outlive the test that started it.

import { audience, redirectURI, start } from './provider.mjs';

const { issuer } = await start();
process.stdout.write(`${JSON.stringify({ issuer, audience, redirect_uri: redirectURI })}\n`);
process.stdin.resume().on('end', () => process.exit(0));
