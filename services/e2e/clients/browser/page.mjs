// A web page that uses the MCP endpoint with fetch(), as MCP Inspector's does, served from another port
// of this machine, and from another site; and signs in as far as fetch() goes. Prints what it could read,
// as one line of JSON.
import { createServer } from 'node:http';
import chromium from '@sparticuz/chromium';
import { chromium as browsers } from 'playwright-core';

const [mcpURL, token] = process.argv.slice(2);
const server = createServer((_, response) => response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>page</title>'));
await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address();
const browser = await browsers.launch({
  executablePath: await chromium.executablePath(),
  args: ['--no-sandbox', '--disable-gpu', '--single-process', '--host-resolver-rules=MAP evil.example 127.0.0.1'],
});
const page = await browser.newPage();
page.setDefaultTimeout(20_000);

// What the page at an origin can read of the answer to a message.
async function ask(origin, message, headers) {
  if (!page.url().startsWith(origin)) await page.goto(origin + '/');
  return page.evaluate(async ({ mcpURL, message, headers }) => {
    try {
      const response = await fetch(mcpURL, {
        method: message ? 'POST' : 'DELETE', body: message && JSON.stringify(message),
        headers: { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream', ...headers },
      });
      return {
        status: response.status, body: await response.text(),
        challenge: response.headers.get('WWW-Authenticate'), session: response.headers.get('Mcp-Session-Id'),
      };
    } catch (error) {
      return { failed: String(error) };
    }
  }, { mcpURL, message, headers });
}

const here = `http://127.0.0.1:${port}`;
const bearer = { Authorization: 'Bearer ' + token };
const initialize = { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'page', version: '1' } } };
const modern = {
  jsonrpc: '2.0', id: 2, method: 'tools/call', params: {
    name: 'getJiraIssue', arguments: { cloudId: 'acme.atlassian.net', issueIdOrKey: 'OPS-1' },
    _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} },
  },
};
const seen = {};
seen.unsigned = await ask(here, initialize, {});
seen.initialized = await ask(here, initialize, bearer);
seen.modern = await ask(here, modern, { ...bearer, 'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': 'tools/call', 'Mcp-Name': 'getJiraIssue', 'Mcp-Param-Site': 'acme' });
seen.ended = await ask(here, undefined, { ...bearer, 'Mcp-Session-Id': seen.initialized.session ?? '', 'Last-Event-ID': '1' });
seen.elsewhere = await ask(`http://evil.example:${port}`, initialize, bearer);

// What comes before there is a token: metadata, a registration, and the token endpoint's word on a wrong code.
await page.goto(here + '/');
seen.signIn = await page.evaluate(async ({ base, redirect }) => {
  const read = async (path, type, body) => {
    try {
      const options = body && { method: 'POST', headers: { 'Content-Type': type }, body };
      const response = await fetch(base + path, options ?? { headers: { 'MCP-Protocol-Version': '2025-11-25' } });
      return { status: response.status, body: await response.text() };
    } catch (error) {
      return { failed: String(error) };
    }
  };
  return {
    resource: await read('/.well-known/oauth-protected-resource/mcp'),
    server: await read('/.well-known/oauth-authorization-server'),
    registered: await read('/oauth/register', 'application/json', JSON.stringify({ client_name: 'page', redirect_uris: [redirect], token_endpoint_auth_method: 'none' })),
    token: await read('/oauth/token', 'application/x-www-form-urlencoded', 'grant_type=refresh_token&client_id=none&refresh_token=none'),
  };
}, { base: new URL(mcpURL).origin, redirect: here + '/callback' });
console.log(JSON.stringify(seen));
await browser.close();
process.exit(0);
