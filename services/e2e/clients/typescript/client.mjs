// An assistant with MCP's official TypeScript SDK, version 1 or 2. It keeps its sign-in in a file. It
// prints {"authorize": URL} when its user is to open a page, and reads the URL that the browser was
// sent back to. It reads {"method": "tools/list"} or {"method": "tools/call", "params"}, and prints the
// result, or {"failed": reason}: one line of JSON each.
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import readline from 'node:readline';

const [sdk, revision, url, redirectUrl, file] = process.argv.slice(2);
const load = {
  v1: async () => ({
    ...await import('@modelcontextprotocol/sdk/client/auth.js'),
    ...await import('@modelcontextprotocol/sdk/client/index.js'),
    ...await import('@modelcontextprotocol/sdk/client/streamableHttp.js'),
  }),
  v2: () => import('@modelcontextprotocol/client'),
};
const { Client, StreamableHTTPClientTransport, UnauthorizedError } = await load[sdk]();
const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const read = async () => (await lines.next()).value;
const print = value => console.log(JSON.stringify(value));

const kept = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file)) : {};
const keep = values => fs.writeFileSync(file, JSON.stringify(Object.assign(kept, values)), { mode: 0o600 });
const provider = {
  redirectUrl,
  clientMetadata: {
    client_name: `TypeScript SDK ${sdk}`,
    redirect_uris: [redirectUrl],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  },
  state: () => { keep({ state: randomUUID() }); return kept.state; },
  clientInformation: () => kept.client,
  saveClientInformation: client => keep({ client }),
  tokens: () => kept.tokens,
  saveTokens: tokens => keep({ tokens }),
  codeVerifier: () => kept.verifier,
  saveCodeVerifier: verifier => keep({ verifier }),
  redirectToAuthorization: page => print({ authorize: page.href }),
  invalidateCredentials: what => {
    if (what === 'all' || what === 'client') keep({ client: undefined });
    if (what === 'all' || what === 'tokens') keep({ tokens: undefined });
  },
};

// withSignIn tries again once the user has signed in, where that is needed.
async function withSignIn(transport, attempt, again) {
  try {
    return await attempt();
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
    const answer = new URL(await read()).searchParams;
    if (answer.get('state') !== kept.state) throw new Error('another state came back');
    if (sdk === 'v1') await transport().finishAuth(answer.get('code'));
    else await transport().finishAuth(answer);
    return await again();
  }
}

let client, transport;
async function open() {
  const options = revision ? { versionNegotiation: { mode: { pin: revision } } } : {};
  client = new Client({ name: `typescript-sdk-${sdk}`, version: '1.0.0' }, options);
  transport = new StreamableHTTPClientTransport(new URL(url), { authProvider: provider });
  await client.connect(transport);
}
const connect = () => withSignIn(() => transport, open, open);

async function answer({ method, params }) {
  if (!client) await connect();
  const ask = () => (method === 'tools/list' ? client.listTools(params) : client.callTool(params));
  return withSignIn(() => transport, ask, async () => { await connect(); return ask(); });
}

for (let line = await read(); line !== undefined; line = await read()) {
  try {
    print(await answer(JSON.parse(line)));
  } catch (error) {
    print({ failed: String(error) });
  }
}
await client?.close();
process.exit(0);
