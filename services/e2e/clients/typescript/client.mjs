// An assistant with MCP's official TypeScript SDK. It prints the page that its user is to open, as
// {"authorize": URL}, reads the URL that the browser was sent back to, and then calls each tool it
// reads, as {"name", "arguments"}, and prints its result: one line of JSON each.
import readline from 'node:readline';
import { randomUUID } from 'node:crypto';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const [url, redirectUrl] = process.argv.slice(2);
const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const read = async () => (await lines.next()).value;
const print = value => console.log(JSON.stringify(value));

const kept = { state: randomUUID() };
const provider = {
  redirectUrl,
  clientMetadata: {
    client_name: 'TypeScript SDK',
    redirect_uris: [redirectUrl],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  },
  state: () => kept.state,
  clientInformation: () => kept.client,
  saveClientInformation: client => { kept.client = client; },
  tokens: () => kept.tokens,
  saveTokens: tokens => { kept.tokens = tokens; },
  codeVerifier: () => kept.verifier,
  saveCodeVerifier: verifier => { kept.verifier = verifier; },
  redirectToAuthorization: page => print({ authorize: page.href }),
};

const newTransport = () => new StreamableHTTPClientTransport(new URL(url), { authProvider: provider });
const client = new Client({ name: 'typescript-sdk', version: '1.0.0' });
const transport = newTransport();
try {
  await client.connect(transport);
} catch (error) {
  if (!(error instanceof UnauthorizedError)) throw error;
  const answer = new URL(await read()).searchParams;
  if (answer.get('state') !== kept.state) throw new Error('another state came back');
  await transport.finishAuth(answer.get('code'));
  await client.connect(newTransport());
}
for (let line = await read(); line !== undefined; line = await read()) {
  print(await client.callTool(JSON.parse(line)));
}
await client.close();
process.exit(0);
