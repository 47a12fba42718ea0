import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { OAuthClientProvider } from "@modelcontextprotocol/sdk/client/auth.js";
import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { OAuthClientInformationMixed, OAuthTokens } from "@modelcontextprotocol/sdk/shared/auth.js";
import type { Browser } from "@playwright/test";
import { signInAs } from "./person";

/** An assistant that a person connected: MCP's own TypeScript SDK, signed in with a browser. */
export class Assistant {
  private constructor(private readonly client: Client) {}

  static async connect(mcpURL: string, browser: Browser, email: string, name = "Claude Code"): Promise<Assistant> {
    const loopback = createServer();
    await new Promise<void>((listening) => loopback.listen(0, "127.0.0.1", listening));
    const redirect = `http://127.0.0.1:${(loopback.address() as AddressInfo).port}/callback`;
    const code = new Promise<string>((resolve) => {
      loopback.on("request", (request, response) => {
        response.end("You may close this page.");
        const found = new URL(request.url ?? "/", redirect).searchParams.get("code");
        if (found) resolve(found);
      });
    });
    const context = await browser.newContext();
    try {
      const page = await context.newPage();
      const provider = signInProvider(redirect, name, (url) => page.goto(url.toString()).then(() => {}));
      // As Claude Code calls itself: by a name without blanks.
      const client = new Client({ name: name.toLowerCase().replaceAll(" ", "-"), version: "1.0.0" });
      const first = new StreamableHTTPClientTransport(new URL(mcpURL), { authProvider: provider });
      await client.connect(first).catch((error) => {
        if (!(error instanceof UnauthorizedError)) throw error;
      });
      await signInAs(page, email, (url) => url.toString().startsWith(redirect));
      await first.finishAuth(await code);
      await client.connect(new StreamableHTTPClientTransport(new URL(mcpURL), { authProvider: provider }));
      return new Assistant(client);
    } finally {
      await context.close();
      loopback.close();
    }
  }

  /** Calls a tool of the site, and returns what it is answered in words, and whether that is an error. */
  async call(tool: string, args: Record<string, unknown>): Promise<{ text: string; isError: boolean }> {
    const result = await this.client.callTool({ name: tool, arguments: { cloudId: "acme.atlassian.net", ...args } });
    const content = result.content as { text?: string }[];
    return { text: content.map((part) => part.text ?? "").join("\n"), isError: result.isError === true };
  }

  close(): Promise<void> {
    return this.client.close();
  }
}

function signInProvider(redirect: string, name: string, open: (url: URL) => Promise<void>): OAuthClientProvider {
  let information: OAuthClientInformationMixed | undefined;
  let tokens: OAuthTokens | undefined;
  let verifier = "";
  return {
    redirectUrl: redirect,
    clientMetadata: {
      client_name: name,
      redirect_uris: [redirect],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
    },
    clientInformation: () => information,
    saveClientInformation: (saved) => {
      information = saved;
    },
    tokens: () => tokens,
    saveTokens: (saved) => {
      tokens = saved;
    },
    redirectToAuthorization: open,
    saveCodeVerifier: (saved) => {
      verifier = saved;
    },
    codeVerifier: () => verifier,
  };
}
