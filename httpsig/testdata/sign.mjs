// Signs the requests of http-message-signatures.json with an independent
// client. Run with that package, version 1.0.6, installed:
//   node sign.mjs > http-message-signatures.json
// The secret is test-shared-secret of RFC 9421 appendix B.1.5.
import { createSigner, httpbis } from 'http-message-signatures';
import { createHash } from 'node:crypto';
const secret = Buffer.from('uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==','base64');
const key = createSigner(secret, 'hmac-sha256', 'partner');
const created = new Date('2026-11-13T12:34:56Z');
const base = ['@method','@authority','@path','@query'];
const cases = [
  ['GET','https://api.example.com/prod/items?limit=10', base],
  ['GET','https://api.example.com/prod/items', base],
  ['GET','https://api.example.com/prod/', base],
  ['GET','https://api.example.com:8443/items/caf%C3%A9%20cr%C3%A8me?a=1&a=0&b=x%20y', base],
  ['POST','https://api.example.com/items', [...base,'content-digest','content-type'], '{"name":"x"}'],
  ['DELETE','https://api.example.com/items/1', [...base,'content-digest'], ''],
  ['GET','https://api.example.com/items?z=1&b=hello+world&fa%C3%A7ade%22%3A%20=something&empty', ['@method','@authority','@path','@query-param;name="z"','@query-param;name="b"','@query-param;name="fa%C3%A7ade%22%3A%20"','@query-param;name="empty"']],
];
const out=[];
for (const [method,url,fields,body] of cases) {
  const headers={'Content-Type':'application/json'};
  if (body!==undefined) headers['Content-Digest']='sha-256=:'+createHash('sha256').update(body).digest('base64')+':';
  const m = await httpbis.signMessage({key, name:'sig', params:['created','expires','keyid','alg','nonce','tag'].filter(p=>p!=='expires'||method==='GET'), paramValues:{created, nonce:'n'+out.length, tag:'test'}, fields}, {method,url,headers});
  out.push({method,url,headers:m.headers});
}
console.log(JSON.stringify(out,null,1));
