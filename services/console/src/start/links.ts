/** What each assistant calls the server. */
const name = "sallyport";

/** The link by which Cursor adds a server (cursor.com/docs/mcp/install-links). */
export function cursorLink(url: string): string {
  return `cursor://anysphere.cursor-deeplink/mcp/install?${new URLSearchParams({ name, config: btoa(JSON.stringify({ url })) })}`;
}

/** What Cursor's mcp.json has of a server. */
export function cursorFile(url: string): string {
  return JSON.stringify({ mcpServers: { [name]: { url } } });
}

/** The link by which VS Code adds a server (code.visualstudio.com/api/extension-guides/ai/mcp). */
export function vscodeLink(url: string): string {
  return `vscode:mcp/install?${encodeURIComponent(vscodeServer(url))}`;
}

/** The command by which VS Code adds a server. */
export function vscodeCommand(url: string): string {
  return `code --add-mcp '${vscodeServer(url)}'`;
}

function vscodeServer(url: string): string {
  return JSON.stringify({ name, type: "http", url });
}

/** The command by which Claude Code adds a server, and the one by which it signs in. */
export const claudeCode = {
  add: (url: string) => `claude mcp add --transport http ${name} ${url}`,
  signIn: `claude mcp login ${name}`,
};

/** What an app that knows local servers only has in its configuration. */
export function remoteFile(url: string): string {
  return JSON.stringify({ mcpServers: { [name]: { command: "npx", args: ["-y", "mcp-remote", url] } } });
}
